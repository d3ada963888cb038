"""Recovery in steps: what happens of itself once it has begun, and how it is turned back.

Every step is decided here by what was observed, never by what somebody claims to have done. A step that fails turns the
recovery back: first the holds, then what was started stops again, and the emergency goes on and says that it needs a
person. A stop turns back whatever recovery it touches, in the very decision that orders it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from core.capabilities.conclusion import conclude_anew
from core.capabilities.course import (
    EmergencyEnded,
    RecoveryAborted,
    RecoveryCompleted,
    RecoveryFailed,
    RecoveryHeld,
    RecoveryPhaseEntered,
    RecoveryRolledBack,
    RecoveryStarted,
    RecoveryStepDone,
    RecoveryWaiting,
)
from core.capabilities.holds import HoldChanged, release
from core.engine import Draft, RemoveLatch, decides, only_system
from core.messages import (
    Command,
    FreeText,
    Identifier,
    Message,
    command,
)
from core.recoveries import EndedAs, Recovery, RecoveryStep
from core.recovery_work import asked, is_seen, still_running, unmet
from core.state import Emergency, State
from opsgate.hold import Hold
from opsgate.selector import Selector

Verdict = Literal["good", "waiting", "bad"]

WAITS_AFTER_S: Final = 2.0
"""Seconds that a step has before it is said what it waits for: most come about by then."""

WAITS_AGAIN: Final = timedelta(seconds=10)
"""The least time between two words of what one step waits for."""


class Seen(Message):
    """One thing that was looked at: its name, whether it is well, and what was found; ``value`` where it is
    measured, ``missing_s`` for how long there was too little of it to tell."""

    name: FreeText
    verdict: Verdict
    detail: FreeText = ""
    value: Annotated[float, Field(allow_inf_nan=False)] | None = None
    missing_s: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 0.0

    def __str__(self) -> str:
        sign = {"good": "ok", "waiting": "..", "bad": "XX"}[self.verdict]
        return f"[{sign}] {self.name}{f': {self.detail}' if self.detail else ''}"


@command
class AdvanceRecovery(Command):
    """What the engine observed of the present step of a recovery, or of turning it back.

    ``watched_s`` is for how long, without a break, everything has been seen to be good since the step began.
    ``given_up`` says that nothing more can be done to turn it back. ``step_revision`` is that of the recovery when it
    was looked at, and ``step_s`` the seconds that the step has had by a clock that never jumps.
    """

    kind: Literal["advance-recovery"] = "advance-recovery"
    recovery_id: Identifier
    step: Annotated[int, Field(ge=0)]
    checks: Annotated[tuple[Seen, ...], Field(max_length=1000)] = ()
    watched_s: Annotated[float, Field(ge=0.0)] = 0.0
    given_up: bool = False
    step_revision: Annotated[int, Field(ge=0)] | None = None
    step_s: Annotated[float, Field(ge=0.0)] = 0.0


@decides(AdvanceRecovery)
def advance_recovery(draft: Draft, seen: AdvanceRecovery) -> None:
    """One observation; what is about another step than the present one changes nothing."""
    only_system(draft, "advancing a recovery")
    emergency = _recovering(draft.state, seen.recovery_id)
    if emergency is None or emergency.recovery is None or emergency.recovery.step != seen.step:
        draft.notes.append(f"recovery {seen.recovery_id} is not at step {seen.step}")
        return
    recovery = emergency.recovery
    if seen.step_revision not in (None, recovery.step_revision):
        draft.notes.append(f"step {seen.step + 1} of {seen.recovery_id} has begun anew since")
        return
    draft.emergency_id, draft.correlation_id = emergency.emergency_id, emergency.correlation_id
    if recovery.status == "rolling-back":
        _roll_back(draft, recovery, given_up=seen.given_up)
        return
    why = _fault(draft, recovery, seen)
    checks = tuple(map(str, seen.checks))
    if why:
        draft.emit(
            RecoveryFailed(
                emergency_id=recovery.emergency_id,
                recovery_id=recovery.recovery_id,
                step=recovery.step,
                why=why[:300],
                checks=checks,
            )
        )
        _turned_back(draft, recovery)
    elif recovery.status == "running" and (unmeasured := _unmeasured(recovery, seen)):
        draft.emit(
            RecoveryHeld(emergency_id=recovery.emergency_id, recovery_id=recovery.recovery_id, reason=unmeasured[:300])
        )
    elif recovery.status == "running" and _is_done(draft.state, recovery, seen):
        _next(draft, recovery, checks)
    else:
        _say_waits(draft, recovery, seen, checks)


def begin(
    draft: Draft,
    emergency: Emergency,
    procedure: str,
    steps: tuple[RecoveryStep, ...],
    *,
    reason: str,
    automatic: bool,
    checks: tuple[str, ...],
) -> None:
    """Begin a recovery at the first of its steps; whether it may begin has been decided."""
    draft.correlation_id = emergency.correlation_id
    recovery_id = f"R-{draft.next_revision}"
    draft.emit(
        RecoveryStarted(
            emergency_id=emergency.emergency_id,
            recovery_id=recovery_id,
            procedure=procedure,
            steps=steps,
            reason=reason,
            automatic=automatic,
            checks=checks,
        )
    )
    draft.emit(RecoveryPhaseEntered(emergency_id=emergency.emergency_id, recovery_id=recovery_id, phase=steps[0].phase))


def end(draft: Draft, emergency: Emergency, reason: str, checks: tuple[str, ...]) -> None:
    """Release exactly this emergency's holds and end it."""
    for hold in holds_of(draft.state, emergency):
        release(draft, hold, reason)
    draft.emit(EmergencyEnded(emergency_id=emergency.emergency_id, reason=reason, checks=checks))
    draft.effects.extend(RemoveLatch(stop_id) for stop_id in emergency.stop_ids)


