"""Where the state is read from: the versioned tables of an SQLite database, through Python's own library, read-only.

The one connection stays open in the thread that reads. Nothing else here ever opens the file, because closing any
other descriptor of it would drop the database's locks for the whole process.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from opsgate.hold import HALT, Hold
from opsgate.selector import Selector, SelectorError
from opsgate.snapshot import FORMAT, Notice, Snapshot

if TYPE_CHECKING:
    import sqlite3

_log = logging.getLogger("opsgate")

_LOCKED_FOR_S: Final = 0.5
"""Seconds to wait for a locked database; the state at hand serves meanwhile."""


class SourceError(Exception):
    """The state could not be read: a sentence with the next step. The worker goes on with what it knew."""


class SqliteSource:
    """The gate tables of one database file. For use by one thread; never writes."""

    def __init__(self, path: Path) -> None:
        """``path`` of the file, which need not exist yet."""
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._parsed: dict[str, tuple[str, Hold | None]] = {}

    def read(self, known: Snapshot | None = None) -> Snapshot:
        """The state now; ``known`` itself where nothing has moved since.

        Raises `SourceError` when the file is missing, locked, damaged, replaced by something else or of a format that
        this version does not read.
        """
        import sqlite3

        try:
            try:
                return self._read(known)
            except sqlite3.OperationalError:
                if not self._is_frozen():
                    raise
                return self._read_frozen(known)
        except sqlite3.OperationalError as error:
            self.close()
            raise SourceError(self._explained(str(error))) from error
        except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
            self.close()
            raise SourceError(
                f"{self.path} is damaged ({error}): put a copy back, or look at it with doctor"
            ) from error

    def close(self) -> None:
        """Let the file go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _is_frozen(self) -> bool:
        """Whether nobody can be writing: the folder lets us make no lock file, and no write-ahead log waits."""
        log = self.path.with_name(f"{self.path.name}-wal")
        return not os.access(self.path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)

    def _read_frozen(self, known: Snapshot | None) -> Snapshot:
        """Read a database on read-only ground, which SQLite opens only if told that it cannot change meanwhile."""
        self.close()
        try:
            return self._read(known, "&immutable=1")
        finally:
            self.close()

    def _read(self, known: Snapshot | None, options: str = "") -> Snapshot:
        connection = self._connected(options)
        connection.execute("BEGIN")
        try:
            head = connection.execute(
                "SELECT format, fleet, revision, names_revision FROM gate_head WHERE id = 1"
            ).fetchone()
            if head is None:
                raise SourceError(f"{self.path} holds no fleet yet: start the console or 'serve' on it once")
            written_in, fleet, revision, names_revision = head
            if abs(int(written_in) - FORMAT) > 1:
                raise SourceError(
                    f"{self.path} is of format {written_in} and this opsgate reads {FORMAT}, one back and one forth: "
                    "bring both to the same version"
                )
            if known and (known.fleet, known.revision, known.names_revision) == (fleet, revision, names_revision):
                return known
            names = known.names if known and (known.fleet, known.names_revision) == (fleet, names_revision) else None
            return Snapshot(
                fleet=str(fleet),
                revision=int(revision),
                holds=self._holds(connection),
                stops=_stops(connection),
                names=_names(connection) if names is None else names,
                names_revision=int(names_revision),
            )
        finally:
            connection.execute("ROLLBACK")

    def _holds(self, connection: sqlite3.Connection) -> tuple[Hold, ...]:
        """Every hold; those whose text has not changed since the last reading are not parsed again."""
        before, self._parsed = self._parsed, {}
        for hold_id, text in connection.execute("SELECT hold_id, document FROM gate_hold"):
            earlier = before.get(hold_id)
            self._parsed[hold_id] = earlier if earlier and earlier[0] == text else (text, _hold(hold_id, text))
        return tuple(hold for _, hold in self._parsed.values() if hold is not None)

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
            found = os.stat(self.path)  # noqa: PTH116 (no Path object per poll)
        except FileNotFoundError:
            self.close()
            raise SourceError(f"{self.path} does not exist: is the URL right, and has the console made it?") from None
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


def _hold(hold_id: str, text: str) -> Hold | None:
    """The hold of one row. One that cannot be read holds everything, for somebody placed it to hold something; one on
    a dimension of a later version is none of ours, because no work of ours has that dimension."""
    try:
        return Hold.from_dict(json.loads(text))
    except SelectorError:
        _log.warning("hold %s is on a dimension this version does not know, so it covers no work here", hold_id)
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        _log.error("hold %s cannot be read (%s), so it holds everything: release it and place it again", hold_id, error)
        return Hold(hold_id, Selector(), "safety", "opsgate", reason="a hold that cannot be read", mode=HALT)


def _stops(connection: sqlite3.Connection) -> tuple[Notice, ...]:
    rows = connection.execute("SELECT stop_id, document FROM gate_stop ORDER BY stop_id")
    return tuple(Notice.from_dict({"stop_id": stop_id, **json.loads(text)}) for stop_id, text in rows)


def _names(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
    names: dict[str, set[str]] = {}
    for dimension, name in connection.execute("SELECT dimension, name FROM gate_name"):
        names.setdefault(dimension, set()).add(name)
    return {dimension: frozenset(values) for dimension, values in names.items()}
