"""Is the database file still the one that was opened?

An unlinked file goes on accepting rows that vanish with it, without any error (measured). So before anything is
acknowledged the path is looked up again and compared by device and inode. The file itself is never opened here: closing
it would drop the locks that SQLite holds on it in this process.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import BackendUnavailable


@dataclass(frozen=True, slots=True)
class Identity:
    """The database file and its write-ahead log (None where there is none), each as (device, inode)."""

    path: Path
    file: tuple[int, int] | None
    log: tuple[int, int] | None

    @classmethod
    def of(cls, path: Path) -> Identity:
        """What lies at ``path`` now."""
        return cls(path, _node(path), _node(path.with_name(f"{path.name}-wal")))

    def is_replaced(self) -> bool:
        """Whether another file lies at the path now."""
        now = _node(self.path)
        return now is not None and now != self.file

    def require_same(self) -> None:
        """Raise `BackendUnavailable` where the path leads to something else than it did, or to nothing."""
        now = Identity.of(self.path)
        if now.file is None:
            what = f"the database file {self.path} was removed"
        elif now.file != self.file:
            what = f"the database file {self.path} was replaced by another"
        elif self.log is not None and now.log != self.log:
            what = f"the write-ahead log of {self.path} was removed or replaced"
        else:
            return
        raise BackendUnavailable(
            "database-gone",
            f"{what} while it was in use; nothing was recorded",
            "put the file back, or start again on the one that is there; stops still work: opsconsole stop --local",
        )


def _node(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_nlink else None
