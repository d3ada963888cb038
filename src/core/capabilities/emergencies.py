"""Emergency stop and its verification.

A stop is a mergeable maximum: it is never refused for the state of things, the same ``stop_id`` again changes nothing,
and one that overlaps an emergency joins it and may only make it stronger. It freezes the list of live workers; the
result is ``verified``, ``partial`` with the missing named, or ``unverified``, and never "success" because a request was
sent. An emergency ends by recovery alone (`core.capabilities.recovery`). The list has workers, who acknowledge, and
services, which drivers stop and somebody observes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from core.ack_times import AckTimes
from core.capabilities.conclusion import conclude
from core.capabilities.holds import Selectors, place, strengthen
from core.capabilities.names import require_known
from core.capabilities.restoring import turn_back_for
from core.engine import Draft, decides, evolves, only_system
from core.messages import (
    Command,
    EmergencyEvent,
    FreeText,
    Header,
    Identifier,
    Moment,
    SelectorField,
    StopEvent,
    command,
    event,
)
from core.services import ServiceStep, tiers, touched
from core.state import Emergency, State, Stop
from opsgate.hold import DRAIN, HALT
from opsgate.order import MODE_OF_LEVEL, STRENGTH, Level
from opsgate.selector import Selector


@command
class OrderStop(Command):
    """Stop the work that these selectors select. ``stop_id`` is made by the sender, so that it exists without us.

    ``trigger`` is the name of what fired it, ``cause`` the value that did, and ``auto_recover`` whether that
    trigger may also begin a recovery; a person's stop has none of them.
    """

    kind: Literal["order-stop"] = "order-stop"
    stop_id: Identifier
    selectors: Selectors
    level: Level = "immediate"
    reason: FreeText = ""
    ordered_at: Moment | None = None
    create: bool = False
    trigger: Identifier | None = None
    cause: FreeText = ""
    account: Identifier | None = None
    auto_recover: bool = False


@command
class ConcludeStop(Command):
    """The keeper's observation of a stop: who has acknowledged so far. Concludes it when all have or time is up."""

    kind: Literal["conclude-stop"] = "conclude-stop"
    stop_id: Identifier
    acked: Annotated[tuple[Identifier, ...], Field(max_length=100_000)] = ()
    times: AckTimes | None = None
    """How long they took, as far as it saw them do so."""
    since: int = 0
    """The ``recounted_revision`` of the stop that it counted."""
    time_is_up: bool = False
    """Whether the stop has had its time by a clock that never jumps, whatever the time of day says."""


@event
class StopOrdered(StopEvent):
    """A stop came into force; ``of`` is the frozen list of workers that must acknowledge by ``deadline_at``, and
    ``services`` that of what must be seen to stop by then, in the order in which it does."""

    version = 2
    kind: Literal["stop.ordered"] = "stop.ordered"
    emergency_id: str
    level: Level
    selectors: tuple[SelectorField, ...]
    hold_ids: tuple[str, ...]
    of: tuple[str, ...]
    deadline_at: Moment
    reason: str = ""
    ordered_at: Moment | None = None
    services: tuple[str, ...] = ()
    trigger: str = ""
    auto_recover: bool = False


@event
class StopAttributed(StopEvent):
    """A stop that was in force before anybody said so was fired by a trigger."""

    kind: Literal["stop.attributed"] = "stop.attributed"
    trigger: str
    cause: str = ""
    account: str | None = None
    auto_recover: bool = False


@event
class StopEscalated(StopEvent):
    """A stop became harder than it was ordered: a drain used up its budget, or a harder stop covers all of it now."""

    kind: Literal["stop.escalated"] = "stop.escalated"
    level: Level
    deadline_at: Moment


@event
class EmergencyOpened(EmergencyEvent):
    """The case around one or more stops began. ``trigger`` and ``cause`` are what fired it, "" for a person."""

    version = 2
    kind: Literal["emergency.opened"] = "emergency.opened"
    level: Level
    selectors: tuple[SelectorField, ...]
    reason: str = ""
    trigger: str = ""
    cause: str = ""
    account: str | None = None


@event
class EmergencyJoined(EmergencyEvent):
    """Another stop joined a running emergency, which has the higher level and the wider scope of the two now."""

    kind: Literal["emergency.joined"] = "emergency.joined"
    level: Level
    selectors: tuple[SelectorField, ...]


