"""The runtime: one store, one state in memory, and every promise of `core.ports.Backend`.

A command is decided while the head of the journal is locked, so what it was decided on is what it is recorded behind;
its events, the gate's rows, the head and the receipt go into one commit. Only then is anything published or done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from backends import effects, past, reservations
from backends.commit import Carried, carry_out, founding, require_held, safety_hold
from backends.contact import ContactLog
from backends.feed import Feed
from backends.floor import Floor
from backends.projection import Projection
from core import checkpoint
from core.audit import Row
from core.errors import BackendUnavailable, NotOurDatabase
from core.messages import Envelope, Receipt, Recorded
from core.ports import ChainReport, Contact, Head, Lease, Listener, Observations, Reservation, Store, WorkerRow, iterate
from core.state import State
from opsgate.paths import keeper_socket
from opsgate.wire import ask

KEEPER: Final = "keeper"
"""The name of the lease of the loops."""

PING_S: Final = 0.05
"""Seconds that a keeper on this host has to answer before its lease is asked instead."""


def utc_now() -> datetime:
    """The engine's time."""
    return datetime.now(UTC)


class Runtime:
    """One fleet on one store. Thread-safe; raises `core.errors` only.

    ``floor`` is what this host remembers outside the database, None for a store that ends with the process.
    ``keeper_since`` is set by the process that runs the loops, and None everywhere else.
    """

    def __init__(self, store: Store, *, floor: Floor | None = None, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.keeper_since: datetime | None = None
        self._clock = clock
        self._floor = floor
        self._floor_control = 0
        self._lock = threading.Lock()
        self._contact = ContactLog()
        self._feed = Feed(store, self._look)
        self._projection = Projection(store)
        self._open()

    @property
    def url(self) -> str:
        """Where it is, without secrets."""
        return self.store.url

    def submit(self, envelope: Envelope, *, timeout_s: float = 5.0, fence: Lease | None = None) -> Receipt:
        """Carry out one command, or say why not. The same ``command_id`` returns the same receipt.

        ``fence`` is the lease under which the sender acts. Raises `CommandRejected` or `RevisionConflict` (recorded in
        the journal), or `BackendUnavailable` (nothing was recorded), also where somebody else has taken that lease.
        """
        with self._exclusive(timeout_s) as remaining_s:
            with self.store.write(timeout_s=remaining_s) as transaction:
                require_held(transaction, fence)
                self._catch_up(transaction.head(), transaction.rows)
                carried = carry_out(
                    transaction,
                    self._projection.state,
                    envelope,
                    self._clock(),
                    keeper_since=self.keeper_since,
                    lost=self._projection.lost,
                )
            self._advance(carried)
        notes = self._act(carried)
        if carried.refused is not None:
            raise carried.refused
        assert carried.receipt is not None, "what is not refused is answered"
        return carried.receipt.model_copy(update={"notes": (*carried.receipt.notes, *notes)})

    def state(self, *, timeout_s: float = 5.0) -> State:
        """The state now: catches up with the database first."""
        with self._exclusive(timeout_s):
            self._catch_up(self.store.head(), self._tail)
        if self._projection.lost is not None:
            self._secure()
        return self._projection.state

    def latest(self) -> State:
        """The state as last seen, without asking anybody."""
        return self._projection.state

    def contact(self) -> Contact:
        """How current ``latest`` can be, without asking anybody."""
        return self._contact.now()

    def observe(self, *, timeout_s: float = 5.0) -> Observations:
        """Workers, usage of limits, and whether a keeper is alive."""
        with self._asking():
            now = self._clock()
            workers = tuple(sorted(self.store.workers(), key=lambda row: row.worker_id))
            usage = reservations.usage_of(self.store, self._projection.state, now)
            return Observations(now, workers, usage, keeper=self._keeper_is_alive(now))

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` on the feed's thread for every change from now on; returns what ends it."""
        return self._feed.follow(listener)

    def journal(self, *, after: int = 0, limit: int = 1000, timeout_s: float = 5.0) -> Sequence[Row]:
        """Rows of the journal, oldest first."""
        with self._asking():
            return self.store.rows(after, limit)

    def state_at(self, moment: datetime, *, timeout_s: float = 30.0) -> State:
        """The state at a past time, folded; `CommandRejected` when retention has dropped what it needs."""
        with self._asking():
            return past.state_at(self.store, moment, monotonic() + timeout_s)

    def verify(self, *, timeout_s: float = 60.0) -> ChainReport:
        """Check the chain of the whole journal that retention has kept, and that the head is its end."""
        with self._asking():
            return past.chain_report(self.store, monotonic() + timeout_s)

    def reserve(self, limit: str, cost: int = 1, *, timeout_s: float = 5.0) -> Reservation:
        """Reserve ``cost`` units of a limit (by its own name or S0's), atomically over all processes."""
        with self._exclusive(timeout_s) as remaining_s, self.store.write(timeout_s=remaining_s) as transaction:
            self._catch_up(transaction.head(), transaction.rows)
            return reservations.take(transaction, self._projection.state, limit, cost, self._clock())

    def refund(self, reservation_id: str, *, timeout_s: float = 5.0) -> bool:
        """Give a reservation back; False when it is not there any more."""
        with self._asking(), self.store.write(timeout_s=timeout_s) as transaction:
            return transaction.drop_usage(reservation_id=reservation_id) > 0

    def put_workers(self, rows: Iterable[WorkerRow], *, timeout_s: float = 5.0) -> None:
        """Store what workers last said: observations, no events."""
        with self._asking(), self.store.write(timeout_s=timeout_s) as transaction:
            transaction.put_workers(rows)

    def drop_workers(self, worker_ids: Iterable[str], *, timeout_s: float = 5.0) -> None:
        """Forget what workers said."""
        with self._asking(), self.store.write(timeout_s=timeout_s) as transaction:
            transaction.drop_workers(worker_ids)

    def take_lease(self, name: str, holder: str, for_s: float, *, timeout_s: float = 5.0) -> Lease | None:
        """Take or renew a role for a while; None while somebody else has it. A new holder gets a higher token."""
        with self._asking(), self.store.write(timeout_s=timeout_s) as transaction:
            now, known = self._clock(), transaction.lease(name)
            mine = known is not None and known.holder == holder and known.expires_at > now
            if known is not None and not mine and known.expires_at > now:
                return None
            token = known.token if known is not None else 0
            lease = Lease(name, holder, token if mine else token + 1, now + timedelta(seconds=for_s))
            transaction.put_lease(lease)
            return lease

    def drop_lease(self, name: str, holder: str, *, timeout_s: float = 5.0) -> None:
        """Give a role back, if it is still this holder's."""
        with self._asking(), self.store.write(timeout_s=timeout_s) as transaction:
            known = transaction.lease(name)
            if known is not None and known.holder == holder:
                transaction.put_lease(replace(known, expires_at=self._clock()))

    def retain(self, before: datetime, *, timeout_s: float = 60.0) -> int:
        """Drop events recorded before a time; returns how many. The rest still folds and still verifies."""
        with self._asking():
            return past.retain(self.store, before, timeout_s=timeout_s)

    def close(self) -> None:
        """End threads and connections."""
        if self._contact.now().word == "off":
            return
        self._contact.closed()
        self._feed.close()
        self.store.close()

    def _open(self) -> None:
        with self._asking():
            self._projection.load()
            if self._projection.state.revision == 0:
                self.submit(founding(self.store.head().fleet))
            if self._floor is not None:
                self._projection.require(self._floor.read())
                self._keep_floor(self._floor)
            if self._projection.lost is not None:
                self._secure()

    def _secure(self) -> None:
        lost = self._projection.lost
        if lost is not None:
            self.submit(safety_hold(lost, self._projection.state.revision))

    def _look(self) -> None:
        with self._asking():
            if self.store.moved():
                self.state()

    def _tail(self, after: int) -> Sequence[Row]:
        return list(iterate(self.store, after))

    def _catch_up(self, head: Head, rows: Callable[[int], Sequence[Row]]) -> None:
        known = self._projection.state
        if head.fleet != known.fleet and known.fleet:
            raise NotOurDatabase(
                "another-fleet", f"{self.url} holds fleet {head.fleet} now, not {known.fleet}", "start again on it"
            )
        events = self._projection.catch_up(head, rows)
        if self._projection.state is not known:
            self._published(events)

    def _advance(self, carried: Carried) -> None:
        if carried.rows:
            self._projection.advance(carried.state, carried.rows)
            self._published(carried.events)
        if self._projection.lost is not None:
            self._projection.lost = None
            if self._floor is not None:
                self._floor.settle(self._projection.mark)

    def _published(self, events: tuple[Recorded, ...]) -> None:
        self._feed.publish(self._projection.state, events)
        if self._floor is not None:
            self._keep_floor(self._floor)

    def _keep_floor(self, floor: Floor) -> None:
        """Remember outside the database that what may run has changed."""
        control = self._projection.state.control_revision
        if control > self._floor_control and self._projection.lost is None:
            self._floor_control = control
            known = floor.read()
            if known is None or known.revision < control:
                floor.settle(self._projection.mark)

    def _act(self, carried: Carried) -> tuple[str, ...]:
        """What follows a commit: latches, the keeper's hint, a checkpoint now and then."""
        if not carried.rows:
            return ()
        notes = effects.carry_out(carried.effects, carried.state.fleet, self.url)
        if self.keeper_since is None:
            effects.hint(carried.state.fleet)
        before, last = carried.rows[0].revision - 1, carried.rows[-1].revision
        if before // checkpoint.EVERY != last // checkpoint.EVERY:
            self._store_checkpoint(carried.state, carried.rows[-1].chain)
        return notes

    def _store_checkpoint(self, state: State, chain: str) -> None:
        text = checkpoint.dump(state)
        try:
            with self._asking(), self.store.write(timeout_s=1.0) as transaction:
                transaction.put_checkpoint(state.revision, chain, text, checkpoint.digest(text))
        except BackendUnavailable:
            pass  # it only makes the next start faster, and another thousand events bring the next one

    def _keeper_is_alive(self, now: datetime) -> bool:
        if self.keeper_since is not None:
            return True
        answer = ask(str(keeper_socket(self._projection.state.fleet)), "ping", timeout_s=PING_S)
        if answer is not None and answer["t"] == "pong":
            return True
        lease = self.store.lease(KEEPER)
        return lease is not None and lease.expires_at > now

    @contextmanager
    def _exclusive(self, timeout_s: float) -> Iterator[float]:
        """The one lock of this process; yields the seconds that are left of the time."""
        deadline_s = monotonic() + timeout_s
        if not self._lock.acquire(timeout=max(0.0, timeout_s)):
            raise BackendUnavailable("busy", f"{self.url} is busy with another command", "try again")
        try:
            with self._asking():
                yield max(0.001, deadline_s - monotonic())
        finally:
            self._lock.release()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Remember whether the database answered."""
        if self._contact.now().word == "off":
            raise BackendUnavailable("closed", f"{self.url} was closed here", "open it again")
        try:
            yield
        except (BackendUnavailable, NotOurDatabase) as error:
            self._contact.failed(error)
            raise
        else:
            self._contact.answered()
