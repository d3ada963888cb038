"""Emergency stop, its verification, and the only way back.

A stop is a mergeable maximum: it is never refused for the state of things, the same ``stop_id`` again changes nothing,
and one that overlaps an emergency joins it and may only make it stronger. It freezes the list of live workers; the
result is ``verified``, ``partial`` with the missing named, or ``unverified``, and never "success" because a request was
sent. An emergency ends by recovery alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from core.capabilities.holds import HoldChanged, HoldReleased, Selectors, place, require_reason, require_unmoved
from core.capabilities.names import require_known
from core.engine import Draft, RemoveLatch, decides, evolves, only_system
from core.errors import CommandRejected, ConfirmationNeeded
from core.messages import Command, Event, FreeText, Header, Identifier, Level, Moment, SelectorField, StopResult
from core.messages import command, event
from core.state import ENDED_KEPT, Emergency, State, Stop
from opsgate.hold import DRAIN, HALT, Hold
from opsgate.order import BUDGET_S, MODE_OF_LEVEL
from opsgate.selector import Selector, scope_text

STRENGTH: Final = {"maintenance": 0, "service_specific": 1, "graceful": 2, "cascading": 2, "immediate": 3}
"""The order when levels meet: an emergency escalates and never downgrades."""


@command
class OrderStop(Command):
    """Stop the work that these selectors select. ``stop_id`` is made by the sender, so that it exists without us."""

    kind: Literal["order-stop"] = "order-stop"
    stop_id: Identifier
    selectors: Selectors
    level: Level = "immediate"
    reason: FreeText = ""
    ordered_at: Moment | None = None
    create: bool = False


@command
class ConcludeStop(Command):
    """The keeper's observation of a stop: who has acknowledged so far. Concludes it when all have or time is up."""

    kind: Literal["conclude-stop"] = "conclude-stop"
    stop_id: Identifier
    acked: Annotated[tuple[Identifier, ...], Field(max_length=100_000)] = ()


@command
class ExplainStop(Command):
    """Add the reason to a stop that was fired first and explained afterwards."""

    kind: Literal["explain-stop"] = "explain-stop"
    stop_id: Identifier
    reason: FreeText


@command
class Recover(Command):
    """End an emergency: release its holds. ``confirm`` is its scope, as it is printed, typed by whoever recovers."""

    kind: Literal["recover"] = "recover"
    emergency_id: Identifier
    reason: FreeText
    confirm: str = ""


@event
class StopOrdered(Event):
    """A stop came into force; ``of`` is the frozen list of workers that must acknowledge by ``deadline_at``."""

    kind: Literal["stop.ordered"] = "stop.ordered"
    stop_id: str
    emergency_id: str
    level: Level
    selectors: tuple[SelectorField, ...]
    hold_ids: tuple[str, ...]
    of: tuple[str, ...]
    deadline_at: Moment
    reason: str = ""
    ordered_at: Moment | None = None


@event
class StopConcluded(Event):
    """What a stop came to, as far as it was observed. May follow again, when a missing worker stops late."""

    kind: Literal["stop.concluded"] = "stop.concluded"
    stop_id: str
    result: StopResult
    acked: tuple[str, ...]
    missing: tuple[str, ...]


@event
class StopEscalated(Event):
    """A draining stop used up its budget and halts now."""

    kind: Literal["stop.escalated"] = "stop.escalated"
    stop_id: str
    level: Level
    deadline_at: Moment


@event
class StopExplained(Event):
    """A reason was added to a stop."""

    kind: Literal["stop.explained"] = "stop.explained"
    stop_id: str
    reason: str


@event
class EmergencyOpened(Event):
    """The case around one or more stops began."""

    kind: Literal["emergency.opened"] = "emergency.opened"
    emergency_id: str
    level: Level
    selectors: tuple[SelectorField, ...]
    reason: str = ""


@event
class EmergencyJoined(Event):
    """Another stop joined a running emergency, which has the higher level and the wider scope of the two now."""

    kind: Literal["emergency.joined"] = "emergency.joined"
    emergency_id: str
    level: Level
    selectors: tuple[SelectorField, ...]


@event
class EmergencyEnded(Event):
    """An emergency was recovered. ``checks`` are what was looked at, as they stood."""

    kind: Literal["emergency.ended"] = "emergency.ended"
    emergency_id: str
    reason: str
    checks: tuple[str, ...] = ()


