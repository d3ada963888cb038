"""Recovery: the only way back from an emergency.

In its smallest form: the scope typed, everything looked at once more, that emergency's holds released. Ending it so
starts no process by itself. Where services were stopped it goes in steps (`core.capabilities.restoring`), which a
person may hold, continue, abort and roll back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from core.capabilities.course import RecoveryContinued, RecoveryHeld
from core.capabilities.holds import require_reason, require_unmoved
from core.capabilities.ownership import require_emergency
from core.capabilities.procedures import procedure_named
from core.capabilities.restoring import begin, end, holds_of, turn_back
from core.emergency_rules import AS_USUAL, Rules
from core.engine import Draft, decides, only_people
from core.errors import CommandRejected, ConfirmationNeeded, NotPermitted
from core.messages import Command, FreeText, Identifier, command
from core.procedures import DIRECT, chosen, steps_of
from core.recoveries import Recovery, RecoveryStep
from core.services import in_stop_order
from core.state import Emergency, State, Stop, Trigger
from opsgate.hold import timestamp
from opsgate.selector import scope_text

COUNTED_LATE_S: Final = 10.0
"""Seconds after a stop's deadline in which a keeper would have said what it came to: then none is running."""


@command
class Recover(Command):
    """End an emergency: release its holds. ``confirm`` is its scope, as it is printed, typed by whoever recovers.

    ``procedure`` None chooses: directly where no service was stopped, else by the level. ``automatic`` is the engine's
    own: it types nothing, and may only where the trigger of every stop said so in advance.
    """

    kind: Literal["recover"] = "recover"
    emergency_id: Identifier
    reason: FreeText
    confirm: str = ""
    procedure: Identifier | None = None
    automatic: bool = False

    @property
    def lets_run(self) -> bool:
        """What the emergency stopped may run."""
        return True


@command
class AbortRecovery(Command):
    """End a recovery that is under way: nothing is admitted any more, and what it started stops again."""

    kind: Literal["abort-recovery"] = "abort-recovery"
    emergency_id: Identifier
    reason: FreeText = ""


@command
class RollBackRecovery(Command):
    """The same, on purpose: what it restored was not good enough, and it is called rolled back and not aborted."""

    kind: Literal["roll-back-recovery"] = "roll-back-recovery"
    emergency_id: Identifier
    reason: FreeText = ""


@command
class HoldRecovery(Command):
    """Have a recovery stay at its present step."""

    kind: Literal["hold-recovery"] = "hold-recovery"
    emergency_id: Identifier
    reason: FreeText = ""


@command
class ContinueRecovery(Command):
    """Have a recovery that is held go on with its present step, from the beginning of that step."""

    kind: Literal["continue-recovery"] = "continue-recovery"
    emergency_id: Identifier

    @property
    def lets_run(self) -> bool:
        """More may run in time."""
        return True


@decides(Recover)
def recover(draft: Draft, wanted: Recover) -> None:
    """Typed scope, checks, and then at once or step by step."""
    emergency = require_emergency(draft.state, wanted.emergency_id)
    draft.emergency_id = emergency.emergency_id
    draft.scope = emergency.selectors
    if emergency.status == "ended":
        ended = timestamp(emergency.ended_at or draft.now)
        draft.notes.append(f"{emergency.emergency_id} was recovered at {ended} by {emergency.ended_by}")
        return
    if wanted.automatic:
        _require_automatic(draft, emergency)
    else:
        only_people(draft, "recovery")
    require_reason(wanted.reason)
    require_unmoved(draft)
    if not wanted.automatic and wanted.confirm != (scope := scope_text(emergency.selectors)):
        raise ConfirmationNeeded("scope-not-typed", f"type the scope of {emergency.emergency_id}: {scope}")
    if emergency.recovery is not None and emergency.recovery.is_active:
        recovery = emergency.recovery
        raise CommandRejected(
            "recovery-running", f"{recovery.recovery_id} is {recovery.status} already", "abort it first"
        )
    named = chosen(emergency.level) if wanted.automatic else wanted.procedure
    name = procedure_of(draft.state, emergency, named)
    steps = plan_of(draft.state, emergency, name, draft.facts.rules)
    checks = recovery_checks(draft.state, emergency, draft.now)
    failed = [check for check in checks if check.verdict == "fail"]
    if failed:
        raise CommandRejected("recovery-check-failed", "; ".join(check.detail for check in failed), failed[0].hint)
    shown = tuple(str(check) for check in checks)
    if steps:
        begin(draft, emergency, name, steps, reason=wanted.reason, automatic=wanted.automatic, checks=shown)
    else:
        end(draft, emergency, wanted.reason, shown)


