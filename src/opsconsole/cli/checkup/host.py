"""What ``doctor`` asks of this host: what it runs, and where it keeps what."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from opsconsole.cli.checkup.finding import Finding, Verdict
from opsgate.paths import latch_home, runtime_home

_ROOM_BYTES: Final = 100 * 1024 * 1024
_SOUND_SQLITE: Final = (3, 51, 3)
_READABLE: Final = "chmod u+rx {}, as its owner or root"


def host() -> Iterator[Finding]:
    """What it runs, and the folders of sockets and latches."""
    yield Finding("ok", "python", f"{platform.python_implementation()} {platform.python_version()}")
    yield _sqlite()
    yield _private("sockets", runtime_home())
    yield _latches(latch_home())


def database_file(path: Path) -> Iterator[Finding]:
    """The file of a fleet in SQLite, and the disk under it."""
    if not path.exists():
        yield Finding("warn", "file", f"{path} does not exist yet", "the first command that writes makes it")
        return
    found = path.stat()
    if found.st_mode & (stat.S_IWOTH | stat.S_IWGRP):
        yield Finding("warn", "file", f"{path} is writable by others: each of them is an admin", f"chmod 600 {path}")
    else:
        yield Finding("ok", "file", f"{path}, {found.st_size} bytes")
    free = shutil.disk_usage(path.parent).free
    verdict: Verdict = "ok" if free > _ROOM_BYTES else "warn"
    yield Finding(verdict, "disk", f"{free // 1024**2} MB free", "" if verdict == "ok" else "make room: a full disk")


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= _SOUND_SQLITE:
        return Finding("ok", "sqlite", f"{version}, Python's own")
    return Finding(
        "warn",
        "sqlite",
        f"{version}, Python's own; before 3.51.3 two checkpoints at once may damage a log",
        "only the keeper makes checkpoints here, so nothing has to be done",
    )


def _latches(home: Path) -> Finding:
    try:
        existing = next(folder for folder in (home, *home.parents) if folder.exists())
    except OSError as error:
        return Finding("fail", "latches", f"{home} cannot be reached: {error.strerror}", _READABLE.format(home.parent))
    if existing == home and not os.access(home, os.R_OK | os.X_OK):
        return Finding("fail", "latches", f"{home} cannot be read: gates stop everything", _READABLE.format(home))
    if existing == home and home.stat().st_mode & stat.S_IWOTH:
        word = f"{home} is world-writable: anyone could stop or un-stop"
        return Finding("fail", "latches", word, f"chmod o-w {home}")
    if not os.access(existing, os.W_OK):
        return Finding(
            "fail",
            "latches",
            f"{home} cannot be written: a stop has no spool",
            f"make {existing} writable for this user",
        )
    return Finding("ok", "latches", str(home))


def _private(what: str, folder: Path) -> Finding:
    try:
        found = folder.stat()
    except OSError:
        return Finding("ok", what, f"{folder}, made when first needed")
    if found.st_uid not in (os.getuid(), 0) or found.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        return Finding("fail", what, f"{folder} is not private to you", f"chmod 700 {folder}")
    return Finding("ok", what, str(folder))
