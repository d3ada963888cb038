"""Reports of services: what drivers did about them, and what was observed of them.

The journal has each attempt with its time. That a service stopped, or runs, is said by its observed standing alone,
never by what its driver answered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from core.capabilities.holds import require_unmoved
from core.capabilities.services import conclude_services_anew, with_service, with_step
from core.engine import Draft, decides, evolves, only_system
from core.messages import Command, FreeText, Header, Identifier, Message, ServiceEvent, command, event
from core.services import Action, ActionOutcome, ActionTaken, ServiceStep, Standing
from core.state import State, Stop

_ACTIONS_KEPT: Final = 20
"""How many of the attempts on one service a stop keeps; all of them are in the journal."""

_SEEN_LATELY: Final = timedelta(seconds=5)
"""For how long an observation in a recovery is none that is worth another event."""

_STOPPING: Final[frozenset[Action]] = frozenset({"save-state", "drain", "stop", "kill"})


class ServiceReport(Message):
    """What was done about one service, and how it was seen to stand afterwards by somebody who is not its driver.

    ``standing`` None says that nobody could see. ``saved`` refers to the state that was saved.
    """

    service: Identifier
    action: Action = "observe"
    outcome: ActionOutcome = "done"
    standing: Standing | None = None
    detail: FreeText = ""
    took_s: Annotated[float, Field(ge=0.0)] = 0.0
    observed_by: FreeText = ""
    saved: FreeText = ""


@command
class ReportServices(Command):
    """What the engine's drivers did, and what was observed: of its own accord, in a stop, or in a recovery.

    ``step_revision`` is that of the recovery when it was looked at: what was seen of a step that is over, or before the
    recovery was turned back, proves nothing now.
    """

    kind: Literal["report-services"] = "report-services"
    stop_id: Identifier | None = None
    recovery_id: Identifier | None = None
    step_revision: Annotated[int, Field(ge=0)] | None = None
    reports: Annotated[tuple[ServiceReport, ...], Field(min_length=1, max_length=1000)]


@event
class ServiceStopAttempted(ServiceEvent):
    """A driver was asked to drain, save, stop or kill a service; what it answered, which proves nothing."""

    kind: Literal["service.stop-attempted"] = "service.stop-attempted"
    stop_id: str | None
    recovery_id: str | None
    action: Action
    outcome: ActionOutcome
    took_s: float
    detail: str = ""


@event
class ServiceObserved(ServiceEvent):
    """A service was seen to stand otherwise than before, or anew in a stop or a recovery."""

    kind: Literal["service.observed"] = "service.observed"
    standing: Standing
    stop_id: str | None
    recovery_id: str | None
    detail: str = ""
    observed_by: str = ""


@event
class ServiceStateSaved(ServiceEvent):
    """A service saved its state; ``saved`` is where a recovery finds it."""

    kind: Literal["service.state-saved"] = "service.state-saved"
    stop_id: str | None
    saved: str


@event
class ServiceStarted(ServiceEvent):
    """A driver started a service in a recovery, as it says."""

    kind: Literal["service.started"] = "service.started"
    recovery_id: str | None
    took_s: float
    detail: str = ""


@event
class ServiceStartFailed(ServiceEvent):
    """A driver could not start a service."""

    kind: Literal["service.start-failed"] = "service.start-failed"
    recovery_id: str | None
    outcome: ActionOutcome
    took_s: float
    detail: str = ""


@decides(ReportServices)
def report_services(draft: Draft, seen: ReportServices) -> None:
    """Each attempt is kept, observations only where they are news; a stop is concluded by its last one.

    Where a revision is given, the looks were made at that one, and a stop since then has overtaken them.
    """
    only_system(draft, "reporting services")
    require_unmoved(draft)
    for report in seen.reports:
        if report.service not in draft.state.services:
            draft.notes.append(f"no service is called {report.service}")
            continue
        _attempted(draft, seen, report)
        standing = _believed(draft.state, seen, report)
        if standing is not None and _is_news(draft, seen, report, standing):
            draft.emit(
                ServiceObserved(
                    service=report.service,
                    standing=standing,
                    stop_id=seen.stop_id,
                    recovery_id=seen.recovery_id,
                    detail=report.detail,
                    observed_by=report.observed_by,
                )
            )
    conclude_services_anew(draft)


@evolves(ServiceStopAttempted)
def service_stop_attempted(state: State, happened: ServiceStopAttempted, header: Header) -> State:
    """Fold: the step of its stop has it, the latest few of each kind."""
    taken = ActionTaken(happened.action, happened.outcome, happened.took_s, header.at, happened.detail)

    def tried(step: ServiceStep) -> ServiceStep:
        return replace(step, actions=(*step.actions, taken)[-_ACTIONS_KEPT:])

    stop = state.stops.get(happened.stop_id or "")
    return state if stop is None else with_step(state, stop, happened.service, tried)


@evolves(ServiceObserved)
def service_observed(state: State, happened: ServiceObserved, header: Header) -> State:
    """Fold: itself, and its step in every stop in force that no recovery is bringing it back from."""
    known = state.services[happened.service]
    service = replace(
        known,
        standing=happened.standing,
        observed_at=header.at,
        observed_revision=header.revision,
        detail=happened.detail,
    )
    state = with_service(state, service)

    def seen(step: ServiceStep) -> ServiceStep:
        return stood(step, happened.standing, header)

    for stop in _counting(state, happened.service):
        state = with_step(state, stop, happened.service, seen)
    return state


@evolves(ServiceStateSaved)
def service_state_saved(state: State, happened: ServiceStateSaved, _header: Header) -> State:
    """Fold."""
    return with_service(state, replace(state.services[happened.service], saved=happened.saved))


@evolves(ServiceStarted)
def service_started(state: State, happened: ServiceStarted, _header: Header) -> State:
    """Fold: the recovery has restored it."""
    for emergency in state.active_emergencies():
        recovery = emergency.recovery
        if recovery is None or recovery.recovery_id != happened.recovery_id or happened.service in recovery.restored:
            continue
        restored = replace(recovery, restored=(*recovery.restored, happened.service))
        return state.with_emergency(replace(emergency, recovery=restored))
    return state


@evolves(ServiceStartFailed)
def service_start_failed(state: State, _happened: ServiceStartFailed, _header: Header) -> State:
    """Fold: how it stands is said by an observation."""
    return state


def stood(step: ServiceStep, standing: Standing, header: Header) -> ServiceStep:
    """A step whose service was seen to stand so."""
    stopped_at = None if standing != "stopped" else step.stopped_at or header.at
    return replace(step, standing=standing, stopped_at=stopped_at)


def _attempted(draft: Draft, seen: ReportServices, report: ServiceReport) -> None:
    if report.action in _STOPPING:
        draft.emit(
            ServiceStopAttempted(
                service=report.service,
                stop_id=seen.stop_id,
                recovery_id=seen.recovery_id,
                action=report.action,
                outcome=report.outcome,
                took_s=report.took_s,
                detail=report.detail,
            )
        )
    if report.action == "save-state" and report.outcome == "done" and report.saved:
        draft.emit(ServiceStateSaved(service=report.service, stop_id=seen.stop_id, saved=report.saved))
    if report.action == "start" and report.outcome == "done":
        draft.emit(
            ServiceStarted(
                service=report.service, recovery_id=seen.recovery_id, took_s=report.took_s, detail=report.detail
            )
        )
    elif report.action == "start":
        draft.emit(
            ServiceStartFailed(
                service=report.service,
                recovery_id=seen.recovery_id,
                outcome=report.outcome,
                took_s=report.took_s,
                detail=report.detail,
            )
        )


def _believed(state: State, seen: ReportServices, report: ServiceReport) -> Standing | None:
    """How it stands by this report, as far as it still says so. What was seen of an earlier step will be looked at
    again; of a recovery that is over it may not be, and that something runs is believed even then."""
    if seen.step_revision is None:
        return report.standing
    cases = (emergency.recovery for emergency in state.active_emergencies())
    recovery = next((one for one in cases if one is not None and one.recovery_id == seen.recovery_id), None)
    if recovery is not None and recovery.is_active:
        return report.standing if recovery.step_revision == seen.step_revision else None
    return None if report.standing == "stopped" else report.standing


def _is_news(draft: Draft, seen: ReportServices, report: ServiceReport, standing: Standing) -> bool:
    """Whether this says anything that the journal does not: another standing, another reason why nobody can see it, one
    that a stop has not seen yet, or one that a recovery has not seen since its present step began, or not lately."""
    state, name = draft.state, report.service
    known = state.services[name]
    if known.standing != standing:
        return True
    at_rest = seen.stop_id is None and seen.recovery_id is None
    if at_rest and standing == "unknown" and known.detail != report.detail:
        return True
    for emergency in state.active_emergencies():
        recovery = emergency.recovery
        if recovery is not None and recovery.recovery_id == seen.recovery_id and recovery.is_active:
            is_old = known.observed_at is None or abs(draft.now - known.observed_at) >= _SEEN_LATELY
            return is_old or known.observed_revision < recovery.step_revision
    steps = (step for stop in _counting(state, name) for step in stop.services if step.service == name)
    return any(step.standing != standing for step in steps)


def _counting(state: State, name: str) -> list[Stop]:
    """The stops in force on whose list a service stands, but for those of a recovery that has begun to start it."""
    return [
        stop
        for emergency in state.active_emergencies()
        if not (emergency.recovery and emergency.recovery.goes_forward and name in emergency.recovery.attempted)
        for stop in (state.stops[stop_id] for stop_id in emergency.stop_ids)
        if any(step.service == name for step in stop.services)
    ]
