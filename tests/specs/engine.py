"""An engine to hold specifications against: one fleet, a clock that only a test moves, and short words for commands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import core.capabilities  # noqa: F401 - registers commands and events
from core.ack_times import AckTimes
from core.capabilities.emergencies import ConcludeStop, OrderStop
from core.capabilities.fleet import CreateFleet
from core.capabilities.holds import ExpireHolds, PlaceHold, ReleaseHolds
from core.capabilities.names import AddName
from core.capabilities.recovery import Recover
from core.capabilities.restoring import AdvanceRecovery, Seen
from core.capabilities.service_reports import ReportServices, ServiceReport
from core.capabilities.services import AddService
from core.engine import Effect, Facts, Outcome, WorkerFact, refusal, step
from core.errors import OpsError
from core.messages import Actor, Command, Envelope, Event, Receipt, Recorded
from core.recoveries import Recovery
from core.services import Standing
from core.state import Emergency, State, Stop
from opsgate.evaluate import Verdict, evaluate
from opsgate.hold import Hold, Mode
from opsgate.order import Level
from opsgate.selector import EVERYTHING, Selector

BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)

Kind = Literal["person", "automation", "system"]


def on(**dimensions: str) -> Selector:
    """The selector of these dimensions; of everything, without any."""
    return Selector.of(**dimensions)


class Engine:
    """A fleet called ``f1`` with the sites s1 and s2, at noon. Commands are sent by the person ana unless said."""

    def __init__(self) -> None:
        self.now = BEGINNING
        self.state = State()
        self.journal: list[Recorded] = []
        self.effects: list[Effect] = []
        self.live: tuple[WorkerFact, ...] = ()
        self.keeper_since: datetime | None = None
        self._sent = 0
        self.do(CreateFleet(fleet="f1"))
        for site in ("s1", "s2"):
            self.do(AddName(dimension="site", name=site))

    # ------------------------------------------------------------------------------------------------------ commands

    def do(self, command: Command, *, by: str = "ana", kind: Kind = "person", looked_at: int | None = None) -> Receipt:
        """Carry a command out at the present time. ``looked_at`` is the revision that its sender saw."""
        envelope = self._envelope(command, by, kind, looked_at)
        return self._committed(step(self.state, envelope, self.now, Facts(self.live, self.keeper_since)))

    def no(self, command: Command, *, by: str = "ana", kind: Kind = "person") -> Receipt:
        """Record the refusal of a command, as whoever runs the engine does."""
        envelope = self._envelope(command, by, kind, None)
        try:
            step(self.state, envelope, self.now)
        except OpsError as error:
            return self._committed(refusal(self.state, envelope, self.now, error))
        raise AssertionError("carried out")

    def _envelope(self, command: Command, by: str, kind: Kind, looked_at: int | None) -> Envelope:
        self._sent += 1
        actor = Actor(name=by, kind=kind)
        return Envelope(
            command_id=f"c{self._sent}", actor=actor, door="test", command=command, expected_revision=looked_at
        )

    def _committed(self, outcome: Outcome) -> Receipt:
        self.state = outcome.state
        self.journal.extend(outcome.events)
        self.effects.extend(outcome.effects)
        return outcome.receipt

    def refused(self, command: Command, **how: Any) -> str:
        """The code with which a command is refused; the state stays as it was."""
        before = self.state
        try:
            receipt = self.do(command, **how)
        except OpsError as error:
            assert self.state is before
            return error.code
        raise AssertionError(f"carried out: {receipt}")

    def pause(self, *selectors: Selector, by: str = "ana", for_s: float | None = None, **fields: Any) -> Receipt:
        """Place operator holds."""
        expires_at = None if for_s is None else self.now + timedelta(seconds=for_s)
        return self.do(PlaceHold(selectors=selectors or (EVERYTHING,), expires_at=expires_at, **fields), by=by)

    def resume(self, *selectors: Selector, by: str = "ana", looked_at: int | None = None, **fields: Any) -> Receipt:
        """Release operator holds."""
        fields = {"reason": "done", **fields}
        return self.do(ReleaseHolds(selectors=selectors or (EVERYTHING,), **fields), by=by, looked_at=looked_at)

    def stop(
        self, stop_id: str, *selectors: Selector, level: Level = "immediate", by: str = "ana", **fields: Any
    ) -> Receipt:
        """Order a stop."""
        wanted = OrderStop(stop_id=stop_id, selectors=selectors or (EVERYTHING,), level=level, **fields)
        return self.do(wanted, by=by)

    def count(self, stop_id: str, *acked: str, since: int | None = None, times: AckTimes | None = None) -> Receipt:
        """The keeper says who has acknowledged, of the stop as it stands or as it stood at another count."""
        known = self.state.stops.get(stop_id)
        looked_at = since if since is not None else known.recounted_revision if known else 0
        counted = ConcludeStop(stop_id=stop_id, acked=acked, since=looked_at, times=times)
        return self.do(counted, by="keeper", kind="system")

    def recover(self, emergency_id: str, confirm: str = "all", reason: str = "mended", **how: Any) -> Receipt:
        """Recover an emergency."""
        return self.do(Recover(emergency_id=emergency_id, reason=reason, confirm=confirm, **how))

    def service(self, name: str, *depends_on: str, **fields: Any) -> Receipt:
        """Register a service, driven by nothing in particular."""
        return self.do(AddService(name=name, driver="process", depends_on=depends_on, **fields))

    def report(self, name: str, standing: Standing | None, **how: Any) -> Receipt:
        """The keeper says how a service was seen to stand; in a stop or a recovery, and after what action."""
        case = {key: how.pop(key) for key in ("stop_id", "recovery_id", "step_revision") if key in how}
        reports = (ServiceReport(service=name, standing=standing, observed_by="test", **how),)
        return self.do(ReportServices(reports=reports, **case), by="keeper", kind="system")

    def advance(
        self,
        emergency_id: str,
        *checks: Seen,
        watched_s: float = 1e6,
        given_up: bool = False,
        step_revision: int | None = None,
        step_s: float = 0.0,
    ) -> Receipt:
        """The keeper says what it saw of the present step of a recovery."""
        recovery = self.state.emergencies[emergency_id].recovery
        assert recovery is not None
        seen = AdvanceRecovery(
            recovery_id=recovery.recovery_id,
            step=recovery.step,
            checks=checks,
            watched_s=watched_s,
            given_up=given_up,
            step_revision=step_revision,
            step_s=step_s,
        )
        return self.do(seen, by="keeper", kind="system")

    def recovery(self, emergency_id: str) -> Recovery:
        """The recovery of an emergency."""
        recovery = self.state.emergencies[emergency_id].recovery
        assert recovery is not None
        return recovery

    def sweep(self) -> Receipt:
        """The keeper's look at what has expired."""
        return self.do(ExpireHolds(), by="keeper", kind="system")

    # --------------------------------------------------------------------------------------------------------- world

    def wait(self, seconds: float) -> None:
        """Let time pass; negative where the clock is put back."""
        self.now += timedelta(seconds=seconds)

    def keeper_starts(self) -> None:
        """From now on a keeper watches."""
        self.keeper_since = self.now

    def workers(self, *ids: str, **scope: str) -> None:
        """These workers live, besides those that do; with a scope, they do only that."""
        declared = tuple((dimension, (value,)) for dimension, value in scope.items() if dimension != "env")
        self.live += tuple(WorkerFact(worker, env=scope.get("env", ""), scope=declared) for worker in ids)

    # --------------------------------------------------------------------------------------------------------- looks

    def verdict(self, *, strict: bool = False, key: str | None = None, **work: str) -> Verdict:
        """The decision on a piece of work."""
        return evaluate(self.state.table(), work, strict=strict, key=key)

    def runs(self, **work: str) -> bool:
        """Whether a piece of work may run."""
        return evaluate(self.state.table(), work).outcome == "allowed"

    def hold(self, hold_id: str) -> Hold:
        """A hold in force."""
        return self.state.holds[hold_id]

    def holds(self) -> set[tuple[str, str, str, Mode]]:
        """Every hold in force as selector, source, owner, mode."""
        return {(str(h.selector), h.source, h.owner, h.mode) for h in self.state.holds.values()}

    def stopped(self, stop_id: str) -> Stop:
        """A stop."""
        return self.state.stops[stop_id]

    def emergency(self, receipt: Receipt) -> Emergency:
        """The emergency that a stop belongs to."""
        assert receipt.emergency_id is not None
        return self.state.emergencies[receipt.emergency_id]

    def kinds(self, receipt: Receipt) -> list[str]:
        """What happened, by kind."""
        return [note.kind for note in receipt.events]

    def last(self, number: int = 1) -> Event:
        """The last event, or one before it."""
        return self.journal[-number].event


def said(receipt: Receipt) -> str:
    """All notes of a receipt."""
    return "; ".join(receipt.notes)


def ids(holds: Iterable[Hold]) -> list[str]:
    """Their ids."""
    return [hold.hold_id for hold in holds]
