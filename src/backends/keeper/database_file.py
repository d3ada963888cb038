"""The file of an embedded database, which may be replaced or removed under a process that has it open."""

from __future__ import annotations

from pathlib import Path

from opsgate.paths import sqlite_path, state_home


class DatabaseFile:
    """Whether the file that holds an SQLite database is still the one that was there at the start."""

    def __init__(self, url: str) -> None:
        self._path: Path | None = sqlite_path(url) if url.startswith("sqlite:") else None
        self._first = self._node()
        self._missing_since_s: float | None = None

    @property
    def place(self) -> Path:
        """A folder on the disk that it lies on; that of this user's state, where it is no file."""
        return self._path.parent if self._path is not None else state_home()

    def was_replaced(self) -> bool:
        """Whether another file lies there."""
        return self._path is not None and self._node() not in (None, self._first)

    def missing_for_s(self, now_s: float) -> float:
        """For how many seconds there has been no file; 0 where there is one."""
        if self._path is None or self._node() is not None:
            self._missing_since_s = None
            return 0.0
        if self._missing_since_s is None:
            self._missing_since_s = now_s
        return max(0.001, now_s - self._missing_since_s)

    def _node(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return (found.st_dev, found.st_ino) if found is not None else None