@decides(AbortRecovery)
def abort_recovery(draft: Draft, wanted: AbortRecovery) -> None:
    """Stopping is cheap: it asks for nothing, and again changes nothing."""
    recovery = _under_way(draft, wanted.emergency_id)
    if recovery.goes_forward:
        turn_back(draft, recovery, wanted.reason or f"aborted by {draft.actor.name}")


@decides(RollBackRecovery)
def roll_back_recovery(draft: Draft, wanted: RollBackRecovery) -> None:
    """The same under another name."""
    recovery = _under_way(draft, wanted.emergency_id)
    if recovery.goes_forward:
        turn_back(draft, recovery, wanted.reason or f"rolled back by {draft.actor.name}", ends_as="rolled-back")


@decides(HoldRecovery)
def hold_recovery(draft: Draft, wanted: HoldRecovery) -> None:
    """Stay where it is; what is admitted stays admitted."""
    recovery = _under_way(draft, wanted.emergency_id)
    if recovery.status == "running":
        draft.emit(
            RecoveryHeld(emergency_id=recovery.emergency_id, recovery_id=recovery.recovery_id, reason=wanted.reason)
        )


@decides(ContinueRecovery)
def continue_recovery(draft: Draft, wanted: ContinueRecovery) -> None:
    """Go on, by a person."""
    recovery = _under_way(draft, wanted.emergency_id)
    only_people(draft, "continuing a recovery")
    require_unmoved(draft)
    if recovery.status == "held":
        draft.emit(RecoveryContinued(emergency_id=recovery.emergency_id, recovery_id=recovery.recovery_id))


def services_of(state: State, emergency: Emergency) -> tuple[str, ...]:
    """The services that the stops of an emergency list, in the order in which they stop."""
    stops = (state.stops[stop_id] for stop_id in emergency.stop_ids)
    names = dict.fromkeys(step.service for stop in stops for step in stop.services)
    return in_stop_order(state.services, names)


def procedure_of(state: State, emergency: Emergency, named: str | None = None) -> str:
    """The procedure by which an emergency is recovered: the one named, else what suits it."""
    if named is not None:
        return named
    return chosen(emergency.level) if services_of(state, emergency) else DIRECT


def plan_of(state: State, emergency: Emergency, procedure: str, rules: Rules = AS_USUAL) -> tuple[RecoveryStep, ...]:
    """The steps that a recovery by this procedure would have now; none directly. Raises `UnknownName`."""
    if procedure == DIRECT:
        return ()
    return steps_of(procedure_named(state, procedure), state.services, services_of(state, emergency), rules)