@decides(OrderStop)
def order_stop(draft: Draft, wanted: OrderStop) -> None:
    """First the holds, then everything else."""
    draft.scope, draft.stop_id = wanted.selectors, wanted.stop_id
    known = draft.state.stops.get(wanted.stop_id)
    if known is not None:
        draft.emergency_id = known.emergency_id
        draft.hold_ids.extend(known.hold_ids)
        draft.notes.append(f"stop {wanted.stop_id} is in force already")
        return
    require_known(draft, wanted.selectors, create=wanted.create)
    selectors = tuple(dict.fromkeys(wanted.selectors))
    emergency_id = _open_or_join(draft, wanted, selectors)
    hold_ids = tuple(place(draft, _hold(selector, emergency_id, wanted)) for selector in selectors)
    live = draft.facts.live
    draft.emit(
        StopOrdered(
            stop_id=wanted.stop_id,
            emergency_id=emergency_id,
            level=wanted.level,
            selectors=selectors,
            hold_ids=hold_ids,
            of=tuple(sorted(worker.worker_id for worker in live if any(map(worker.serves, selectors)))),
            deadline_at=draft.now + timedelta(seconds=BUDGET_S[wanted.level]),
            reason=wanted.reason,
            ordered_at=wanted.ordered_at,
        )
    )
    draft.hold_ids.extend(hold_ids)
    draft.emergency_id = emergency_id
    if not draft.state.stops[wanted.stop_id].of:
        _conclude(draft, draft.state.stops[wanted.stop_id], ())


@decides(ConcludeStop)
def conclude_stop(draft: Draft, seen: ConcludeStop) -> None:
    """Verified as soon as all have acknowledged; when time is up, escalate a drain, then name the missing."""
    only_system(draft, "concluding a stop")
    stop = draft.state.stops.get(seen.stop_id)
    draft.stop_id = seen.stop_id
    if stop is None or draft.state.emergencies[stop.emergency_id].status != "active":
        draft.notes.append(f"stop {seen.stop_id} is not in force")
        return
    acked = tuple(worker for worker in stop.of if worker in {*seen.acked, *stop.acked})
    if len(acked) == len(stop.of):
        if stop.result != "verified":
            _conclude(draft, stop, acked)
    elif draft.now >= stop.deadline_at:
        if stop.result == "pending" and MODE_OF_LEVEL[stop.level] == DRAIN:
            _escalate(draft, stop)
        elif stop.result == "pending" or acked != stop.acked:
            _conclude(draft, stop, acked)


@decides(ExplainStop)
def explain_stop(draft: Draft, wanted: ExplainStop) -> None:
    """The reason may come after the stop; it never held it up."""
    stop = draft.state.stops.get(wanted.stop_id)
    if stop is None:
        raise CommandRejected("unknown-stop", f"no stop is called {wanted.stop_id}", "see 'opsconsole status'")
    draft.stop_id = wanted.stop_id
    if stop.reason != wanted.reason:
        draft.emit(StopExplained(stop_id=wanted.stop_id, reason=wanted.reason))