@decides(OrderStop)
def order_stop(draft: Draft, wanted: OrderStop) -> None:
    """First the holds, then everything else."""
    selectors = tuple(dict.fromkeys(wanted.selectors))
    draft.scope, draft.stop_id = selectors, wanted.stop_id
    known = draft.state.stops.get(wanted.stop_id)
    if known is not None:
        _already_ordered(draft, known)
        _attribute(draft, known, wanted)
        return
    require_known(draft, selectors, create=wanted.create)
    services = touched(draft.state.services, selectors, wanted.level)
    turn_back_for(draft, wanted.stop_id, selectors, services)
    emergency_id = draft.emergency_id = _open_or_join(draft, wanted, selectors)
    mode, live = MODE_OF_LEVEL[wanted.level], draft.facts.live
    hold_ids = tuple(
        place(draft, selector, source="emergency", owner=emergency_id, reason=wanted.reason, mode=mode)
        for selector in selectors
    )
    draft.emit(
        StopOrdered(
            stop_id=wanted.stop_id,
            emergency_id=emergency_id,
            level=wanted.level,
            selectors=selectors,
            hold_ids=hold_ids,
            of=tuple(sorted(worker.worker_id for worker in live if any(map(worker.serves, selectors)))),
            deadline_at=draft.now + timedelta(seconds=draft.facts.rules.budgets_s[wanted.level]),
            reason=wanted.reason,
            ordered_at=wanted.ordered_at,
            services=services,
            trigger=wanted.trigger or "",
            auto_recover=_may_recover_itself(draft, wanted),
        )
    )
    stop = draft.state.stops[wanted.stop_id]
    _harden_what_it_covers(draft, stop)
    if not stop.listed:
        conclude(draft, stop, ())


@decides(ConcludeStop)
def conclude_stop(draft: Draft, seen: ConcludeStop) -> None:
    """Verified as soon as all have acknowledged; when time is up, escalate a drain, then name the missing."""
    only_system(draft, "concluding a stop")
    stop = draft.state.stops.get(seen.stop_id)
    draft.stop_id = seen.stop_id
    if stop is None or draft.state.emergencies[stop.emergency_id].status != "active":
        draft.notes.append(f"stop {seen.stop_id} is not in force")
        return
    if seen.since != stop.recounted_revision:
        draft.notes.append(f"stop {seen.stop_id} is counted anew since")
        return
    # Counted anew, it is acknowledged long after its order, which says nothing of how fast workers stop.
    times = None if stop.recounted_revision else seen.times
    stopped = {*seen.acked, *stop.acked}
    acked = tuple(worker for worker in stop.of if worker in stopped)
    if not replace(stop, acked=acked).missing:
        if stop.result != "verified":
            conclude(draft, stop, acked, times)
    elif seen.time_is_up or draft.now >= stop.deadline_at:
        if stop.result == "pending" and MODE_OF_LEVEL[stop.level] == DRAIN:
            _escalate(draft, stop, "immediate", draft.now + timedelta(seconds=draft.facts.rules.budgets_s["immediate"]))
        elif stop.result == "pending" or acked != stop.acked:
            conclude(draft, stop, acked, times)


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
        services=_steps(state, happened.services),
        trigger=happened.trigger,
        auto_recover=happened.auto_recover,
    )
    emergency = state.emergencies[happened.emergency_id]
    emergency = replace(emergency, stop_ids=(*emergency.stop_ids, stop.stop_id))
    return state.with_emergency(emergency).but(
        stops=state.stops.set(stop.stop_id, stop), control_revision=header.revision
    )


@evolves(StopAttributed)
def stop_attributed(state: State, happened: StopAttributed, _header: Header) -> State:
    """Fold: its emergency has the same trigger where it began with this stop."""
    stop = replace(state.stops[happened.stop_id], trigger=happened.trigger, auto_recover=happened.auto_recover)
    emergency = state.emergencies[stop.emergency_id]
    if emergency.stop_ids[0] == stop.stop_id and not emergency.trigger:
        emergency = replace(
            emergency, trigger=happened.trigger, cause=happened.cause, account=happened.account or emergency.account
        )
    return _with_stop(state.with_emergency(emergency), stop)


@evolves(StopEscalated)
def stop_escalated(state: State, happened: StopEscalated, _header: Header) -> State:
    """Fold."""
    known = state.stops[happened.stop_id]
    return _with_stop(state, replace(known, level=happened.level, deadline_at=happened.deadline_at))


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
        trigger=happened.trigger,
        cause=happened.cause,
        account=happened.account,
    )
    return state.with_emergency(emergency)


