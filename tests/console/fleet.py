"""A fleet for the console's tests: the real engine, no storage, workers that the test moves, a clock that it sets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import core.capabilities  # noqa: F401 - registers commands and events
from core.ack_times import AckTimes
from core.audit import Row, seal
from core.capabilities.emergencies import ConcludeStop, OrderStop
from core.capabilities.fleet import CreateFleet
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.names import AddName
from core.capabilities.workers import ReportWorkers
from core.engine import Facts, Outcome, WorkerFact, refusal, step
from core.errors import BackendUnavailable, CommandRejected, NotOurDatabase, OpsError
from core.messages import Actor, Command, Envelope, Receipt, Recorded
from core.ports import (
    SAMPLES_READ_MAX,
    Arrival,
    ChainReport,
    Contact,
    LimitUsage,
    Listener,
    Observations,
    Reservation,
    WorkerRow,
)
from core.state import State
from core.triggers.sample import Sample
from opsgate.selector import EVERYTHING, Selector

START = datetime(2026, 11, 22, 13, 50, 0, tzinfo=UTC)
ANA = Actor(name="ana")
KEEPER = Actor(name="keeper", kind="system")


class Fleet:
    """A `core.ports.Backend` in memory whose world the test decides.

    `away` makes every call fail as a database that is gone does, `locked` only the commands. The gates of the workers
    in `cut_off` see nothing new. `replaced` is the fleet that lives at its address since.
    """

    url = "sqlite:////var/lib/opsconsole/opsconsole.db"

    def __init__(self) -> None:
        self.now = START
        self.away = ""
        self.away_s = 0.0
        self.locked = ""
        self.replaced = ""
        self.keeper = True
        self.present: tuple[str, ...] = ()
        self.kept: list[Sample] = []
        self.workers: dict[str, WorkerRow] = {}
        self.cut_off: set[str] = set()
        self.usage: dict[str, LimitUsage] = {}
        self.submitted: list[Envelope] = []
        self.recorded: list[Recorded] = []
        self._state = State()
        self._listeners: list[Listener] = []
        self._ids = itertools.count(1)
        self.do(CreateFleet(fleet="f1"), by=KEEPER)

    # ------------------------------------------------------------------------------------------------ the world

    def do(self, command: Command, *, by: Actor = ANA) -> Receipt:
        """Carry a command out as somebody else's, and tell whoever follows."""
        envelope = Envelope(command_id=f"c-{next(self._ids)}", actor=by, door="test", command=command)
        return self._carry_out(envelope)

    def pass_time(self, seconds: float) -> None:
        """Let time pass; workers keep sending their heartbeats, with the revision that they have seen by then."""
        self.now += timedelta(seconds=seconds)
        lost = {name for name, worker in self._state.workers.items() if worker.lost_at is not None}
        for name, row in self.workers.items():
            if name not in lost:
                revision = row.revision if name in self.cut_off else self._state.revision
                self.workers[name] = replace(row, heartbeat_at=self.now, revision=revision)

    def add_sites(self, *names: str) -> None:
        """Register sites."""
        for name in names:
            self.do(AddName(dimension="site", name=name))

    def add_worker(self, name: str, *sites: str, in_flight: int = 0) -> None:
        """A worker comes to life."""
        self.workers[name] = WorkerRow(
            worker_id=name,
            env="",
            scope={"site": list(sites)} if sites else {},
            pid=4000 + len(self.workers),
            started="1",
            registered_at=self.now,
            heartbeat_at=self.now,
            revision=self._state.revision,
            stops=(),
            draining={},
            in_flight=in_flight,
        )
        self.do(ReportWorkers(heard=(name,)), by=KEEPER)

    def lose(self, name: str) -> None:
        """A worker goes silent."""
        self.do(ReportWorkers(lost=(name,)), by=KEEPER)

    def pause(self, reason: str = "", **dimensions: str) -> None:
        """An operator's hold."""
        self.do(PlaceHold(selectors=(Selector.of(**dimensions),), reason=reason))

    def resume(self, reason: str, **dimensions: str) -> None:
        """The end of what operators placed there."""
        self.do(ReleaseHolds(selectors=(Selector.of(**dimensions),), reason=reason))

    def stop(self, stop_id: str = "S-1", reason: str = "", *selectors: Selector) -> None:
        """A stop of everything, or of some of it."""
        self.do(OrderStop(stop_id=stop_id, selectors=selectors or (EVERYTHING,), reason=reason))

    def acknowledge(self, *names: str, stop_id: str = "S-1") -> None:
        """These workers say that they have stopped; the keeper looks."""
        for name in names:
            self.workers[name] = replace(self.workers[name], stops=(stop_id,), in_flight=0)
        self.conclude(stop_id)

    def conclude(self, stop_id: str = "S-1", times: AckTimes | None = None) -> None:
        """The keeper looks who has acknowledged, and may say how long that took."""
        acked = tuple(name for name, row in self.workers.items() if row.has_stopped(stop_id))
        self.do(ConcludeStop(stop_id=stop_id, acked=acked, times=times), by=KEEPER)

    # -------------------------------------------------------------------------------------------------- Backend

    def submit(self, envelope: Envelope, *, timeout_s: float = 5.0) -> Receipt:
        """As the console's commands arrive."""
        self._reachable()
        if self.locked:
            raise BackendUnavailable("locked", self.locked)
        self.submitted.append(envelope)
        return self._carry_out(envelope)

    def state(self, *, timeout_s: float = 5.0) -> State:
        """The state."""
        self._reachable()
        return self._state

    def latest(self) -> State:
        """The state, whatever the world is like."""
        return self._state

    def contact(self) -> Contact:
        """In contact, or out of it for as long as the test says."""
        if self.away or self.replaced:
            return Contact("interrupted", self.away_s, self.away)
        return Contact("valid")

    def verify(self, *, timeout_s: float = 60.0) -> ChainReport:
        """Not part of what the console asks."""
        raise CommandRejected("not-here", "this fleet keeps no chain")

    def observe(self, *, timeout_s: float = 5.0) -> Observations:
        """What the workers last said."""
        self._reachable()
        return Observations(
            at=self.now,
            workers=tuple(self.workers.values()),
            usage=tuple(self.usage.values()),
            keeper=self.keeper,
            present=self.present,
        )

    def samples(
        self, metric: str, *, last_s: float, most: int = SAMPLES_READ_MAX, timeout_s: float = 5.0
    ) -> Sequence[Sample]:
        """What the test says was kept."""
        self._reachable()
        since_s = self.now.timestamp() - last_s
        return [sample for sample in self.kept if sample.metric == metric and sample.at_s > since_s][-most:]

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every change."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def journal(self, *, after: int = 0, limit: int = 1000, timeout_s: float = 5.0) -> Sequence[Row]:
        """The events so far."""
        self._reachable()
        rows = seal(self.recorded, "", ["00" * 16] * len(self.recorded))
        return [row for row in rows if row.revision > after][:limit]

    def state_at(self, moment: datetime, *, timeout_s: float = 30.0) -> State:
        """Not part of what the console asks."""
        raise CommandRejected("not-here", "this fleet keeps no past")

    def reserve(self, limit: str, cost: int = 1, *, lease_s: float = 0.0, timeout_s: float = 5.0) -> Reservation:
        """Not part of what the console asks."""
        raise CommandRejected("not-here", "this fleet reserves nothing")

    def refund(self, reservation_id: str, *, keep: int = 0, timeout_s: float = 5.0) -> bool:
        """Not part of what the console asks."""
        return False

    def close(self) -> None:
        """Nothing to end."""

    def _reachable(self) -> None:
        if self.replaced:
            raise NotOurDatabase("another-fleet", f"{self.url} holds fleet {self.replaced}", "start again on it")
        if self.away:
            raise BackendUnavailable("unavailable", self.away)

    def _carry_out(self, envelope: Envelope) -> Receipt:
        live = tuple(
            WorkerFact(row.worker_id, row.env, tuple((k, tuple(v)) for k, v in row.scope.items()))
            for row in self.workers.values()
        )
        facts = Facts(live=live, keeper_since=START)
        try:
            outcome = step(self._state, envelope, self.now, facts)
        except OpsError as error:
            self._commit(refusal(self._state, envelope, self.now, error))
            raise
        self._commit(outcome)
        return outcome.receipt

    def _commit(self, outcome: Outcome) -> None:
        self._state = outcome.state
        self.recorded += outcome.events
        for listener in tuple(self._listeners):
            listener(Arrival(outcome.state, outcome.events))
