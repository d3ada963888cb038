"""Recovering: carries out the present step of every recovery and says what it saw; the engine decides what that means.

Whatever is remembered here may be forgotten at any time: a keeper that comes after a killed one starts again what is
not seen to run, which does nothing to what runs, and watches anew for as long as the step says. Services that belong to
a host are looked at, asked for their health, started and stopped by the keeper of that host, all others by the leader,
who alone moves a recovery on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from backends.keeper.deeds import Deed, Hands, Look
from backends.keeper.log import NAME
from backends.keeper.recovery_checks import Readings, RecoveryChecks
from backends.keeper.recovery_round import Memory, Round
from backends.keeper.roster import Instant
from backends.milestones import Milestone, passing
from core.automatic import automatic_recoveries
from core.capabilities.restoring import AdvanceRecovery
from core.capabilities.service_reports import ReportServices, ServiceReport
from core.errors import CommandRejected, OpsError, RevisionConflict
from core.messages import Command
from core.procedures import procedures
from core.recoveries import Recovery
from core.recovery_work import health_of, is_seen, work_of
from core.services import Service, Standing, tiers
from core.state import State

_log = logging.getLogger(NAME)


AGAIN_S: Final = 5.0
"""Seconds between two tries to do the same to a service."""

BREAK_S: Final = 10.0
"""A look that comes so long after the one before did not watch what was between them."""

SAY_AGAIN_S: Final = 10.0
"""Seconds after which a keeper that does not lead says again how its services stand."""

_ROLLBACK_S: Final = 60.0
"""The time for turning back where the procedure is known no more."""


Startable = Callable[[Recovery, Sequence[Service]], Sequence[Service]]
"""Those of the services that a recovery may start now. None while a stop is in force that the journal does not know,
because that may cover what is recovered; nor one that a stop still drives from which it comes back."""


class Recovering:
    """For use by one thread."""

    def __init__(
        self,
        hands: Hands,
        submit: Callable[[Command, int | None], None],
        *,
        leads: Callable[[], bool] = lambda: True,
        mine: Callable[[Service], bool] = lambda _service: True,
        startable: Startable = lambda _recovery, services: list(services),
        readings: Readings = lambda _gate, _since_s: (),
    ) -> None:
        """``submit`` has the engine decide a command, at the control revision that was looked at where one is given;
        it raises `OpsError`. ``leads`` is whether this keeper moves recoveries on, ``mine`` whether it drives a
        service, ``startable`` are those that may be started just now, and ``readings`` what gates look at.
        """
        self._hands, self._submit, self._leads, self._mine = hands, submit, leads, mine
        self._startable = startable
        self._checks = RecoveryChecks(hands, readings, self._of)
        self._memories: dict[str, Memory] = {}

    def turn(self, clock: Callable[[], Instant], latest: Callable[[], State]) -> bool:
        """Look at every recovery once; returns whether any is under way. Raises `OpsError` where nothing can be said of
        any of them."""
        now = clock()
        active = [emergency.recovery for emergency in latest().active_emergencies()]
        under_way = [recovery for recovery in active if recovery is not None and recovery.is_active]
        self._memories = {each.recovery_id: self._memory(each, now) for each in under_way}
        for recovery in under_way:
            try:
                self._round(recovery, clock, latest)
            except (CommandRejected, RevisionConflict) as error:
                _log.info("a recovery waits", extra={"recovery": recovery.recovery_id, "fault": str(error)})
            except OpsError:
                raise
            except Exception:  # noqa: BLE001 (whatever is wrong with one recovery, the next one may have to turn back)
                _log.exception("a recovery cannot go on", extra={"recovery": recovery.recovery_id})
        if self._leads():
            self._begin_by_themselves(latest(), clock())
        return bool(under_way)

    # ------------------------------------------------------------------------------------------------------ one round
    def _memory(self, recovery: Recovery, now: Instant) -> Memory:
        known = self._memories.get(recovery.recovery_id)
        fresh = known is None or known.step_revision != recovery.step_revision
        return Memory(recovery.step_revision, now.elapsed_s) if fresh or known is None else known

    def _round(self, recovery: Recovery, clock: Callable[[], Instant], latest: Callable[[], State]) -> None:
        state, now = latest(), clock()
        current = (
            state.emergencies[recovery.emergency_id].recovery if recovery.emergency_id in state.emergencies else None
        )
        if current is None or current.recovery_id != recovery.recovery_id or not current.is_active:
            return  # a round of another recovery took its time, and this one has ended meanwhile
        recovery, memory = current, self._memory(current, now)
        self._memories[recovery.recovery_id] = memory
        work = work_of(state, recovery, self._hopeless(recovery, memory, state, now))
        this = Round(state, recovery, memory, work, now)
        reports = [*self._acted(this), *self._looked(this)]
        passing(Milestone.RECOVERY_SEEN, _phase(recovery))
        if reports:
            said = ReportServices(
                recovery_id=recovery.recovery_id, step_revision=recovery.step_revision, reports=tuple(reports)
            )
            self._submit(said, None)
        if self._leads():
            self._advance(this, latest(), clock)

    def _acted(self, this: Round) -> list[ServiceReport]:
        """Start what is not seen to run, or stop again what is not seen to be stopped."""
        wanted = self._of(this.state, this.work.start)
        wanted = [service for service in wanted if service.name not in this.memory.by_hand]
        ours = self._startable(this.recovery, wanted) if wanted else []
        ready = [service for service in ours if self._is_due(this, service.name, "start")]
        reports = self._did(this, "start", ready)
        for name in this.work.stop:
            this.memory.turned_s.setdefault(name, this.now.elapsed_s)
        stops: tuple[Deed, Deed] = ("stop", "kill")
        for deed in stops:
            due = [service for service in self._of(this.state, this.work.stop) if self._stopping(this, service) == deed]
            reports += self._did(this, deed, [service for service in due if self._is_due(this, service.name, deed)])
        return reports

    def _did(self, this: Round, deed: Deed, services: list[Service]) -> list[ServiceReport]:
        if not services:
            return []
        reports = []
        passing(Milestone.RECOVERY_ACTING, _phase(this.recovery))
        done_by = self._hands.act(deed, services, this.recovery)
        passing(Milestone.RECOVERY_ACTED, _phase(this.recovery))
        for name, done in done_by.items():
            if deed == "start" and done.outcome in {"failed", "refused"}:
                this.memory.failed[name] = done.detail or done.outcome
            if deed == "start" and done.outcome == "skipped":
                this.memory.by_hand[name] = done.detail
            reports.append(
                ServiceReport(
                    service=name, action=deed, outcome=done.outcome, detail=done.detail[:300], took_s=done.took_s
                )
            )
        return reports

    def _is_due(self, this: Round, name: str, deed: Deed) -> bool:
        """Whether to do it now: once, and again after a while where it is not seen to have come about."""
        tried_s = this.memory.tried_s.get((name, deed))
        if tried_s is not None and this.now.elapsed_s - tried_s < AGAIN_S:
            return False
        this.memory.tried_s[name, deed] = this.now.elapsed_s
        return True

    def _looked(self, this: Round) -> list[ServiceReport]:
        """Look at what the step is about; what the journal has seen already is no news."""
        reports = []
        leads = self._leads()
        wanted = self._of(this.state, this.work.observe if leads else (*this.work.observe, *this.work.dependencies))
        looks = dict(self._hands.look(wanted))
        if not leads:
            looks |= self._by_health(this, wanted, looks)
        for name, look in looks.items():
            this.looks[name] = look
            if look.standing is not None and (
                not is_seen(this.state, this.recovery, name, look.standing) or self._is_to_be_said(this, name)
            ):
                this.memory.said_s[name] = this.now.elapsed_s
                reports.append(
                    ServiceReport(
                        service=name, standing=look.standing, detail=look.detail[:300], observed_by="recovery"
                    )
                )
        return reports

    def _by_health(self, this: Round, services: Iterable[Service], looks: Mapping[str, Look]) -> dict[str, Look]:
        """How those that run, and whose health counts, stand by it: whoever leads cannot ask here, and takes what is
        said to run to be well."""
        counts = {*this.work.health, *this.work.dependencies}
        asked = [one for one in services if one.health and one.name in counts and looks[one.name].standing == "running"]
        found: dict[str, Look] = {}
        for name, health in (self._hands.health(asked) if asked else {}).items():
            starting = this.recovery.present.kind == "start"
            seen = self._checks.said(this, health_of(name), is_well=health.is_up, detail=health.detail)
            if seen.verdict != "good":
                is_bad = seen.verdict == "bad"
                standing: Standing | None = "failed" if is_bad and not starting else "starting" if starting else None
                found[name] = Look(standing, f"it runs and is unwell: {health.detail}")
        return found

    def _is_to_be_said(self, this: Round, name: str) -> bool:
        """Whether the one that leads is to hear again of what it cannot see itself."""
        return not self._leads() and this.now.elapsed_s - this.memory.said_s.get(name, 0.0) >= SAY_AGAIN_S

    def _advance(self, this: Round, state: State, clock: Callable[[], Instant]) -> None:
        """Say what was seen, where that could change anything. It was watched from the end of the first good look until
        the beginning of this one: what drivers took in between nobody saw."""
        recovery, memory = this.recovery, this.memory
        checks = () if recovery.status == "rolling-back" else tuple(self._checks.of(this))
        well = all(check.verdict == "good" for check in checks) and self._all_seen(this, state)
        broken = memory.looked_s is not None and this.now.elapsed_s - memory.looked_s > BREAK_S
        if not well or broken:
            memory.good_since_s = None
        watched_s = 0.0 if memory.good_since_s is None else this.now.elapsed_s - memory.good_since_s
        if well and memory.good_since_s is None:
            memory.good_since_s = clock().elapsed_s
        memory.looked_s = this.now.elapsed_s
        given_up = bool(this.work.stop) and set(this.work.stop) <= self._hopeless(recovery, memory, state, this.now)
        passing(Milestone.RECOVERY_ADVANCING, _phase(recovery))
        self._submit(
            AdvanceRecovery(
                recovery_id=recovery.recovery_id,
                step=recovery.step,
                checks=checks,
                watched_s=watched_s,
                given_up=given_up,
                step_revision=recovery.step_revision,
                step_s=this.now.elapsed_s - memory.began_s,
            ),
            None,
        )
        passing(Milestone.RECOVERY_ADVANCED, _phase(recovery))

    def _all_seen(self, this: Round, state: State) -> bool:
        """Whether everything that the step is about stands as it should, by this very look where it is ours."""
        wanted = this.wanted
        ours = all(look.standing == wanted for look in this.looks.values())
        return ours and all(is_seen(state, this.recovery, name, wanted) for name in this.work.observe)

    # --------------------------------------------------------------------------------------------------- turning back
    def _stopping(self, this: Round, service: Service) -> Deed:
        """Ask first; kill when half of its time is over."""
        spent_s = this.now.elapsed_s - this.memory.turned_s[service.name]
        return "stop" if spent_s < _turn_s(this.state, this.recovery) / 2 else "kill"

    def _hopeless(self, recovery: Recovery, memory: Memory, state: State, now: Instant) -> set[str]:
        """What could not be stopped again in its time: nothing waits for it any longer."""
        turn_s = _turn_s(state, recovery)
        return {name for name, since_s in memory.turned_s.items() if now.elapsed_s - since_s >= turn_s}

    # ------------------------------------------------------------------------------------------------- by themselves
    def _begin_by_themselves(self, state: State, now: Instant) -> None:
        for wanted in automatic_recoveries(state, now.at):
            try:
                self._submit(wanted, state.control_revision)
            except (CommandRejected, RevisionConflict) as error:
                _log.info("no automatic recovery", extra={"emergency": wanted.emergency_id, "fault": str(error)})

    def _of(self, state: State, names: Iterable[str]) -> list[Service]:
        """Those of these services that are driven from here."""
        found = (state.services[name] for name in names if name in state.services)
        return [service for service in found if self._mine(service)]


def _phase(recovery: Recovery) -> str:
    """The phase that a milestone is passed in; turning back is one of its own."""
    return recovery.status if recovery.status == "rolling-back" else recovery.phase


def _turn_s(state: State, recovery: Recovery) -> float:
    """How long each tier may take to stop again."""
    procedure = procedures(state.procedures).get(recovery.procedure)
    whole_s = _ROLLBACK_S if procedure is None else procedure.rollback_timeout_s
    return whole_s / max(1, len(set(tiers(state.services, recovery.attempted).values())))
