"""What both databases have in common: a store of `core.ports` behind an SQLAlchemy engine.

A dialect says how to lock the head, how to wait for news, and what its errors mean; everything else is here once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backends.local import resealing, statements
from backends.local.line import Line
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
from backends.local.vault import Vault
from core.audit import Row
from core.errors import BackendUnavailable, OpsError, TimedOut
from core.ports import SAMPLES_READ_MAX, Cursor, Head, Lease, Transaction, WorkerRow
from core.triggers.sample import Sample
from opsgate.hold import timestamp


class SqlStore(ABC):
    """A database behind an SQLAlchemy engine; a dialect fills in what differs."""

    _engine: Engine

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.vault = Vault()
        """What seals and opens bodies; nothing is sealed until there are keys."""
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
        with self._explained(), self._within(timeout_s), self._writing(timeout_s) as line:
            transaction = SqlTransaction(line, self._locked_head(line), self._announce, self.vault)
            yield transaction
            transaction.flush()
        self._require_unmoved()

    def head(self) -> Head:
        """The head, read without a lock."""
        with self._asked() as line:
            return read_head(line)

    def load_checkpoint(self, *, at_most: int | None = None) -> tuple[int, str, str, str] | None:
        """``(revision, chain, state, digest)`` of the last checkpoint, at a revision of at most ``at_most``."""
        with self._asked() as line:
            if at_most is None:
                found = line.ask(statements.CHECKPOINT)
            else:
                found = line.ask(statements.CHECKPOINT_AT_MOST, {"of_revision": at_most})
        out = self.vault.text_out
        return next(((revision, chain, out(state), digest) for revision, chain, state, digest in found), None)

    def anchor(self) -> tuple[int, str]:
        """``(revision, chain)`` behind which the journal begins."""
        with self._asked() as line:
            return read_anchor(line)

    def rows(self, after: int, limit: int = 1000) -> Sequence[Row]:
        """Journal rows, oldest first, read without a lock."""
        with self._asked() as line:
            found = read_rows(line, after, limit)
        return [self.vault.row_out(row) for row in found]

    def revision_at(self, moment: datetime) -> int:
        """The revision of the last event recorded at or before a time; 0 when none was, or none that is kept."""
        with self._asked() as line:
            return next((revision for (revision,) in line.ask(statements.LAST_AT, {"of_at": timestamp(moment)})), 0)

    def workers(self) -> Sequence[WorkerRow]:
        """What all workers last said."""
        with self._asked() as line:
            return [worker_of(row) for row in line.ask(statements.WORKERS)]

    def usage(self, limit: str, since_s: float) -> Sequence[tuple[float, int]]:
        """``(at_s, cost)`` of the reservations of one limit after a time, oldest first."""
        with self._asked() as line:
            found = line.ask(statements.USAGE, {"of_limit": limit, "of_since": since_s})
        return [(at_s, cost) for _, at_s, cost in found]

    def lease(self, name: str) -> Lease | None:
        """Who holds a role, whether or not it has run out."""
        with self._asked() as line:
            return read_lease(line, name)

    @contextmanager
    def _asked(self) -> Iterator[Line]:
        """A line for whoever only reads."""
        self._find()
        with self._explained(), self._within(self._timeout_s), self._listening() as line:
            yield line

    def cursors(self) -> Sequence[Cursor]:
        """How far each sink has been told, by name."""
        with self._asked() as line:
            return [cursor_of(row) for row in line.ask(statements.CURSORS)]

    def samples(self, metric: str, since_s: float, most: int = SAMPLES_READ_MAX) -> Sequence[Sample]:
        """The latest readings of one metric after a time, at most so many, oldest first."""
        with self._asked() as line:
            found = line.ask(statements.SAMPLES, {"of_metric": metric, "of_since": since_s, "of_most": most})
        return [self.vault.sample_out(sample_of(row)) for row in reversed(list(found))]

    def samples_floor(self, most: int) -> float:
        """The time before which there is nothing but what is over the latest ``most`` readings; 0 where there are
        fewer."""
        with self._asked() as line:
            return next((at_s for (at_s,) in line.ask(statements.SAMPLES_FLOOR, {"of_most": most})), 0.0)

    def reseal(self, table: str, after: Any, at_most: int, *, timeout_s: float) -> tuple[int, Any]:
        """Seal some rows of a table by the present key, as `backends.local.resealing.reseal` does."""
        with self._changing(timeout_s) as line:
            return resealing.reseal(line, self.vault, table, after, at_most)

    def reseal_samples(self, at_most: int, *, timeout_s: float) -> int:
        """The same for readings."""
        with self._changing(timeout_s) as line:
            return resealing.reseal_samples(line, self.vault, at_most)

    def key_ids(self) -> set[str]:
        """The ids of the keys that bodies, folds and answers are sealed by; "" stands for what lies in the open."""
        with self._asked() as line:
            return resealing.key_ids(line)

    @contextmanager
    def _changing(self, timeout_s: float) -> Iterator[Line]:
        """A line of the only one who writes, that changes how something is stored and not what."""
        self._find()
        with self._explained(), self._within(timeout_s), self._writing(timeout_s) as line:
            self._locked_head(line)
            yield line
        self._require_unmoved()

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
    def _listening(self) -> AbstractContextManager[Line]:
        """A line that reads what is committed."""

    @abstractmethod
    def _writing(self, timeout_s: float) -> AbstractContextManager[Line]:
        """A transaction that waits for the lock at most ``timeout_s``; commits at the end, rolls back where the block
        raises."""

    @abstractmethod
    def _locked_head(self, line: Line) -> Head:
        """The head, locked against every other writer."""

    @abstractmethod
    def _announce(self, line: Line) -> None:
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