@decides(Recover)
def recover(draft: Draft, wanted: Recover) -> None:
    """Typed scope, checks, release of exactly this emergency's holds."""
    emergency = draft.state.emergencies.get(wanted.emergency_id)
    if emergency is None:
        raise CommandRejected(
            "unknown-emergency", f"no emergency is called {wanted.emergency_id}", "see 'opsconsole emergencies list'"
        )
    draft.emergency_id = emergency.emergency_id
    draft.scope = emergency.selectors
    if emergency.status == "ended":
        draft.notes.append(f"{emergency.emergency_id} was recovered at {emergency.ended_at} by {emergency.ended_by}")
        return
    require_reason(wanted.reason)
    require_unmoved(draft)
    scope = scope_text(emergency.selectors)
    if wanted.confirm != scope:
        raise ConfirmationNeeded("scope-not-typed", f"type the scope of {emergency.emergency_id}: {scope}", "")
    checks = recovery_checks(draft.state, emergency)
    failed = [check for check in checks if check.verdict == "fail"]
    if failed:
        raise CommandRejected("recovery-check-failed", "; ".join(check.detail for check in failed), failed[0].hint)
    for hold in _holds_of(draft.state, emergency):
        draft.emit(HoldReleased(hold_id=hold.hold_id, reason=wanted.reason))
        draft.hold_ids.append(hold.hold_id)
    draft.emit(
        EmergencyEnded(
            emergency_id=emergency.emergency_id, reason=wanted.reason, checks=tuple(str(check) for check in checks)
        )
    )
    draft.effects.extend(RemoveLatch(stop_id) for stop_id in emergency.stop_ids)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at before a release. ``fail`` refuses it; ``warn`` is for the person to weigh."""

    verdict: Literal["ok", "warn", "fail"]
    detail: str
    hint: str = ""

    def __str__(self) -> str:
        return f"[{ {'ok': 'ok', 'warn': '!!', 'fail': 'XX'}[self.verdict] }] {self.detail}"


def recovery_checks(state: State, emergency: Emergency) -> tuple[Check, ...]:
    """What a recovery of this emergency would find now: each stop's verification, and what would still hold."""
    checks = [_check_of_stop(state.stops[stop_id]) for stop_id in emergency.stop_ids]
    own = {hold.hold_id for hold in _holds_of(state, emergency)}
    others = [hold for hold in state.holds_touching(emergency.selectors) if hold.hold_id not in own]
    if others:
        shown = ", ".join(f"{hold.hold_id} of {hold.source} {hold.owner}" for hold in others[:3])
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        checks.append(Check("warn", f"still held afterwards by {shown}{more}"))
    else:
        checks.append(Check("ok", "nothing else holds this scope: work starts at once"))
    return tuple(checks)


@evolves(StopOrdered)
def stop_ordered(state: State, happened: StopOrdered, header: Header) -> State:
    """Fold."""
    stop = Stop(
        stop_id=happened.stop_id,
        emergency_id=happened.emergency_id,
        level=happened.level,
        selectors=happened.selectors,
        hold_ids=happened.hold_ids,
        of=happened.of,
        ordered_at=happened.ordered_at or header.at,
        ordered_by=header.actor.name,
        deadline_at=happened.deadline_at,
        reason=happened.reason,
    )
    emergency = state.emergencies[happened.emergency_id]
    emergency = replace(emergency, stop_ids=(*emergency.stop_ids, stop.stop_id))
    return replace(
        state,
        stops=state.stops.set(stop.stop_id, stop),
        emergencies=state.emergencies.set(emergency.emergency_id, emergency),
        control_revision=header.revision,
    )


@evolves(StopConcluded)
def stop_concluded(state: State, happened: StopConcluded, header: Header) -> State:
    """Fold."""
    return _with_stop(state, happened.stop_id, result=happened.result, acked=happened.acked, concluded_at=header.at)


@evolves(StopEscalated)
def stop_escalated(state: State, happened: StopEscalated, _header: Header) -> State:
    """Fold."""
    return _with_stop(state, happened.stop_id, level=happened.level, deadline_at=happened.deadline_at)


@evolves(StopExplained)
def stop_explained(state: State, happened: StopExplained, _header: Header) -> State:
    """Fold: the stop, its emergency and its holds say why from now on."""
    state = _with_stop(state, happened.stop_id, reason=happened.reason)
    stop = state.stops[happened.stop_id]
    emergency = state.emergencies[stop.emergency_id]
    if not emergency.reason:
        emergency = replace(emergency, reason=happened.reason)
    holds = state.holds
    for hold_id in stop.hold_ids:
        if hold_id in holds and not holds[hold_id].reason:
            holds = holds.set(hold_id, replace(holds[hold_id], reason=happened.reason))
    return replace(state, holds=holds, emergencies=state.emergencies.set(emergency.emergency_id, emergency))


@evolves(EmergencyOpened)
def emergency_opened(state: State, happened: EmergencyOpened, header: Header) -> State:
    """Fold."""
    emergency = Emergency(
        emergency_id=happened.emergency_id,
        level=happened.level,
        selectors=happened.selectors,
        stop_ids=(),
        opened_at=header.at,
        opened_by=header.actor.name,
        reason=happened.reason,
        correlation_id=header.correlation_id,
    )
    return replace(state, emergencies=state.emergencies.set(emergency.emergency_id, emergency))


@evolves(EmergencyJoined)
def emergency_joined(state: State, happened: EmergencyJoined, _header: Header) -> State:
    """Fold."""
    known = state.emergencies[happened.emergency_id]
    emergency = replace(known, level=happened.level, selectors=happened.selectors)
    return replace(state, emergencies=state.emergencies.set(emergency.emergency_id, emergency))


