"""What both databases have in common: a store of `core.ports` behind an SQLAlchemy engine.

A dialect says how to lock the head, how to wait for news, and what its errors mean; everything else is here once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backends.local import statements
from backends.local.rows import (
    Damaged,
    cursor_of,
    read_anchor,
    read_head,
    read_lease,
    read_rows,
    sample_of,
    worker_of,
)
from backends.local.transaction import SqlTransaction
from core.audit import Row
from core.errors import BackendUnavailable, OpsError, TimedOut
from core.ports import Cursor, Head, Lease, Sample, Transaction, WorkerRow
from opsgate.hold import timestamp


class SqlStore(ABC):
    """A database behind an SQLAlchemy engine; a dialect fills in what differs."""

    _engine: Engine

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.begun = False
        """Whether it was this process that began the fleet, in what had been empty."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it is, without secrets."""

    @contextmanager
    def write(self, *, timeout_s: float) -> Iterator[Transaction]:
        """An exclusive transaction; commits at the end of the block, rolls back when it raises."""
        self._find()
        with self._explained(), self._within(timeout_s), self._engine.connect() as connection:
            self._begin_exclusive(connection, timeout_s)
            with connection.begin():
                transaction = SqlTransaction(connection, self._locked_head(connection), self._announce)
                yield transaction
                transaction.flush()
        self._require_unmoved()

    def head(self) -> Head:
        """The head, read without a lock."""
        with self._reading() as connection:
            return read_head(connection)

    def load_checkpoint(self, *, at_most: int | None = None) -> tuple[int, str, str, str] | None:
        """``(revision, chain, state, digest)`` of the last checkpoint, at a revision of at most ``at_most``."""
        with self._reading() as connection:
            if at_most is None:
                found = connection.execute(statements.CHECKPOINT).first()
            else:
                found = connection.execute(statements.CHECKPOINT_AT_MOST, {"of_revision": at_most}).first()
        return None if found is None else (found.revision, found.chain, found.state, found.digest)

    def anchor(self) -> tuple[int, str]:
        """``(revision, chain)`` behind which the journal begins."""
        with self._reading() as connection:
            return read_anchor(connection)

    def rows(self, after: int, limit: int = 1000) -> Sequence[Row]:
        """Journal rows, oldest first, read without a lock."""
        with self._reading() as connection:
            return read_rows(connection, after, limit)

    def revision_at(self, moment: datetime) -> int:
        """The revision of the last event recorded at or before a time; 0 when none was, or none that is kept."""
        with self._reading() as connection:
            return connection.execute(statements.LAST_AT, {"of_at": timestamp(moment)}).scalar() or 0

    def workers(self) -> Sequence[WorkerRow]:
        """What all workers last said."""
        with self._reading() as connection:
            return [worker_of(row) for row in connection.execute(statements.WORKERS)]

    def usage(self, limit: str, since_s: float) -> Sequence[tuple[float, int]]:
        """``(at_s, cost)`` of the reservations of one limit after a time, oldest first."""
        with self._reading() as connection:
            found = connection.execute(statements.USAGE, {"of_limit": limit, "of_since": since_s})
            return [(row.at_s, row.cost) for row in found]

    def lease(self, name: str) -> Lease | None:
        """Who holds a role, whether or not it has run out."""
        with self._reading() as connection:
            return read_lease(connection, name)

    def cursors(self) -> Sequence[Cursor]:
        """How far each sink has been told, by name."""
        with self._reading() as connection:
            return [cursor_of(row) for row in connection.execute(statements.CURSORS)]

    def samples(self, metric: str, since_s: float) -> Sequence[Sample]:
        """The readings of one metric after a time, oldest first."""
        with self._reading() as connection:
            found = connection.execute(statements.SAMPLES, {"of_metric": metric, "of_since": since_s})
            return [sample_of(row) for row in found]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._find()
        with self._explained(), self._within(self._timeout_s), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the driver raises into a sentence with the next step."""
        try:
            yield
        except PoolTimeout as error:
            raise TimedOut("database-busy", f"{self.url} is busy: all connections are in use", "try again") from error
        except DBAPIError as error:
            raise self._fault(error) from error
        except Damaged as error:
            raise BackendUnavailable(
                "database-corrupt",
                f"{self.url} is damaged: {error}",
                "keep a copy and restore a backup, nothing will be released by that;"
                " stops still work: opsconsole stop --local",
            ) from error

    def _within(self, timeout_s: float) -> AbstractContextManager[None]:
        """Give what is asked of the database inside the block a deadline, where it can be late."""
        return nullcontext()

    @abstractmethod
    def _begin_exclusive(self, connection: Connection, timeout_s: float) -> None:
        """Prepare a connection so that its transaction waits for the lock at most ``timeout_s``."""

    @abstractmethod
    def _locked_head(self, connection: Connection) -> Head:
        """The head, locked against every other writer."""

    @abstractmethod
    def _announce(self, connection: Connection) -> None:
        """Tell other processes, in the transaction."""

    @abstractmethod
    def _find(self) -> None:
        """Make sure that what was opened is what is there, before it is used."""

    @abstractmethod
    def _require_unmoved(self) -> None:
        """Refuse to acknowledge a commit to what is not there any more."""

    @abstractmethod
    def _fault(self, error: DBAPIError) -> OpsError:
        """What an error means, and what to do next."""