def turn_back(
    draft: Draft, recovery: Recovery, why: str, *, ends_as: EndedAs = "aborted", stop_id: str | None = None
) -> None:
    """Stop restoring: holds first, then whatever may have been started."""
    draft.emit(
        RecoveryAborted(
            emergency_id=recovery.emergency_id,
            recovery_id=recovery.recovery_id,
            step=recovery.step,
            why=why,
            stop_id=stop_id,
            ends_as=ends_as,
        )
    )
    _turned_back(draft, recovery)


def turn_back_for(draft: Draft, stop_id: str, selectors: Iterable[Selector], services: Iterable[str]) -> None:
    """A stop wins: turn back every recovery whose work or whose services it touches."""
    scopes, driven = tuple(selectors), frozenset(services)
    for emergency in draft.state.active_emergencies():
        recovery = emergency.recovery
        if recovery is None or not recovery.goes_forward:
            continue
        meets = any(mine.overlaps(theirs) for mine in scopes for theirs in emergency.selectors)
        if meets or driven.intersection(recovery.services):
            turn_back(draft, recovery, f"stop {stop_id} came", stop_id=stop_id)


def holds_of(state: State, emergency: Emergency) -> tuple[Hold, ...]:
    """The holds of an emergency, oldest first."""
    own = (h for h in state.holds.values() if (h.source, h.owner) == ("emergency", emergency.emergency_id))
    return tuple(sorted(own, key=lambda hold: (hold.placed_at, hold.revision)))


def _recovering(state: State, recovery_id: str) -> Emergency | None:
    for emergency in state.active_emergencies():
        recovery = emergency.recovery
        if recovery is not None and recovery.recovery_id == recovery_id and recovery.is_active:
            return emergency
    return None


def _fault(draft: Draft, recovery: Recovery, seen: AdvanceRecovery) -> str:
    """Why the present step has failed, "" where it has not."""
    step = recovery.present
    found = (*seen.checks, *_known(draft.state, recovery))
    bad = next((check for check in found if check.verdict == "bad"), None)
    if bad is not None:
        return f"{bad.name}: {bad.detail}" if bad.detail else bad.name
    if step.kind in {"admit", "watch"}:
        fallen = [name for name in step.services if _standing(draft.state, name) not in {"running", "unknown"}]
        if fallen:
            return f"{fallen[0]} is seen {_standing(draft.state, fallen[0])}"
    if _is_late(draft, recovery, seen) and recovery.status == "running" and not _is_done(draft.state, recovery, seen):
        waiting = [check for check in seen.checks if check.verdict == "waiting"]
        what = f": {str(waiting[0]).partition(' ')[2]}" if waiting else ""
        return f"step {recovery.step + 1} took over {step.timeout_s:g} s{what}"
    return ""


def _unmeasured(recovery: Recovery, seen: AdvanceRecovery) -> str:
    """Which gate of the present step has had too few samples for too long, "" where none has."""
    least_s = {gate.name: gate.timeout_s for gate in reversed(recovery.present.metrics)}
    for check in seen.checks:
        timeout_s = least_s.get(check.name)
        if timeout_s is not None and check.verdict == "waiting" and check.missing_s >= timeout_s:
            return f"{check.name}: {check.detail}, and no more for {timeout_s:g} s"
    return ""


def _is_late(draft: Draft, recovery: Recovery, seen: AdvanceRecovery) -> bool:
    """Whether the present step has used up its time, by the time of day or by the clock that never jumps."""
    deadline_at = recovery.deadline_at
    if deadline_at is None:
        return False
    return draft.now >= deadline_at or seen.step_s >= (deadline_at - recovery.step_at).total_seconds()


