"""What SQLite's errors mean for a person: one sentence and the next step for each, by its result code."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from core.errors import BackendUnavailable, NotOurDatabase, OpsError

_STOP_ANYWAY: Final = "stops still work: opsconsole stop --local"
_PRIMARY: Final = 0xFF
"""The low byte of an extended result code is the primary one."""

_SENTENCES: Final = {
    sqlite3.SQLITE_BUSY: (
        "database-locked",
        "the database {path} is locked by another process",
        f"try again, or see who holds it with 'fuser {{path}}'; {_STOP_ANYWAY}",
    ),
    sqlite3.SQLITE_READONLY: (
        "database-read-only",
        "the database {path} cannot be written: the file, its directory or the file system is read-only",
        f"make both writable for this user; {_STOP_ANYWAY}",
    ),
    sqlite3.SQLITE_FULL: (
        "disk-full",
        "the disk that holds {path} is full, nothing was recorded",
        f"free some space and try again; {_STOP_ANYWAY}",
    ),
    sqlite3.SQLITE_IOERR: (
        "disk-failed",
        "the disk that holds {path} failed to read or write ({text}), nothing was recorded",
        f"look at the disk, its quota and the file size limit (ulimit -f); {_STOP_ANYWAY}",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot-open",
        "the database {path} cannot be opened: it is missing, or its directory is not accessible or read-only",
        f"look at its permissions, or name another one with --backend; {_STOP_ANYWAY}",
    ),
    sqlite3.SQLITE_PERM: (
        "cannot-open",
        "the database {path} may not be opened by this user",
        f"look at its permissions; {_STOP_ANYWAY}",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "database-corrupt",
        "the database {path} is damaged ({text})",
        f"keep a copy and restore a backup, nothing will be released by that; {_STOP_ANYWAY}",
    ),
}

_FOREIGN_LOG: Final = (
    "if a backup has just been put here, the log {path}-wal is that of the file before it, and the two do not fit: end "
    "whatever has the database open, move {path}-wal and {path}-shm away, and put the backup here once more; else keep "
    f"a copy and restore a backup in that way, nothing will be released by that; {_STOP_ANYWAY}"
)


def explain(error: sqlite3.Error, path: Path) -> OpsError:
    """The error of ours that a driver's error is; an unknown one keeps its own words."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    if code == sqlite3.SQLITE_NOTADB:
        return NotOurDatabase(
            "not-a-database",
            f"{path} is not an SQLite database",
            "name another with --backend; it was not touched",
        )
    if code == sqlite3.SQLITE_LOCKED:
        code = sqlite3.SQLITE_BUSY
    name, sentence, hint = _SENTENCES.get(
        code, ("database-failed", "the database {path} failed: {text}", f"see 'opsconsole doctor'; {_STOP_ANYWAY}")
    )
    if code == sqlite3.SQLITE_CORRUPT and path.with_name(f"{path.name}-wal").exists():
        hint = _FOREIGN_LOG
    return BackendUnavailable(name, sentence.format(path=path, text=error), hint.format(path=path))
