"""Is the database file still the one that was opened?

An unlinked file goes on accepting rows that vanish with it, without any error (measured). So before anything is
acknowledged the path is looked up again and compared by device and inode. The file itself is never opened here: closing
it would drop the locks that SQLite holds on it in this process.
"""

from __future__ import annotations

from pathlib import Path

from core.errors import BackendUnavailable

Node = tuple[int, int]
"""Device and inode."""


class Identity:
    """The database file and its write-ahead log, as they were when this was made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log_path = path.with_name(f"{path.name}-wal")
        self._file, self._log = _node(path), _node(self._log_path)

    def is_same(self) -> bool:
        """Whether the path leads to what it did, with as few questions as that takes: it is asked for each commit."""
        return (
            self._file is not None
            and _node(self._path) == self._file
            and (self._log is None or _node(self._log_path) == self._log)
        )

    def is_replaced(self) -> bool:
        """Whether another file lies at the path now."""
        now = _node(self._path)
        return now is not None and now != self._file

    def require_same(self) -> None:
        """Raise `BackendUnavailable` where the path leads to something else than it did, or to nothing."""
        now = _node(self._path)
        if now is None:
            what = f"the database file {self._path} was removed"
        elif now != self._file:
            what = f"the database file {self._path} was replaced by another"
        elif self._log is not None and _node(self._log_path) != self._log:
            what = f"the write-ahead log of {self._path} was removed or replaced"
        else:
            return
        raise BackendUnavailable(
            "database-gone",
            f"{what} while it was in use; nothing was recorded",
            "put the file back, or start again on the one that is there; stops still work: opsconsole stop --local",
        )


def _node(path: Path) -> Node | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_nlink else None