def _is_done(state: State, recovery: Recovery, seen: AdvanceRecovery) -> bool:
    """Whether everything about the present step is good, and has been for long enough."""
    step = recovery.present
    if any(check.verdict != "good" for check in seen.checks) or seen.watched_s < step.wait_s:
        return False
    if not asked(state, recovery) <= {check.name for check in seen.checks}:
        return False
    match step.kind:
        case "prepare":
            return all(is_seen(state, recovery, name, "stopped") for name in step.services)
        case "start" | "admit" | "watch":
            return all(is_seen(state, recovery, name, "running") for name in step.services)
        case "check":
            return True


def _known(state: State, recovery: Recovery) -> Iterator[Seen]:
    """What the journal itself says of the things to be checked before anything is restored."""
    step = recovery.present
    emergency = state.emergencies[recovery.emergency_id]
    if "verified" in step.checks:
        for stop in (state.stops[stop_id] for stop_id in emergency.stop_ids):
            if stop.result != "verified":
                yield Seen(name="verified", verdict="bad", detail=f"{stop.stop_id} is {stop.result}")
    if "saved-state" in step.checks:
        for name in step.services:
            if name in state.services and not state.services[name].saved:
                yield Seen(name="saved-state", verdict="bad", detail=f"{name} has saved none")


def _standing(state: State, name: str) -> str:
    service = state.services.get(name)
    return "unknown" if service is None else service.standing


def _say_waits(draft: Draft, recovery: Recovery, seen: AdvanceRecovery, checks: tuple[str, ...]) -> None:
    """Say what a step waits for where that is news: not at each look, and nothing that comes about at once."""
    waits, said = unmet(checks), unmet(recovery.checks)
    said_at = recovery.checked_at if recovery.checked_at and recovery.checked_at >= recovery.step_at else None
    is_soon = seen.step_s < WAITS_AFTER_S if said_at is None else abs(draft.now - said_at) < WAITS_AGAIN
    if waits == said or is_soon:
        return
    draft.emit(
        RecoveryWaiting(
            emergency_id=recovery.emergency_id, recovery_id=recovery.recovery_id, step=recovery.step, checks=checks
        )
    )


def _next(draft: Draft, recovery: Recovery, checks: tuple[str, ...]) -> None:
    emergency = draft.state.emergencies[recovery.emergency_id]
    emergency_id, recovery_id = recovery.emergency_id, recovery.recovery_id
    if recovery.step + 1 == len(recovery.steps):
        draft.emit(RecoveryCompleted(emergency_id=emergency_id, recovery_id=recovery_id, checks=checks))
        end(draft, emergency, recovery.reason, checks)
        return
    draft.emit(RecoveryStepDone(emergency_id=emergency_id, recovery_id=recovery_id, step=recovery.step, checks=checks))
    coming = recovery.steps[recovery.step + 1]
    if coming.phase != recovery.phase:
        draft.emit(RecoveryPhaseEntered(emergency_id=emergency_id, recovery_id=recovery_id, phase=coming.phase))
    if coming.admit != recovery.admit:
        _admit(draft, emergency, coming.admit)


def _turned_back(draft: Draft, recovery: Recovery) -> None:
    """Nothing is admitted from here on, and nobody is known to be stopped who may have been started; where nothing may
    have been, that is all."""
    _admit(draft, draft.state.emergencies[recovery.emergency_id], 0.0)
    for stop_id in draft.state.emergencies[recovery.emergency_id].stop_ids:
        conclude_anew(draft, draft.state.stops[stop_id])
    turned = draft.state.emergencies[recovery.emergency_id].recovery
    assert turned is not None, "it is the one that has just been turned back"
    if not turned.attempted:
        _roll_back(draft, turned, given_up=False)


def _roll_back(draft: Draft, recovery: Recovery, *, given_up: bool) -> None:
    """It is over when everything that it may have started was seen to be stopped, or nothing more can be done."""
    left = still_running(draft.state, recovery)
    if left and not given_up:
        return
    draft.emit(
        RecoveryRolledBack(
            emergency_id=recovery.emergency_id, recovery_id=recovery.recovery_id, why=recovery.why, left=left
        )
    )


def _admit(draft: Draft, emergency: Emergency, share: float) -> None:
    """Let this share of what the emergency stopped through."""
    for hold in holds_of(draft.state, emergency):
        if hold.admit != share:
            draft.emit(
                HoldChanged(hold_id=hold.hold_id, mode=hold.mode, expires_at=None, admit=share, reason=hold.reason)
            )
