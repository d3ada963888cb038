"""The runtime: one store, one state in memory, and every promise of `core.ports.Backend`.

A command is decided while the head of the journal is locked, so what it was decided on is what it is recorded behind;
its events, the gate's rows, the head and the receipt go into one commit. Only then is anything published or done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

from backends import effects, leases, past, reservations
from backends.commit import Answered, Carried, Wanted, carry_out, founding, safety_hold
from backends.erasure import About, erase
from backends.feed import Feed
from backends.floor import Floor
from backends.leases import require_held
from backends.mirror import Mirror
from backends.observing import Observing
from backends.turns import Turns
from core import checkpoint
from core.audit import Row
from core.authority import Identity
from core.emergency_rules import Rules
from core.errors import BackendUnavailable, OpsError
from core.messages import Actor, Envelope, Receipt
from core.ports import (
    SAMPLES_READ_MAX,
    ChainReport,
    Contact,
    Cursor,
    Lease,
    Listener,
    Observations,
    Reservation,
    Store,
    WorkerRow,
    iterate,
)
from core.state import State
from core.triggers.sample import Sample


def utc_now() -> datetime:
    """The engine's time."""
    return datetime.now(UTC)


class _TakenBack(Exception):
    """Rolls a rehearsal back."""


class Runtime:
    """One fleet on one store. Thread-safe; raises `core.errors` only.

    ``floor`` is what this host remembers outside the database, None for a store that ends with the process.
    ``keeper_since`` is set by a keeper's process, to the time since which it has watched, and None everywhere else.
    """

    def __init__(self, store: Store, *, floor: Floor | None = None, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = store
        self.keeper_since: datetime | None = None
        self.rules = Rules()
        """What is set for emergencies here; whoever runs the loops says so before the first command."""
        self._clock = clock
        self._turns = Turns(store)
        self._has_news = False
        self._feed = Feed(store, self._look)
        self._mirror = Mirror(store, self._feed, floor)
        self._observing = Observing(store)
        self._open()

    @property
    def url(self) -> str:
        """Where it is, without secrets."""
        return self.store.url

    def submit(
        self,
        envelope: Envelope,
        *,
        timeout_s: float = 5.0,
        fence: Lease | None = None,
        identity: Identity | None = None,
    ) -> Receipt:
        """Carry out one command, or say why not. The same ``command_id`` returns the same receipt.

        ``fence`` is the lease under which the sender acts; ``identity`` whose authority the command takes, asked of the
        very state that it is decided on, None for whoever has the database itself. Raises `CommandRejected` or
        `RevisionConflict` (recorded in the journal), or `BackendUnavailable` (nothing was recorded), also where that
        lease has run out or somebody else has taken it.
        """
        (answer,) = self.submit_together([(envelope, identity)], timeout_s=timeout_s, fence=fence)
        if isinstance(answer, OpsError):
            raise answer
        return answer

    def submit_together(
        self,
        wanted: Sequence[Wanted],
        *,
        timeout_s: float = 5.0,
        fence: Lease | None = None,
    ) -> list[Receipt | OpsError]:
        """Carry out several commands in order, each decided on what the ones before it left, in one commit.

        A refusal is among the answers and keeps none of the others from being carried out. Raises
        `BackendUnavailable` where nothing was recorded of any of them.
        """
        with self._turns.taken(timeout_s, folds=True) as left_s:
            with self.store.write(timeout_s=left_s) as transaction:
                require_held(transaction, fence, self._clock())
                state = self._mirror.catch_up(transaction.head(), transaction.rows, timeout_s=left_s)
                lost, now, since = self._mirror.lost, self._clock(), self.keeper_since
                carried = carry_out(transaction, state, wanted, now, keeper_since=since, lost=lost, rules=self.rules)
            self._mirror.advance(carried)
            self._mirror.settle(lost)
        return self._answers(carried)

    def _answers(self, carried: Carried) -> list[Receipt | OpsError]:
        """What is answered to each command, after what follows the commit: latches, the keeper's hint, a checkpoint
        now and then."""
        answers = [self._answer(each, carried.state.fleet) for each in carried.answers]
        if carried.rows:
            if self.keeper_since is None:
                effects.hint(carried.state.fleet)
            before, last = carried.rows[0].revision - 1, carried.rows[-1]
            if before // checkpoint.EVERY != last.revision // checkpoint.EVERY:
                self._store_checkpoint(carried.state, last.chain)
        return answers

    def _answer(self, answered: Answered, fleet: str) -> Receipt | OpsError:
        if answered.refused is not None:
            return answered.refused
        assert answered.receipt is not None, "what is not refused is answered"
        notes = effects.carry_out(answered.effects, fleet, self.url) if answered.effects else ()
        if not notes:
            return answered.receipt
        return answered.receipt.model_copy(update={"notes": (*answered.receipt.notes, *notes)})

    def rehearse(self, envelope: Envelope, *, timeout_s: float = 5.0) -> None:
        """Carry out a command and take all of it back, so that the first real one of its kind finds everything loaded
        and its statements compiled. Raises as ``submit`` does; a refusal goes unrecorded and unsaid."""
        with (
            self._turns.taken(timeout_s) as left_s,
            suppress(_TakenBack),
            self.store.write(timeout_s=left_s) as transaction,
        ):
            state = self._mirror.catch_up(transaction.head(), transaction.rows, timeout_s=left_s)
            carry_out(
                transaction, state, [(envelope, None)], self._clock(), keeper_since=self.keeper_since, rules=self.rules
            )
            raise _TakenBack

    def state(self, *, timeout_s: float = 5.0) -> State:
        """The state now: catches up with the database first."""
        with self._turns.asking(folds=True):
            self._mirror.look(timeout_s=timeout_s)
        self._secure(timeout_s)
        return self._mirror.state

    def take_over(self, other: Runtime) -> None:
        """Have in ``latest`` what another runtime of this process on the same store has folded already, if it is
        further. Asks and waits for nobody; ``state`` looks for the rest."""
        self._mirror.take_over(other._mirror)

    def latest(self) -> State:
        """The state as last seen, without asking anybody."""
        return self._mirror.state

    def sealed(self) -> tuple[State, str]:
        """``latest``, and the chain hash of the last event in it."""
        return self._mirror.sealed()

    def contact(self) -> Contact:
        """How current ``latest`` can be, without asking anybody."""
        return self._turns.contact.now()

    def observe(self, *, timeout_s: float = 5.0) -> Observations:
        """Workers, usage of limits, and whether a keeper is alive."""
        with self._turns.asking():
            return self._observing.look(self._mirror.state, self._clock(), is_keeper=self.keeper_since is not None)

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` on the feed's thread for every change from now on; returns what ends it."""
        return self._feed.follow(listener)

    def journal(self, *, after: int = 0, limit: int = 1000, timeout_s: float = 5.0) -> Sequence[Row]:
        """Rows of the journal, oldest first."""
        with self._turns.asking():
            return self.store.rows(after, limit)

    def state_at(self, moment: datetime, *, timeout_s: float = 30.0) -> State:
        """The state at a past time, folded; `CommandRejected` when retention has dropped what it needs."""
        with self._turns.asking():
            return past.state_at(self.store, moment, monotonic() + timeout_s)

    def verify(self, *, timeout_s: float = 60.0) -> ChainReport:
        """Check the chain of the whole journal that retention has kept, and that the head is its end."""
        with self._turns.asking():
            return past.chain_report(self.store, monotonic() + timeout_s)

    def reserve(
        self,
        limit: str,
        cost: int = 1,
        *,
        lease_s: float = 0.0,
        timeout_s: float = 5.0,
        owner: str | None = None,
        named: str | None = None,
    ) -> Reservation:
        """Reserve ``cost`` units of a limit (by its own name or S0's), atomically over all processes; to be used within
        ``lease_s``, by the worker ``owner`` where one is named; ``named`` by whoever asks, once however often."""
        with self._turns.taken(timeout_s) as left_s, self.store.write(timeout_s=left_s) as transaction:
            state = self._mirror.catch_up(transaction.head(), transaction.rows, timeout_s=left_s)
            return reservations.take(transaction, state, limit, cost, self._clock(), lease_s, owner, named)

    def refund(self, reservation_id: str, *, keep: int = 0, timeout_s: float = 5.0) -> bool:
        """Give a reservation back, or all but ``keep`` units; False when there is nothing to give back."""
        with self._turns.writing(timeout_s) as transaction:
            return reservations.give_back(transaction, reservation_id, keep)

    def put_workers(self, rows: Iterable[WorkerRow], *, timeout_s: float = 5.0) -> None:
        """Store what workers last said: observations, no events."""
        with self._turns.writing(timeout_s) as transaction:
            transaction.put_workers(rows)

    def drop_workers(self, worker_ids: Iterable[str], *, timeout_s: float = 5.0) -> None:
        """Forget what workers said."""
        with self._turns.writing(timeout_s) as transaction:
            transaction.drop_workers(worker_ids)

    def sign_in(self, program: str, *, timeout_s: float = 5.0) -> None:
        """Note that this program has the database open, so that nothing is taken from it that it needs."""
        with self._turns.writing(timeout_s) as transaction:
            transaction.sign_in(program, self._clock())

    def sign_out(self, program: str, *, timeout_s: float = 5.0) -> None:
        """Note that this program has ended."""
        with self._turns.writing(timeout_s) as transaction:
            transaction.sign_out(program)

    def advance(self, cursor: Cursor, expected: int | None, fence: Lease | None, *, timeout_s: float = 5.0) -> bool:
        """Store how far a sink has been told, if it had been told up to ``expected`` (None: nothing yet) and ``fence``,
        the lease under which it is told, is still held; `BackendUnavailable` ``fenced`` where it is not."""
        with self._turns.writing(timeout_s) as transaction:
            require_held(transaction, fence, self._clock())
            return transaction.advance(cursor, expected)

    def samples(
        self, metric: str, *, last_s: float, most: int = SAMPLES_READ_MAX, timeout_s: float = 5.0
    ) -> Sequence[Sample]:
        """Kept readings of one metric of the last ``last_s`` seconds, the latest ``most`` of them, oldest first."""
        with self._turns.asking():
            return self.store.samples(metric, self._clock().timestamp() - last_s, most)

    def put_samples(self, samples: Iterable[Sample], *, timeout_s: float = 5.0) -> None:
        """Store readings: observations, no events."""
        with self._turns.writing(timeout_s) as transaction:
            transaction.put_samples(samples)

    def drop_samples(self, before_s: float, *, timeout_s: float = 5.0) -> int:
        """Forget readings older than this, in seconds since the epoch. Returns how many."""
        with self._turns.writing(timeout_s) as transaction:
            return transaction.drop_samples(before_s)

    def take_lease(self, name: str, holder: str, for_s: float, *, timeout_s: float = 5.0) -> Lease | None:
        """Take or renew a role for a while; None while somebody else has it. A new holder gets a higher token."""
        with self._turns.writing(timeout_s) as transaction:
            return leases.take(transaction, name, holder, for_s, self._clock())

    def drop_lease(self, name: str, holder: str, *, timeout_s: float = 5.0) -> None:
        """Give a role back, if it is still this holder's."""
        with self._turns.writing(timeout_s) as transaction:
            leases.give_back(transaction, name, holder, self._clock())

    def erase(self, account: str, actor: Actor, *, reason: str = "", timeout_s: float = 60.0) -> Receipt:
        """Erase what is stored about an account: bodies and salts of the events about it, answers, readings, and all
        older folds. The chain verifies as before. Raises `CommandRejected` where something in force names it.

        What held before that cannot be told any more; the state now is stored in the same commit.
        """
        about = About(account)
        with self._turns.asking():
            about.look(iterate(self.store, 0))
        with self._turns.taken(timeout_s) as left_s:
            with self.store.write(timeout_s=left_s) as transaction:
                state = self._mirror.catch_up(transaction.head(), transaction.rows, timeout_s=left_s)
                carried = erase(transaction, state, about, actor, reason, self._clock(), self.rules)
            self._mirror.advance(carried)
        (answer,) = self._answers(carried)
        if isinstance(answer, OpsError):
            raise answer
        return answer

    def retain(self, before: datetime, *, timeout_s: float = 60.0) -> int:
        """Drop events recorded before a time; returns how many. The rest still folds and still verifies."""
        with self._turns.asking():
            return past.retain(self.store, before, timeout_s=timeout_s)

    def close(self) -> None:
        """End threads and connections."""
        if self._turns.is_closed:
            return
        self._turns.contact.closed()
        self._feed.close()
        self.store.close()

    def _open(self) -> None:
        with self._turns.asking(folds=True):
            self._mirror.load()
            if self._mirror.state.revision == 0:
                self.submit(founding(self.store.head().fleet))
            self._secure(timeout_s=5.0)

    def _secure(self, timeout_s: float) -> None:
        """Hold everything where the database has been put back; raises where that cannot be recorded."""
        lost = self._mirror.lost
        if lost is not None:
            self.submit(safety_hold(lost, self._mirror.state.revision), timeout_s=timeout_s)

    def _look(self) -> None:
        """What the feed does again and again: news stay news until they have been read."""
        with self._turns.asking(folds=True):
            self._has_news = self.store.moved() or self._has_news
            if self._has_news:
                self.state()
                self._has_news = False

    def _store_checkpoint(self, state: State, chain: str) -> None:
        text = checkpoint.dump(state)
        try:
            with self._turns.writing(1.0) as transaction:
                transaction.put_checkpoint(state.revision, chain, text, checkpoint.digest(text))
        except BackendUnavailable:
            pass  # it only makes the next start faster, and another thousand events bring the next one
