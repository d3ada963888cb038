"""The course of a recovery in steps, as the journal has it: its events, and the state they fold to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import SerializerFunctionWrapHandler, WrapSerializer

from core.engine import evolves
from core.gates import MISSING_MAX_S
from core.messages import EmergencyEvent, Header, RecoveryEvent, event
from core.recoveries import EndedAs, Phase, Recovery, RecoveryStep
from core.state import ENDED_KEPT, Emergency, State, Stop
from opsgate.order import BUDGET_S

ATTENTION: Final = "manual intervention needed"


def _steps_as_before(steps: tuple[RecoveryStep, ...], write: SerializerFunctionWrapHandler) -> list[dict[str, Any]]:
    """The usual patience of a gate is left unsaid: the version before does not know the field."""
    documents: list[dict[str, Any]] = write(steps)
    for gate in (gate for step in documents for gate in step["metrics"]):
        if gate["timeout_s"] == MISSING_MAX_S:
            del gate["timeout_s"]
    return documents


@event
class RecoveryStarted(RecoveryEvent):
    """A recovery in steps began; ``steps`` are all of them, frozen."""

    kind: Literal["recovery.started"] = "recovery.started"
    procedure: str
    steps: Annotated[tuple[RecoveryStep, ...], WrapSerializer(_steps_as_before)]
    reason: str
    automatic: bool = False
    checks: tuple[str, ...] = ()


@event
class RecoveryPhaseEntered(RecoveryEvent):
    """A recovery entered one of the five phases."""

    kind: Literal["recovery.phase-entered"] = "recovery.phase-entered"
    phase: Phase


@event
class RecoveryStepDone(RecoveryEvent):
    """A step was seen to be done, and the next one begins."""

    kind: Literal["recovery.step-done"] = "recovery.step-done"
    step: int
    checks: tuple[str, ...] = ()


@event
class RecoveryWaiting(RecoveryEvent):
    """What the present step waits for is something else than before, or nothing any more; ``checks`` are all that was
    looked at. One of what changes all the time is kept now and then."""

    kind: Literal["recovery.waiting"] = "recovery.waiting"
    step: int
    checks: tuple[str, ...] = ()


@event
class RecoveryHeld(RecoveryEvent):
    """A recovery stays at its present step until somebody continues it. It is watched all the same."""

    kind: Literal["recovery.held"] = "recovery.held"
    reason: str = ""


@event
class RecoveryContinued(RecoveryEvent):
    """A recovery that was held goes on; its present step begins anew."""

    kind: Literal["recovery.continued"] = "recovery.continued"


class RecoveryTurnedBack(RecoveryEvent):
    """Nothing is admitted any more, and what was restored stops again. ``step`` is where it had come to."""

    step: int
    why: str
    ends_as: EndedAs
    checks: tuple[str, ...] = ()


@event
class RecoveryFailed(RecoveryTurnedBack):
    """A step failed, and the recovery is turned back."""

    kind: Literal["recovery.failed"] = "recovery.failed"
    ends_as: EndedAs = "failed"


@event
class RecoveryAborted(RecoveryTurnedBack):
    """A person or a stop turned a recovery back."""

    kind: Literal["recovery.aborted"] = "recovery.aborted"
    ends_as: EndedAs = "aborted"
    stop_id: str | None = None


@event
class RecoveryRolledBack(RecoveryEvent):
    """A recovery was turned back to its end. ``left`` are the services that could not be stopped again."""

    kind: Literal["recovery.rolled-back"] = "recovery.rolled-back"
    why: str
    left: tuple[str, ...] = ()


@event
class RecoveryCompleted(RecoveryEvent):
    """All of it runs and was watched for as long as the procedure says; the emergency ends with it."""

    kind: Literal["recovery.completed"] = "recovery.completed"
    checks: tuple[str, ...] = ()


@event
class EmergencyEnded(EmergencyEvent):
    """An emergency was recovered. ``checks`` are what was looked at, as they stood."""

    kind: Literal["emergency.ended"] = "emergency.ended"
    reason: str
    checks: tuple[str, ...] = ()


@evolves(RecoveryStarted)
def recovery_started(state: State, happened: RecoveryStarted, header: Header) -> State:
    """Fold."""
    recovery = Recovery(
        recovery_id=happened.recovery_id,
        emergency_id=happened.emergency_id,
        procedure=happened.procedure,
        steps=happened.steps,
        started_at=header.at,
        by=header.actor.name,
        reason=happened.reason,
        automatic=happened.automatic,
        phase=happened.steps[0].phase,
        phase_at=header.at,
        step=0,
        step_at=header.at,
        deadline_at=_deadline(happened.steps[0], header.at),
        step_revision=header.revision,
        checks=happened.checks,
        stop_ids=state.emergencies[happened.emergency_id].stop_ids,
    )
    emergency = state.emergencies[happened.emergency_id]
    tries = emergency.tries + 1 if happened.automatic else emergency.tries
    begun = replace(emergency, recovery=recovery, tries=tries, attention="")
    return _with(state, begun)._replace(control_revision=header.revision)


@evolves(RecoveryPhaseEntered)
def recovery_phase_entered(state: State, happened: RecoveryPhaseEntered, header: Header) -> State:
    """Fold."""
    return _changed(state, happened, phase=happened.phase, phase_at=header.at)


@evolves(RecoveryStepDone)
def recovery_step_done(state: State, happened: RecoveryStepDone, header: Header) -> State:
    """Fold: the next step begins."""
    recovery = _of(state, happened)
    coming = recovery.steps[happened.step + 1]
    return _changed(
        state,
        happened,
        step=happened.step + 1,
        step_at=header.at,
        step_revision=header.revision,
        deadline_at=_deadline(coming, header.at),
        admit=coming.admit,
        checks=happened.checks,
    )


@evolves(RecoveryWaiting)
def recovery_waiting(state: State, happened: RecoveryWaiting, header: Header) -> State:
    """Fold: an observation, which changes nothing of how the recovery stands."""
    return _changed(state, happened, checks=happened.checks, checked_at=header.at)


@evolves(RecoveryHeld)
def recovery_held(state: State, happened: RecoveryHeld, header: Header) -> State:
    """Fold."""
    return _changed(state, happened, status="held", deadline_at=None, why=happened.reason)


@evolves(RecoveryContinued)
def recovery_continued(state: State, happened: RecoveryContinued, header: Header) -> State:
    """Fold."""
    present = _of(state, happened).present
    return _changed(
        state,
        happened,
        status="running",
        why="",
        step_at=header.at,
        step_revision=header.revision,
        deadline_at=_deadline(present, header.at),
    )


@evolves(RecoveryFailed, RecoveryAborted)
def recovery_turned_back(state: State, happened: RecoveryTurnedBack, header: Header) -> State:
    """Fold: whether what it may have started is stopped is not known until somebody has looked, nor is it what became
    of the work that was let through."""
    recovery = _of(state, happened)
    state = _changed(
        state,
        happened,
        status="rolling-back",
        why=happened.why,
        ends_as=happened.ends_as,
        checks=happened.checks or recovery.checks,
        step_at=header.at,
        step_revision=header.revision,
        deadline_at=None,
        admit=0.0,
    )
    stops = state.stops
    for stop_id in state.emergencies[happened.emergency_id].stop_ids:
        steps = tuple(
            replace(step, standing="unknown", stopped_at=None) if step.service in recovery.attempted else step
            for step in stops[stop_id].services
        )
        stop = replace(stops[stop_id], services=steps)
        stops = stops.set(stop_id, _recounted(stop, header) if recovery.admit > 0.0 and stop.of else stop)
    return state._replace(stops=stops)


@evolves(RecoveryRolledBack)
def recovery_rolled_back(state: State, happened: RecoveryRolledBack, header: Header) -> State:
    """Fold: a failure, or what could not be stopped again, needs a person, and says so."""
    recovery = _of(state, happened)
    state = _changed(state, happened, status=recovery.ends_as, left=happened.left, ended_at=header.at)
    attention = f"{ATTENTION}: {happened.why}" if recovery.ends_as == "failed" or happened.left else ""
    if happened.left:
        attention += f"; NOT STOPPED again: {', '.join(happened.left)}"
    emergency = state.emergencies[happened.emergency_id]
    failed = emergency.failed_recoveries + bool(attention)  # what somebody turned back, and all of it, has not failed
    tried = replace(emergency, attention=attention, failed_recoveries=failed)
    return _with(state, tried)._replace(control_revision=header.revision)


@evolves(RecoveryCompleted)
def recovery_completed(state: State, happened: RecoveryCompleted, header: Header) -> State:
    """Fold."""
    return _changed(state, happened, status="completed", admit=1.0, checks=happened.checks, ended_at=header.at)


@evolves(EmergencyEnded)
def emergency_ended(state: State, happened: EmergencyEnded, header: Header) -> State:
    """Fold; only the latest ended emergencies stay, with their stops."""
    known = state.emergencies[happened.emergency_id]
    ended = replace(known, status="ended", ended_at=header.at, ended_by=header.actor.name, attention="")
    state = state.with_emergency(ended)
    emergencies, stops = state.emergencies, state.stops
    past = sorted(
        (e for e in emergencies.values() if e.ended_at), key=lambda e: (e.ended_at or header.at, e.emergency_id)
    )
    for old in past[:-ENDED_KEPT]:
        emergencies = emergencies.delete(old.emergency_id)
        for stop_id in old.stop_ids:
            stops = stops.delete(stop_id)
    return state._replace(emergencies=emergencies, stops=stops, control_revision=header.revision)


def _of(state: State, happened: RecoveryEvent) -> Recovery:
    recovery = state.emergencies[happened.emergency_id].recovery
    assert recovery is not None, "a recovery is begun before anything else happens to it"
    return recovery


def _changed(state: State, happened: RecoveryEvent, **changes: Any) -> State:
    recovery = replace(_of(state, happened), **changes)
    return _with(state, replace(state.emergencies[happened.emergency_id], recovery=recovery))


def _with(state: State, emergency: Emergency) -> State:
    return state.with_emergency(emergency)


def _recounted(stop: Stop, header: Header) -> Stop:
    """Its workers have to acknowledge once more, within the time that its level has."""
    return replace(
        stop,
        acked=(),
        result="pending",
        concluded_at=None,
        recounted_revision=header.revision,
        deadline_at=header.at + timedelta(seconds=BUDGET_S[stop.level]),
    )


def _deadline(step: RecoveryStep, at: datetime) -> datetime | None:
    return None if step.timeout_s is None else at + timedelta(seconds=step.timeout_s + step.wait_s)