@evolves(EmergencyJoined)
def emergency_joined(state: State, happened: EmergencyJoined, _header: Header) -> State:
    """Fold."""
    known = state.emergencies[happened.emergency_id]
    emergency = replace(known, level=happened.level, selectors=happened.selectors)
    return state.with_emergency(emergency)


def _already_ordered(draft: Draft, stop: Stop) -> None:
    draft.emergency_id = stop.emergency_id
    draft.hold_ids.extend(stop.hold_ids)
    emergency = draft.state.emergencies[stop.emergency_id]
    if emergency.status == "active":
        draft.notes.append(f"stop {stop.stop_id} is in force already")
    else:
        draft.notes.append(f"stop {stop.stop_id} was in force and has been recovered: order another one")


def _open_or_join(draft: Draft, wanted: OrderStop, selectors: tuple[Selector, ...]) -> str:
    """The emergency of this stop: the oldest running one whose scope it overlaps, else one of its own."""
    for running in draft.state.emergencies_touching(selectors):
        level = max(running.level, wanted.level, key=STRENGTH.__getitem__)
        wider = _widest((*running.selectors, *selectors))
        draft.correlation_id = running.correlation_id
        if (level, wider) != (running.level, running.selectors):
            draft.emit(EmergencyJoined(emergency_id=running.emergency_id, level=level, selectors=wider))
        return running.emergency_id
    emergency_id = f"E-{draft.next_revision}"
    draft.emit(
        EmergencyOpened(
            emergency_id=emergency_id,
            level=wanted.level,
            selectors=selectors,
            reason=wanted.reason,
            trigger=wanted.trigger or "",
            cause=wanted.cause,
            account=wanted.account,
        )
    )
    return emergency_id


def _attribute(draft: Draft, stop: Stop, wanted: OrderStop) -> None:
    """A stop that left by the quickest way is recorded by whoever hears of it first, who may not know what fired it."""
    if wanted.trigger and not stop.trigger:
        draft.emit(
            StopAttributed(
                stop_id=stop.stop_id,
                trigger=wanted.trigger,
                cause=wanted.cause,
                account=wanted.account,
                auto_recover=_may_recover_itself(draft, wanted),
            )
        )


def _may_recover_itself(draft: Draft, wanted: OrderStop) -> bool:
    """What a trigger's administrator said in advance; nobody says it of a stop of their own."""
    return wanted.auto_recover and wanted.trigger is not None and draft.actor.kind != "person"


def _steps(state: State, services: tuple[str, ...]) -> tuple[ServiceStep, ...]:
    tier_of = tiers(state.services, services)
    return tuple(ServiceStep(name, tier_of[name]) for name in services)


def _widest(selectors: tuple[Selector, ...]) -> tuple[Selector, ...]:
    """The selectors that none of the others contains, in order, none twice."""
    distinct = tuple(dict.fromkeys(selectors))
    return tuple(s for s in distinct if not any(other.contains(s) for other in distinct if other != s))


def _harden_what_it_covers(draft: Draft, stop: Stop) -> None:
    """Weaker stops of the same emergency that are still counting and that this one covers wholly are from now on as
    hard and as urgent as it is."""
    for stop_id in draft.state.emergencies[stop.emergency_id].stop_ids:
        earlier = draft.state.stops[stop_id]
        weaker = earlier.result == "pending" and STRENGTH[earlier.level] < STRENGTH[stop.level]
        if weaker and all(any(mine.contains(theirs) for mine in stop.selectors) for theirs in earlier.selectors):
            _escalate(draft, earlier, stop.level, min(earlier.deadline_at, stop.deadline_at))


def _escalate(draft: Draft, stop: Stop, level: Level, deadline_at: datetime) -> None:
    for hold_id in stop.hold_ids:
        hold = draft.state.holds[hold_id]
        if hold.mode == DRAIN and MODE_OF_LEVEL[level] == HALT:
            strengthen(draft, hold, mode=HALT, expires_at=None, admit=hold.admit)
    draft.emit(StopEscalated(stop_id=stop.stop_id, level=level, deadline_at=deadline_at))


def _with_stop(state: State, stop: Stop) -> State:
    return state._replace(stops=state.stops.set(stop.stop_id, stop))
