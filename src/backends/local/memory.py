"""A store that ends with its process: for specifications, and to look at the console without a file.

It keeps every promise but durability. A transaction works on a copy that replaces the original when it commits.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from backends.local.keeping import superseded
from core.audit import GENESIS, Row
from core.engine import WorkerFact
from core.errors import BackendUnavailable
from core.policy import GateChange
from core.ports import SAMPLES_READ_MAX, Cursor, Head, Known, Lease, Transaction, WorkerRow
from core.triggers.sample import Sample
from opsgate.hold import timestamp

Usage = tuple[str, str, float, int]
"""Reservation id, limit, when in seconds, cost."""


@dataclass
class MemoryTransaction:
    """All data, and what a transaction may do with them."""

    now: Head
    journal: list[Row] = field(default_factory=list)
    begins_behind: tuple[int, str] = (0, GENESIS)
    checkpoints: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    receipts: dict[str, tuple[Known, datetime]] = field(default_factory=dict)
    workers: dict[str, WorkerRow] = field(default_factory=dict)
    used: list[Usage] = field(default_factory=list)
    leases: dict[str, Lease] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    read: list[Sample] = field(default_factory=list)

    def copy(self) -> MemoryTransaction:
        """What a transaction may change without anybody seeing it."""
        return MemoryTransaction(
            self.now,
            list(self.journal),
            self.begins_behind,
            dict(self.checkpoints),
            dict(self.receipts),
            dict(self.workers),
            list(self.used),
            dict(self.leases),
            dict(self.cursors),
            list(self.read),
        )

    def head(self) -> Head:
        """The head."""
        return self.now

    def rows(self, after: int, limit: int = 100_000) -> Sequence[Row]:
        """Journal rows behind a revision, oldest first."""
        start = max(0, after - self.begins_behind[0])
        return self.journal[start : start + limit]

    def expect(self, command_ids: Sequence[str]) -> None:
        """All of them are here."""

    def receipt(self, command_id: str) -> Known | None:
        """What is known of a command carried out before."""
        known = self.receipts.get(command_id)
        return None if known is None else known[0]

    def append(self, rows: Sequence[Row], change: GateChange, names_revision: int) -> None:
        """Append sealed events and the head; no gate reads this memory."""
        self.journal.extend(rows)
        self.now = replace(self.now, revision=rows[-1].revision, chain=rows[-1].chain, names_revision=names_revision)

    def remember(self, command_id: str, known: Known, at: datetime) -> None:
        """Store the answer to a command."""
        self.receipts[command_id] = (known, at)

    def live_workers(self, since: datetime) -> Sequence[WorkerFact]:
        """What a decision needs of the workers heard of after ``since`` that have not left."""
        return [row.fact() for row in self.workers.values() if row.heartbeat_at > since and row.state == "live"]

    def put_workers(self, rows: Iterable[WorkerRow]) -> None:
        """Store what workers last said."""
        self.workers.update((row.worker_id, row) for row in rows)

    def drop_workers(self, worker_ids: Iterable[str]) -> None:
        """Forget what workers said."""
        for worker_id in worker_ids:
            self.workers.pop(worker_id, None)

    def usage(self, limit: str, since_s: float) -> Sequence[tuple[str, float, int]]:
        """``(reservation_id, at_s, cost)`` of one limit, oldest first."""
        wanted = (row for row in self.used if row[1] == limit and row[2] > since_s)
        return sorted(((row[0], row[2], row[3]) for row in wanted), key=lambda row: row[1])

    def put_usage(self, limit: str, reservation_id: str, at_s: float, cost: int) -> None:
        """Store one reservation."""
        self.used.append((reservation_id, limit, at_s, cost))

    def keep_usage(self, reservation_id: str, cost: int) -> int:
        """Have a reservation count no more than ``cost``. Returns 1 where it counted more, else 0."""
        for place, (known_id, limit, at_s, units) in enumerate(self.used):
            if known_id == reservation_id and units > cost:
                self.used[place] = (known_id, limit, at_s, cost)
                return 1
        return 0

    def drop_usage(
        self, *, reservation_id: str | None = None, limit: str | None = None, before_s: float | None = None
    ) -> int:
        """Remove reservations: one by id, all of a limit, or those of a limit older than a time. Returns how many."""

        def goes(row: Usage) -> bool:
            named = row[0] == reservation_id if reservation_id is not None else row[1] == limit
            return named and (before_s is None or row[2] < before_s)

        kept = [row for row in self.used if not goes(row)]
        gone = len(self.used) - len(kept)
        self.used = kept
        return gone

    def put_checkpoint(self, revision: int, chain: str, state: str, digest: str) -> None:
        """Store a fold; older ones than the last few go, but never the one at the anchor."""
        self.checkpoints[revision] = (chain, state, digest)
        for old in superseded(self.checkpoints, self.begins_behind[0]):
            del self.checkpoints[old]

    def erase(self, revisions: Sequence[int], command_ids: Iterable[str], account: str) -> None:
        """Take away what is about an account; a fold without it has to be put next."""
        gone = frozenset(revisions)
        self.journal[:] = [replace(row, salt="", body="") if row.revision in gone else row for row in self.journal]
        for command_id in command_ids:
            if command_id in self.receipts:
                known, at = self.receipts[command_id]
                erased = known._replace(fingerprint="erased", receipt='{"revision":0,"changed":true}')
                self.receipts[command_id] = (erased, at)
        self.read[:] = [sample for sample in self.read if sample.account != account]
        self.checkpoints.clear()

    def drop_journal(self, through: int) -> None:
        """Retention: drop events up to a revision and keep their last chain hash as the anchor."""
        gone = through - self.begins_behind[0]
        self.begins_behind = (through, self.journal[gone - 1].chain)
        del self.journal[:gone]

    def drop_receipts(self, before: datetime) -> None:
        """Retention: forget the answers to commands older than this."""
        self.receipts = {key: known for key, known in self.receipts.items() if known[1] >= before}

    def lease(self, name: str) -> Lease | None:
        """Who holds a role, whether or not it has run out."""
        return self.leases.get(name)

    def put_lease(self, lease: Lease) -> None:
        """Store who holds a role."""
        self.leases[lease.name] = lease

    def sign_in(self, program: str, at: datetime) -> None:
        """Its schema goes with its programs."""

    def sign_out(self, program: str) -> None:
        """The same."""

    def cursor(self, name: str) -> Cursor | None:
        """How far a sink has been told; None for one that has not begun."""
        return self.cursors.get(name)

    def advance(self, cursor: Cursor, expected: int | None) -> bool:
        """Store how far a sink has been told, if it had been told up to ``expected``, None: nothing yet; else False."""
        known = self.cursors.get(cursor.name)
        if expected != (None if known is None else known.revision):
            return False
        self.cursors[cursor.name] = cursor
        return True

    def put_samples(self, samples: Iterable[Sample]) -> None:
        """Store readings."""
        self.read.extend(samples)

    def drop_samples(self, before_s: float) -> int:
        """Retention: forget readings older than this. Returns how many."""
        kept = [sample for sample in self.read if sample.at_s >= before_s]
        gone = len(self.read) - len(kept)
        self.read = kept
        return gone


class Memory:
    """What several stores share: the data, the lock of whoever writes, and whom to wake."""

    def __init__(self, fleet: str) -> None:
        self.data = MemoryTransaction(Head(fleet, 0, GENESIS, 0))
        self.commits = 0
        self.writing = threading.Lock()
        self.waiting: set[threading.Event] = set()


class MemoryStore:
    """A store of `core.ports` in memory. Thread-safe; stores on the same `Memory` are like processes on one file."""

    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Memory(f"f-{uuid.uuid4().hex[:12]}")
        self._seen_commits = -1
        self._woken = threading.Event()
        self._memory.waiting.add(self._woken)

    @property
    def url(self) -> str:
        """What stands for where it is."""
        return "memory://"

    @contextmanager
    def write(self, *, timeout_s: float) -> Iterator[Transaction]:
        """An exclusive transaction; commits at the end of the block, rolls back when it raises."""
        if not self._memory.writing.acquire(timeout=max(0.0, timeout_s)):
            raise BackendUnavailable("database-locked", "the store is locked by another thread", "try again")
        try:
            staged = self._data.copy()
            yield staged
            self._memory.data = staged
            self._memory.commits += 1
        finally:
            self._memory.writing.release()
        for woken in tuple(self._memory.waiting):
            woken.set()

    def head(self) -> Head:
        """The head, read without a lock."""
        return self._data.now

    def version(self) -> int:
        """How much was committed."""
        return self._memory.commits

    def moved(self) -> bool:
        """Whether anything was committed since the last call."""
        known, self._seen_commits = self._seen_commits, self._memory.commits
        return self._seen_commits != known

    def wait(self, timeout_s: float) -> None:
        """Return when something was committed, or at the latest after ``timeout_s``."""
        if self._woken.wait(timeout_s):
            self._woken.clear()

    def wake(self) -> None:
        """End a wait."""
        self._woken.set()

    def load_checkpoint(self, *, at_most: int | None = None) -> tuple[int, str, str, str] | None:
        """``(revision, chain, state, digest)`` of the last checkpoint, at a revision of at most ``at_most``."""
        data = self._data
        fitting = [revision for revision in data.checkpoints if at_most is None or revision <= at_most]
        return (max(fitting), *data.checkpoints[max(fitting)]) if fitting else None

    def anchor(self) -> tuple[int, str]:
        """``(revision, chain)`` behind which the journal begins."""
        return self._data.begins_behind

    def rows(self, after: int, limit: int = 1000) -> Sequence[Row]:
        """Journal rows, oldest first."""
        return self._data.rows(after, limit)

    def revision_at(self, moment: datetime) -> int:
        """The revision of the last event recorded at or before a time; 0 when none was, or none that is kept."""
        text = timestamp(moment)
        return next((row.revision for row in reversed(self._data.journal) if row.at <= text), 0)

    def workers(self) -> Sequence[WorkerRow]:
        """What all workers last said."""
        return list(self._data.workers.values())

    def usage(self, limit: str, since_s: float) -> Sequence[tuple[float, int]]:
        """``(at_s, cost)`` of the reservations of one limit after a time, oldest first."""
        return [(at_s, cost) for _, at_s, cost in self._data.usage(limit, since_s)]

    def lease(self, name: str) -> Lease | None:
        """Who holds a role, whether or not it has run out."""
        return self._data.lease(name)

    def cursors(self) -> Sequence[Cursor]:
        """How far each sink has been told, by name."""
        return [cursor for _, cursor in sorted(self._data.cursors.items())]

    def samples(self, metric: str, since_s: float, most: int = SAMPLES_READ_MAX) -> Sequence[Sample]:
        """The latest readings of one metric after a time, at most so many, oldest first."""
        found = (sample for sample in self._data.read if sample.metric == metric and sample.at_s > since_s)
        return sorted(found, key=lambda sample: sample.at_s)[-most:]

    def samples_floor(self, most: int) -> float:
        """The time before which there is nothing but what is over the latest ``most`` readings; 0 where there are
        fewer."""
        times = sorted((sample.at_s for sample in self._data.read), reverse=True)
        return times[most] if len(times) > most else 0.0

    def close(self) -> None:
        """Be woken no more; the data go with the last store."""
        self._memory.waiting.discard(self._woken)

    @property
    def _data(self) -> MemoryTransaction:
        return self._memory.data
