"""A fleet in memory whose world is the script's: the real engine, workers that it moves, a clock that it sets.

Pictures of it change only when the console does, and a test may stand it in any situation without a process.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from backends.local.memory import Memory, MemoryStore
from backends.runtime import Runtime
from backends.spool import envelope_of
from backends.stop_lane import Fired
from backends.stop_servers import Told
from core.audit import Row
from core.authority import Identity
from core.capabilities.emergencies import ConcludeStop
from core.capabilities.holds import ExpireHolds
from core.capabilities.workers import ReportWorkers
from core.errors import BackendUnavailable
from core.messages import Actor, Command, Door, Envelope, Receipt
from core.ports import Contact, Lease, Observations, WorkerRow
from core.recovery_work import work_of
from core.services import Standing
from core.state import State
from opsconsole.script.keeping import KEEPER, advance, going, reports
from opsgate.order import Order

START: Final = datetime(2026, 11, 22, 13, 50, 0, tzinfo=UTC)
ROUND_TRIP_S: Final = 0.03
STEPS_MAX: Final = 20
"""Steps of recoveries that may be done within one stretch of time."""


class Server(NamedTuple):
    """What lies between the console and the fleet: as whom it knows the operator, and who else is there."""

    url: str
    known_as: Identity
    others: tuple[str, ...]


class World(Runtime):
    """A `core.ports.Backend` in memory, behind ``server`` where one is given. ``now`` is its clock; ``away`` is what it
    says instead of answering."""

    def __init__(self, server: Server | None = None) -> None:
        self.server = server
        self.now = START
        self.away = ""
        self._away_since = START
        self._numbers = itertools.count(1)
        self._standings: dict[str, Standing] = {}
        super().__init__(MemoryStore(Memory("seeded")), clock=lambda: self.now)
        self.keep(there=True)

    # ------------------------------------------------------------------------------------------------ the world

    def do(self, command: Command, by: Actor, door: Door = "script") -> Receipt:
        """Carry a command out, whether or not the console can reach it."""
        envelope = Envelope(command_id=f"c-{next(self._numbers)}", actor=by, door=door, command=command)
        return super().submit(envelope)

    def order(self, order: Order) -> Fired:
        """Take a stop, as a keeper does: the backend may be away, a stop is in force all the same."""
        if self.away:
            told = () if self.server is None else (Told(self.server.url, "absent", fault=self.away),)
            return Fired(order, "", "absent", "spool", servers=told)
        receipt = super().submit(envelope_of(order))
        stop = self.latest().stops[order.stop_id]
        return Fired(order, "", "answered", "database", receipt.revision, stop.emergency_id, len(stop.listed))

    def pass_time(self, seconds: float) -> None:
        """Let time pass: workers send their heartbeats, and the keeper, if one is there, does what fell due."""
        self.now += timedelta(seconds=seconds)
        lost = {name for name, worker in self.latest().workers.items() if worker.lost_at is not None}
        self.put_workers([self._later(row) for row in self._rows() if row.worker_id not in lost])
        if self.keeper_since is not None:
            self.do(ExpireHolds(), KEEPER, "keeper")
            self._conclude()
            self._recover()

    def hire(self, workers: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        """Workers come to life, each with one piece of work in flight."""
        known = len(self._rows())
        rows = [
            WorkerRow(
                worker_id=name,
                env="",
                scope={"site": list(sites)},
                pid=4000 + known + number,
                started="1",
                registered_at=self.now,
                heartbeat_at=self.now,
                revision=self.latest().revision,
                stops=(),
                draining={},
                in_flight=1,
            )
            for number, (name, sites) in enumerate(workers)
        ]
        self.put_workers(rows)
        for row in rows:
            self.do(ReportWorkers(heard=(row.worker_id,)), KEEPER, "keeper")

    def lose(self, workers: Sequence[str]) -> None:
        """Workers go silent, and the keeper notices."""
        self.do(ReportWorkers(lost=tuple(workers)), KEEPER, "keeper")

    def acknowledge(self, workers: Sequence[str]) -> None:
        """These workers (none: all of them) have stopped for every stop in force; the keeper looks."""
        stops = tuple(stop.stop_id for stop in self.latest().active_stops())
        rows = [row for row in self._rows() if not workers or row.worker_id in workers]
        seen = self.latest().revision
        self.put_workers([replace(row, stops=stops, in_flight=0, revision=seen) for row in rows])
        self._conclude()

    def use(self, limit: str, tenths: Sequence[int]) -> None:
        """Units are used: so many in each tenth of the limit's window, oldest first."""
        tenth_s = self.latest().limits[limit].window_s / len(tenths)
        with self.store.write(timeout_s=1.0) as transaction:
            for number, units in enumerate(reversed(tenths)):
                at_s = self.now.timestamp() - (number + 0.5) * tenth_s
                if units:
                    transaction.put_usage(limit, f"r-{next(self._numbers)}", at_s, units)

    def stand(self, standings: Mapping[str, Standing]) -> None:
        """Services stand so from now on, and the keeper sees it."""
        self._standings.update(standings)
        self._see(standings)
        self._conclude()

    def leave(self, trouble: str) -> None:
        """Go away with these words, or come back without any."""
        self.away, self._away_since = trouble, self.now

    def keep(self, *, there: bool) -> None:
        """A keeper is there, or none is."""
        self.keeper_since = START if there else None

    def _later(self, row: WorkerRow) -> WorkerRow:
        """A worker after a while: what is paused has run out, what may run is taken up. In a stop it waits for the
        script to say what it does."""
        state = self.latest()
        heard = replace(row, heartbeat_at=self.now, revision=state.revision)
        if state.active_stops():
            return heard
        held = [
            any(hold.selector.covers({"site": site}) for hold in state.holds.values()) for site in row.scope["site"]
        ]
        return replace(heard, stops=(), in_flight=0 if all(held) else 1)

    def _rows(self) -> Sequence[WorkerRow]:
        return self.store.workers()

    def _conclude(self) -> None:
        """The keeper looks who has acknowledged."""
        for stop in self.latest().active_stops():
            since = stop.recounted_revision
            acked = tuple(row.worker_id for row in self._rows() if row.has_stopped(stop.stop_id, since))
            self.do(ConcludeStop(stop_id=stop.stop_id, acked=acked, since=since), KEEPER, "keeper")

    def _see(self, names: Iterable[str]) -> None:
        """The keeper says how these services stand."""
        for report in reports(self.latest(), self._standings, names):
            self.do(report, KEEPER, "keeper")

    def _recover(self) -> None:
        """The keeper looks at what recoveries are about and says what it saw, as long as that brings one further."""
        for _ in range(STEPS_MAX):
            before = self.latest()
            for recovery in going(before):
                self._see(work_of(before, recovery).observe)
                self.do(advance(self.latest(), recovery, self.now), KEEPER, "keeper")
            at = [(recovery.step, recovery.status) for recovery in going(self.latest())]
            if at == [(recovery.step, recovery.status) for recovery in going(before)]:
                return

    # ------------------------------------------------------------------------------------------ as a backend

    def submit(
        self,
        envelope: Envelope,
        *,
        timeout_s: float = 5.0,
        fence: Lease | None = None,
        identity: Identity | None = None,
    ) -> Receipt:
        """As the console's commands arrive."""
        self._require_here()
        return super().submit(envelope, timeout_s=timeout_s, fence=fence, identity=identity)

    def state(self, *, timeout_s: float = 5.0) -> State:
        """The state."""
        self._require_here()
        return super().state(timeout_s=timeout_s)

    def observe(self, *, timeout_s: float = 5.0) -> Observations:
        """What the workers last said."""
        self._require_here()
        seen = super().observe(timeout_s=timeout_s)
        return seen if self.server is None else replace(seen, known_as=self.server.known_as, present=self.server.others)

    def journal(self, *, after: int = 0, limit: int = 1000, timeout_s: float = 5.0) -> Sequence[Row]:
        """The events so far."""
        self._require_here()
        return super().journal(after=after, limit=limit, timeout_s=timeout_s)

    def contact(self) -> Contact:
        """In contact, or out of it since it went away, by its own clock."""
        if self.away:
            return Contact("interrupted", (self.now - self._away_since).total_seconds(), self.away)
        return Contact("valid", round_trip_s=None if self.server is None else ROUND_TRIP_S)

    def _require_here(self) -> None:
        if self.away:
            raise BackendUnavailable("database-down", self.away)
