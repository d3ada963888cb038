"""What the engine's callers need of the world, as small synchronous protocols. Every call has a deadline in seconds.

`Backend` is what the faces see; `Store` is what a database must do for the runtime. Both have one contract suite that
runs over every implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple, Protocol

from core.audit import Fault, Row
from core.authority import Identity
from core.capabilities.rate_limits import Grant
from core.engine import WorkerFact
from core.messages import Envelope, Receipt, Recorded
from core.policy import GateChange
from core.state import State
from core.triggers.sample import Sample

SAMPLES_READ_MAX: Final = 100_000
"""Readings that one question answers at most."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the journal. ``chain`` is the hash of the last event."""

    fleet: str
    revision: int
    chain: str
    names_revision: int


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """What a worker last said, and when. ``state``: live, or left when it ended on purpose."""

    worker_id: str
    env: str
    scope: dict[str, list[str]]
    pid: int
    started: str
    registered_at: datetime
    heartbeat_at: datetime
    revision: int
    stops: tuple[str, ...]
    draining: dict[str, int]
    in_flight: int
    state: str = "live"
    boots: str = field(default="", repr=False)
    """What servers keep of its starts, for each other alone."""

    def has_stopped(self, stop_id: str, since: int = 0) -> bool:
        """Whether it acknowledged this stop, having seen the revision ``since``, and nothing that the stop covers runs
        in it any more."""
        if self.state == "left":
            return True
        return stop_id in self.stops and self.revision >= since and not self.draining.get(stop_id, 0)

    def fact(self) -> WorkerFact:
        """What a decision needs to know of it."""
        scope = tuple((dimension, tuple(values)) for dimension, values in sorted(self.scope.items()))
        return WorkerFact(self.worker_id, self.env, scope, frozenset(filter(self.has_stopped, self.stops)))


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """How much of a limit is used: units inside the window, and units per tenth of the window, oldest first."""

    name: str
    used: int
    history: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """The latest values of a metric that an emergency is about, oldest first: what fired it, or what gates of its
    recovery look at. ``at`` is when the last of them was measured."""

    emergency_id: str
    metric: str
    values: tuple[float, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class AskingClient:
    """An instance of an application that asks for its flags by a protocol of others, when it was last heard of, and how
    often it says that it found one on and off. It is no worker: it acknowledges nothing, and no stop waits for it."""

    app: str
    instance: str
    heard_at: datetime
    found_on: int = 0
    found_off: int = 0


@dataclass(frozen=True, slots=True)
class Observations:
    """What is observed beside the journal, at ``at``: rows, never events. ``keeper`` is whether one is alive,
    ``present`` who else looks at this fleet through the same server now, once for each console, and ``known_as`` whom
    that server takes the one who asks for; None where there is none. ``clients`` are those that it has
    heard of."""

    at: datetime
    workers: tuple[WorkerRow, ...] = ()
    usage: tuple[LimitUsage, ...] = ()
    keeper: bool = False
    present: tuple[str, ...] = ()
    known_as: Identity | None = None
    watched: tuple[Watched, ...] = ()
    clients: tuple[AskingClient, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """New state for whoever follows: ``events`` lead from the state before to this one, and ``chain`` is the hash of
    the last one in it; empty where nobody knows.

    No events with another state mean that it was read anew: compare with what is shown.
    """

    state: State
    events: tuple[Recorded, ...]
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reserved cost, to be refunded under its id if the work never started."""

    reservation_id: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a role (the keeper's loops) until when; ``token`` rises with every holder and fences off the others."""

    name: str
    holder: str
    token: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a sink (a channel of notifications, a webhook) has been told of the journal, and when it was; ``detail``
    says what it answered last, for people."""

    name: str
    revision: int
    at: datetime
    detail: str = ""


Freshness = Literal["initialising", "valid", "interrupted", "off"]
"""How current what is shown can be: not read yet, in contact, out of contact (shown state may be old), closed."""


@dataclass(frozen=True, slots=True)
class Contact:
    """The contact with the engine. ``age_s`` is seconds since it last answered; ``detail`` says what is wrong.

    ``round_trip_s`` is how long an answer took last, None where nothing lies between. ``newer``: it is of a later
    version, and not all that it tells may be shown here."""

    word: Freshness
    age_s: float = 0.0
    detail: str = ""
    round_trip_s: float | None = None
    newer: bool = False


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What verifying the journal found: it was read behind revision ``since`` and holds up to ``revision``. Of the
    bodies, ``sealed`` are encrypted and were not opened, and ``erased`` are gone: the chain covers their digests."""

    since: int
    revision: int
    chain: str
    fault: Fault | None = None
    sealed: int = 0
    erased: int = 0


Listener = Callable[[Arrival], None]


class Backend(Protocol):
    """One fleet, as the console and the command line see it. Thread-safe; raises `core.errors` only."""

    @property
    def url(self) -> str:
        """Where it is, without secrets, for people."""

    def submit(self, envelope: Envelope, *, timeout_s: float = 5.0) -> Receipt:
        """Carry out one command, or say why not. The same ``command_id`` returns the same receipt."""

    def state(self, *, timeout_s: float = 5.0) -> State:
        """The state now: catches up with the database first."""

    def latest(self) -> State:
        """The state as last seen, without asking anybody."""

    def contact(self) -> Contact:
        """How current ``latest`` can be, without asking anybody."""

    def observe(self, *, timeout_s: float = 5.0) -> Observations:
        """What is observed beside the journal, now."""

    def samples(
        self, metric: str, *, last_s: float, most: int = SAMPLES_READ_MAX, timeout_s: float = 5.0
    ) -> Sequence[Sample]:
        """The readings of one metric that were kept in the last ``last_s`` seconds by the engine's clock, the latest
        ``most`` of them, oldest first. Kept is what triggers or gates look at, for a day."""

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` on a thread of the backend's for every change; returns what ends it."""

    def journal(self, *, after: int = 0, limit: int = 1000, timeout_s: float = 5.0) -> Sequence[Row]:
        """Rows of the journal, oldest first."""

    def state_at(self, moment: datetime, *, timeout_s: float = 30.0) -> State:
        """The state at a past time, folded; `CommandRejected` when retention has dropped what it needs."""

    def verify(self, *, timeout_s: float = 60.0) -> ChainReport:
        """Check the chain of the whole journal that retention has kept, and that the head is its end."""

    def reserve(self, limit: str, cost: int = 1, *, lease_s: float = 0.0, timeout_s: float = 5.0) -> Reservation:
        """Reserve ``cost`` units of a limit, atomically over all processes; to be used within ``lease_s`` seconds, from
        the end of which on they count as used for a window."""

    def refund(self, reservation_id: str, *, keep: int = 0, timeout_s: float = 5.0) -> bool:
        """Give a reservation back, or all but ``keep`` units of it; False when there is nothing to give back."""

    def close(self) -> None:
        """End threads and connections."""


class Known(NamedTuple):
    """A command carried out before: what it was, its receipt as JSON, and by which credential it came; empty where that
    is not known, or where it needed none."""

    fingerprint: str
    receipt: str
    sender: str = ""


class Transaction(Protocol):
    """One exclusive transaction: the head row is locked from the start, so no writer comes between read and write."""

    def head(self) -> Head:
        """The locked head."""

    def rows(self, after: int, limit: int = 100_000) -> Sequence[Row]:
        """Journal rows behind a revision, oldest first."""

    def expect(self, command_ids: Sequence[str]) -> None:
        """These commands are about to be asked for: read what is known of them with one question."""

    def receipt(self, command_id: str) -> Known | None:
        """What is known of a command carried out before."""

    def append(self, rows: Sequence[Row], change: GateChange, names_revision: int) -> None:
        """Append sealed events, the gate's changed rows and the head."""

    def remember(self, command_id: str, known: Known, at: datetime) -> None:
        """Store the answer to a command."""

    def live_workers(self, since: datetime) -> Sequence[WorkerFact]:
        """What a decision needs of the workers heard of after ``since`` that have not left."""

    def put_workers(self, rows: Iterable[WorkerRow]) -> None:
        """Store what workers last said."""

    def drop_workers(self, worker_ids: Iterable[str]) -> None:
        """Forget what workers said."""

    def usage(self, limit: str, since_s: float) -> Sequence[tuple[str, float, int]]:
        """``(reservation_id, at_s, cost)`` of one limit, oldest first; locks that limit against other reservations."""

    def put_usage(self, limit: str, reservation_id: str, at_s: float, cost: int) -> None:
        """Store one reservation."""

    def keep_usage(self, reservation_id: str, cost: int) -> int:
        """Have a reservation count no more than ``cost``. Returns 1 where it counted more, else 0."""

    def drop_usage(
        self, *, reservation_id: str | None = None, limit: str | None = None, before_s: float | None = None
    ) -> int:
        """Remove reservations: one by id, all of a limit, or those of a limit older than a time. Returns how many."""

    def put_checkpoint(self, revision: int, chain: str, state: str, digest: str) -> None:
        """Store a fold; older ones than the last few go, but never the one at the anchor."""

    def drop_receipts(self, before: datetime) -> None:
        """Retention: forget the answers to commands older than this."""

    def lease(self, name: str) -> Lease | None:
        """Who holds a role, whether or not it has run out."""

    def put_lease(self, lease: Lease) -> None:
        """Store who holds a role."""

    def sign_in(self, program: str, at: datetime) -> None:
        """Note that a program has the database open and is alive at ``at``, and what it knows of its schema."""

    def sign_out(self, program: str) -> None:
        """Note that a program has ended."""

    def cursor(self, name: str) -> Cursor | None:
        """How far a sink has been told; None for one that has not begun."""

    def advance(self, cursor: Cursor, expected: int | None) -> bool:
        """Store how far a sink has been told, if it had been told up to ``expected``, None: nothing yet; else False."""

    def put_samples(self, samples: Iterable[Sample]) -> None:
        """Store readings."""

    def drop_samples(self, before_s: float) -> int:
        """Retention: forget readings older than this. Returns how many."""

    def erase(self, revisions: Sequence[int], command_ids: Iterable[str], account: str) -> None:
        """Take away bodies and salts of these events, what was answered to these commands beside that they were
        carried out, the readings of an account, and every stored fold: one that lacks all of it has to be put next."""

    def drop_journal(self, through: int) -> None:
        """Retention: drop events up to a revision and keep their last chain hash as the anchor."""


class Store(Protocol):
    """A database that holds one fleet. Raises `BackendUnavailable` or `NotOurDatabase` only."""

    @property
    def url(self) -> str:
        """Where it is, without secrets."""

    def write(self, *, timeout_s: float) -> AbstractContextManager[Transaction]:
        """An exclusive transaction; commits at the end of the block, rolls back when it raises."""

    def head(self) -> Head:
        """The head, read without a lock."""

    def version(self) -> object:
        """Something that is another after each commit, whoever made it, asked without reading what was committed; None
        where that cannot be told."""

    def moved(self) -> bool:
        """Whether anything may have been committed since the last call; cheap enough for twenty calls a second."""

    def wait(self, timeout_s: float) -> None:
        """Return when something may have changed, or `wake` was called, at the latest after ``timeout_s``."""

    def wake(self) -> None:
        """End a `wait` that is going on, or the next one."""

    def load_checkpoint(self, *, at_most: int | None = None) -> tuple[int, str, str, str] | None:
        """``(revision, chain, state, digest)`` of the last checkpoint, at a revision of at most ``at_most``."""

    def anchor(self) -> tuple[int, str]:
        """``(revision, chain)`` behind which the journal begins."""

    def rows(self, after: int, limit: int = 1000) -> Sequence[Row]:
        """Journal rows, oldest first, read without a lock."""

    def revision_at(self, moment: datetime) -> int:
        """The revision of the last event recorded at or before a time; 0 when none was, or none that is kept."""

    def workers(self) -> Sequence[WorkerRow]:
        """What all workers last said."""

    def usage(self, limit: str, since_s: float) -> Sequence[tuple[float, int]]:
        """``(at_s, cost)`` of the reservations of one limit after a time, oldest first."""

    def lease(self, name: str) -> Lease | None:
        """Who holds a role, whether or not it has run out."""

    def cursors(self) -> Sequence[Cursor]:
        """How far each sink has been told, by name."""

    def samples(self, metric: str, since_s: float, most: int = SAMPLES_READ_MAX) -> Sequence[Sample]:
        """The latest readings of one metric after a time, at most so many, oldest first."""

    def samples_floor(self, most: int) -> float:
        """The time before which there is nothing but what is over the latest ``most`` readings; 0 where there are
        fewer."""

    def close(self) -> None:
        """End connections."""


def iterate(store: Store, after: int, chunk: int = 5000) -> Iterator[Row]:
    """All rows behind a revision, read in chunks."""
    while rows := store.rows(after, chunk):
        yield from rows
        after = rows[-1].revision
