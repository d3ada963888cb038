"""Where the state is read from: here one SQLite database, through Python's own library, read-only.

The one connection stays open in the thread that reads. Nothing else here ever opens the file, because closing any
other descriptor of it would drop the database's locks for the whole process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from urllib.parse import quote

from opsgate.snapshot import Snapshot
from opsgate.tables import (
    ChannelRow,
    NotReadable,
    Parsed,
    StopRow,
    WorkerRow,
    read_failing,
    read_snapshot,
    read_stops,
    read_workers,
)

if TYPE_CHECKING:
    import sqlite3

_T = TypeVar("_T")

_LOCKED_FOR_S: Final = 0.5
"""Seconds to wait for a locked database; the state at hand serves meanwhile."""


class SourceError(Exception):
    """The state could not be read: a sentence with the next step. The worker goes on with what it knew."""

    lasting = False
    """Whether it stays so until a person does something about it."""


class Source(Protocol):
    """What a gate reads the fleet's state from. For use by one thread."""

    age_s: float
    """How old what was read last was by then."""
    waits: bool
    """Whether the last answer was kept until something happened, so that one may ask again at once."""

    def read(self, known: Snapshot | None = None) -> Snapshot:
        """The state now; ``known`` itself where nothing has moved since. Raises `SourceError`."""

    def close(self) -> None:
        """Let it go."""


class SqliteSource:
    """The gate tables of one database file. For use by one thread; never writes.

    Every method raises `SourceError` when the file is missing, locked, damaged, no database of ours, or of a format
    that this version does not read.
    """

    age_s, waits = 0.0, False

    def __init__(self, path: Path) -> None:
        """``path`` of the file, which need not exist yet."""
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._parsed: Parsed = {}

    def read(self, known: Snapshot | None = None) -> Snapshot:
        """The state now; ``known`` itself where nothing has moved since."""
        return self._within(lambda connection: read_snapshot(connection, known, self._parsed))

    def survey(self) -> tuple[Snapshot, tuple[StopRow, ...], tuple[WorkerRow, ...], tuple[ChannelRow, ...]]:
        """The state, the stops, the workers and the channels that fail, all of one moment."""
        return self._within(
            lambda c: (read_snapshot(c, None, self._parsed), read_stops(c), read_workers(c), read_failing(c))
        )

    def close(self) -> None:
        """Let the file go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _within(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        """Read inside one transaction, so that all of it is of one moment."""
        import sqlite3

        try:
            try:
                return self._read(read)
            except sqlite3.OperationalError:
                if not self._is_frozen():
                    raise
                return self._read_frozen(read)
        except NotReadable as error:
            raise SourceError(f"{self.path} {error}") from error
        except sqlite3.OperationalError as error:
            self.close()
            raise SourceError(self._explained(str(error))) from error
        except (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError) as error:
            self.close()
            raise SourceError(
                f"{self.path} is damaged ({error}): put a copy back, or look at it with 'opsconsole doctor'"
            ) from error

    def _read(self, read: Callable[[sqlite3.Connection], _T], options: str = "") -> _T:
        connection = self._connected(options)
        connection.execute("BEGIN")
        try:
            return read(connection)
        finally:
            connection.execute("ROLLBACK")

    def _is_frozen(self) -> bool:
        """Whether nobody can be writing: the folder lets us make no lock file, and no write-ahead log waits."""
        log = self.path.with_name(f"{self.path.name}-wal")
        return not os.access(self.path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)

    def _read_frozen(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        """Read a database on read-only ground, which SQLite opens only if told that it cannot change meanwhile."""
        self.close()
        try:
            return self._read(read, "&immutable=1")
        finally:
            self.close()

    def _connected(self, options: str) -> sqlite3.Connection:
        """The open connection, to the file that has this name now: an unlinked one would be read happily for ever."""
        import sqlite3

        identity = self._identity_now()
        if self._connection is not None and identity != self._identity:
            self.close()
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{quote(str(self.path))}?mode=ro{options}", uri=True, isolation_level=None, timeout=_LOCKED_FOR_S
            )
            self._connection.execute("PRAGMA trusted_schema = OFF")
            self._identity = identity
            if self._identity_now() != identity:
                self.close()
                raise SourceError(f"{self.path} is being replaced: trying again")
        return self._connection

    def _identity_now(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self.close()
            raise SourceError(
                f"{self.path} does not exist: is the URL right? The console makes it, or 'opsconsole sites add NAME'"
            ) from None
        except OSError as error:
            self.close()
            raise SourceError(f"{self.path} cannot be reached: {error.strerror}") from error
        return found.st_dev, found.st_ino

    def _explained(self, error: str) -> str:
        if "no such table" in error or "no such column" in error:
            return f"{self.path} is not a database of ours ({error}): is the URL right?"
        if "locked" in error or "busy" in error:
            return f"{self.path} is locked by another program: trying again"
        return f"{self.path} cannot be read ({error}): look at its permissions and those of its folder"