@evolves(EmergencyEnded)
def emergency_ended(state: State, happened: EmergencyEnded, header: Header) -> State:
    """Fold; only the latest ended emergencies stay, with their stops."""
    known = state.emergencies[happened.emergency_id]
    ended = replace(known, status="ended", ended_at=header.at, ended_by=header.actor.name)
    emergencies, stops = state.emergencies.set(ended.emergency_id, ended), state.stops
    past = sorted(
        (e for e in emergencies.values() if e.ended_at), key=lambda e: (e.ended_at or header.at, e.emergency_id)
    )
    for old in past[:-ENDED_KEPT]:
        emergencies = emergencies.delete(old.emergency_id)
        for stop_id in old.stop_ids:
            stops = stops.delete(stop_id)
    return replace(state, emergencies=emergencies, stops=stops, control_revision=header.revision)


def _open_or_join(draft: Draft, wanted: OrderStop, selectors: tuple[Selector, ...]) -> str:
    for running in draft.state.active_emergencies():
        if any(mine.overlaps(theirs) for mine in selectors for theirs in running.selectors):
            level = max(running.level, wanted.level, key=STRENGTH.__getitem__)
            wider = _widest((*running.selectors, *selectors))
            draft.correlation_id = running.correlation_id
            if (level, wider) != (running.level, running.selectors):
                draft.emit(
                    EmergencyJoined.model_construct(emergency_id=running.emergency_id, level=level, selectors=wider)
                )
            return running.emergency_id
    emergency_id = f"E-{draft.next_revision}"
    draft.emit(
        EmergencyOpened(emergency_id=emergency_id, level=wanted.level, selectors=selectors, reason=wanted.reason)
    )
    return emergency_id


def _widest(selectors: tuple[Selector, ...]) -> tuple[Selector, ...]:
    """The selectors that none of the others contains, in order, none twice."""
    distinct = tuple(dict.fromkeys(selectors))
    return tuple(s for s in distinct if not any(other.contains(s) for other in distinct if other != s))


def _hold(selector: Selector, emergency_id: str, wanted: OrderStop) -> Hold:
    mode = MODE_OF_LEVEL[wanted.level]
    return Hold(hold_id="", selector=selector, source="emergency", owner=emergency_id, reason=wanted.reason, mode=mode)


def _holds_of(state: State, emergency: Emergency) -> tuple[Hold, ...]:
    own = (h for h in state.holds.values() if (h.source, h.owner) == ("emergency", emergency.emergency_id))
    return tuple(sorted(own, key=lambda hold: (hold.revision, hold.hold_id)))


def _conclude(draft: Draft, stop: Stop, acked: tuple[str, ...]) -> None:
    missing = tuple(worker for worker in stop.of if worker not in acked)
    result: StopResult = "verified" if not missing else "partial" if acked else "unverified"
    draft.emit(StopConcluded(stop_id=stop.stop_id, result=result, acked=acked, missing=missing))


def _escalate(draft: Draft, stop: Stop) -> None:
    deadline_at = draft.now + timedelta(seconds=BUDGET_S["immediate"])
    for hold_id in stop.hold_ids:
        hold = draft.state.holds.get(hold_id)
        if hold is not None and hold.mode == DRAIN:
            draft.emit(
                HoldChanged(
                    hold_id=hold_id, mode=HALT, expires_at=hold.expires_at, admit=hold.admit, reason=hold.reason
                )
            )
    draft.emit(StopEscalated(stop_id=stop.stop_id, level="immediate", deadline_at=deadline_at))


def _with_stop(state: State, stop_id: str, **changes: object) -> State:
    return replace(state, stops=state.stops.set(stop_id, replace(state.stops[stop_id], **changes)))  # type: ignore[arg-type]


def _check_of_stop(stop: Stop) -> Check:
    counts = f"{stop.stop_id}: {len(stop.of) - len(stop.missing)}/{len(stop.of)} acknowledged"
    match stop.result:
        case "pending":
            return Check("fail", f"{counts}, still counting", "wait for its result, it comes within its budget")
        case "verified":
            return Check("ok", f"{counts}, verified")
        case _:
            shown = ", ".join(stop.missing[:5])
            return Check("warn", f"{counts}, {stop.result}; not known to have stopped: {shown}")