def why_not_automatic(state: State, emergency: Emergency) -> str:
    """Why this emergency may not recover of itself, or "" where it may."""
    stops = [state.stops[stop_id] for stop_id in emergency.stop_ids]
    triggers = [state.triggers.get(stop.trigger) for stop in stops]
    if not all(stop.auto_recover for stop in stops) or not all(t and t.definition.auto_recover for t in triggers):
        return "not every stop of it was fired by a trigger that may recover"
    if emergency.level == "immediate" or any(stop.level == "immediate" for stop in stops):
        return "an immediate stop is recovered by people"
    off = sorted(t.definition.name for t in _fired_it(state, emergency) if not t.definition.is_active)
    if off:
        return f"{', '.join(off)} is switched off: nobody sees whether it has come back"
    crossed = [trigger.definition.name for trigger in _fired_it(state, emergency) if trigger.crossed_since]
    if crossed:
        return f"{', '.join(sorted(crossed))} has not come back"
    silent = sorted(t.definition.name for t in _fired_it(state, emergency) if not _has_come_back(t, emergency))
    if silent:
        return f"no sample says that {', '.join(silent)} has come back"
    recovery = emergency.recovery
    if recovery is not None and recovery.left:
        return f"{', '.join(recovery.left)} could not be stopped again"
    if recovery is not None and (not recovery.automatic or recovery.ends_as in {"aborted", "rolled-back"}):
        return f"a person has decided about {recovery.recovery_id}, and decides what comes next"
    most = procedure_named(state, chosen(emergency.level)).max_tries
    return f"it was tried {emergency.tries} times" if emergency.tries >= most else ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at before a release. ``fail`` refuses it; ``warn`` is for the person to weigh."""

    verdict: Literal["ok", "warn", "fail"]
    detail: str
    hint: str = ""

    def __str__(self) -> str:
        return f"[{ {'ok': 'ok', 'warn': '!!', 'fail': 'XX'}[self.verdict] }] {self.detail}"


def recovery_checks(state: State, emergency: Emergency, now: datetime | None = None) -> tuple[Check, ...]:
    """What a recovery of this emergency would find now: each stop's verification, and what would still hold.

    Without ``now``, a stop that is still counting counts as within its time.
    """
    checks = [_check_of_stop(state.stops[stop_id], now) for stop_id in emergency.stop_ids]
    own = {hold.hold_id for hold in holds_of(state, emergency)}
    others = [hold for hold in state.holds_touching(emergency.selectors) if hold.hold_id not in own]
    if others:
        shown = ", ".join(f"{hold.hold_id} of {hold.source} {hold.owner}" for hold in others[:3])
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        checks.append(Check("warn", f"still held afterwards by {shown}{more}"))
    else:
        checks.append(Check("ok", "nothing else holds this scope: work starts at once"))
    return tuple(checks)


def _fired_it(state: State, emergency: Emergency) -> Iterator[Trigger]:
    """The triggers that fired its stops or joined it since."""
    names = {state.stops[stop_id].trigger for stop_id in emergency.stop_ids}
    for trigger in state.triggers.values():
        if trigger.definition.name in names or trigger.emergency_id == emergency.emergency_id:
            yield trigger


def _has_come_back(trigger: Trigger, emergency: Emergency) -> bool:
    """Whether samples have said so since it crossed for this emergency: nothing is heard of what has stopped, and
    nothing can be said where nobody has recorded yet that it crossed."""
    return trigger.emergency_id == emergency.emergency_id and trigger.came_back_at is not None


def _require_automatic(draft: Draft, emergency: Emergency) -> None:
    if draft.actor.kind != "system":
        raise NotPermitted("system-only", "automatic recovery is for the keeper alone")
    off = "" if draft.facts.rules.automatic_recovery else "automatic recovery is off"
    why = off or why_not_automatic(draft.state, emergency)
    if why:
        raise CommandRejected("not-automatic", f"{emergency.emergency_id} does not recover of itself: {why}")


def _under_way(draft: Draft, emergency_id: str) -> Recovery:
    emergency = require_emergency(draft.state, emergency_id)
    draft.emergency_id, draft.correlation_id = emergency_id, emergency.correlation_id
    draft.scope = emergency.selectors
    recovery = emergency.recovery
    if recovery is None or not recovery.is_active:
        raise CommandRejected("no-recovery", f"no recovery of {emergency_id} is under way")
    return recovery


def _check_of_stop(stop: Stop, now: datetime | None) -> Check:
    counts = f"{stop.stop_id}: {len(stop.listed) - len(stop.missing)}/{len(stop.listed)} acknowledged"
    late = now is not None and now > stop.deadline_at + timedelta(seconds=COUNTED_LATE_S)
    match stop.result:
        case "verified":
            return Check("ok", f"{counts}, verified")
        case "pending" if late:
            return Check("warn", f"{counts}, and no keeper has counted since: nobody knows who stopped")
        case "pending":
            return Check("fail", f"{counts}, still counting", "wait for its result, it comes within its budget")
        case _:
            shown = ", ".join(stop.missing[:5])
            return Check("warn", f"{counts}, {stop.result}; not known to have stopped: {shown}")
