"""How events are shown to a scope: whole or not at all, because the chain covers them as they are.

So each one is one of three: *whole* (folding it in the visible state gives the visible state after it), *veiled*
(nothing visible has changed), or *anew* (something visible has changed that the event itself would not tell, or would
tell too much of). A kind of event that is not named here is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from core.capabilities.conclusion import StopConcluded
from core.capabilities.course import EmergencyEnded
from core.capabilities.emergencies import EmergencyJoined, EmergencyOpened, StopEscalated, StopOrdered
from core.capabilities.explaining import StopExplained
from core.capabilities.fleet import FleetCreated
from core.capabilities.holds import HoldChanged, HoldExpired, HoldExpiryMissed, HoldPlaced, HoldReleased
from core.capabilities.names import NameAdded, NameRemoved, NameRetitled
from core.capabilities.rate_limits import LimitChanged, LimitDefined, LimitReset
from core.capabilities.workers import WorkerForgotten, WorkerLeft, WorkerLost, WorkerRegistered, WorkerReturned
from core.messages import EmergencyEvent, Event, HoldEvent, NameEvent, Recorded, StopEvent
from core.sight import Sight
from core.state import State

Showing = Literal["whole", "veiled", "anew"]

KNOWN: Final[frozenset[type[Event]]] = frozenset(
    {
        FleetCreated,
        *(LimitDefined, LimitChanged, LimitReset),
        *(HoldPlaced, HoldChanged, HoldReleased, HoldExpired, HoldExpiryMissed),
        *(NameAdded, NameRetitled, NameRemoved),
        *(WorkerRegistered, WorkerLost, WorkerReturned, WorkerLeft, WorkerForgotten),
        *(StopOrdered, StopConcluded, StopEscalated, StopExplained),
        *(EmergencyOpened, EmergencyJoined, EmergencyEnded),
    }
)
"""The events that may be shown to a scope. All others are hidden."""

_LARGE: Final = ("holds", "names", "limits", "workers")
"""The parts of a state of which a scope may see something, and which are not looked through for every event."""


@dataclass(frozen=True, slots=True)
class Veil:
    """Some events in a row of which nothing may be seen: those behind ``after``, up to ``revision``.

    The hashes are those of the chain before and behind them, so what comes next follows on; the other two numbers are
    the state's own after them.
    """

    after: int
    before: str
    revision: int
    chain: str
    control_revision: int
    names_revision: int

    def drawn(self, state: State) -> State:
        """The state after them."""
        return state._replace(
            revision=self.revision, control_revision=self.control_revision, names_revision=self.names_revision
        )


def showing(sight: Sight, recorded: Recorded, before: State, after: State) -> Showing:
    """How an event is shown that leads from one state of the fleet to the next."""
    happened = recorded.event
    match happened:
        case _ if type(happened) not in KNOWN or _is_of_service(happened):
            return "anew" if _differ(sight, before, after) else "veiled"
        case HoldPlaced() | HoldChanged() | HoldReleased() | HoldExpired() | HoldExpiryMissed():
            return _of_hold(sight, recorded, happened, before, after)
        case NameAdded() | NameRetitled() | NameRemoved():
            return "whole" if sight.sees_name(after, happened.dimension, happened.name) else "veiled"
        case WorkerForgotten(worker_id=worker_id) if worker_id not in sight.workers:
            return "veiled" if sight.cases(before) == sight.cases(after) else "anew"
        case WorkerRegistered() | WorkerLost() | WorkerReturned() | WorkerLeft() | WorkerForgotten():
            return "whole" if happened.worker_id in sight.workers else "veiled"
        case StopEvent() | EmergencyEvent():
            return _of_case(sight, happened, before, after)
    return "whole"


def _differ(sight: Sight, before: State, after: State) -> bool:
    """Whether what may be seen of two states may differ."""
    if any(getattr(before, part) is not getattr(after, part) for part in _LARGE):
        return True
    if before.services is not after.services and (
        sight.services(before) != sight.services(after) or _hidden(sight, before) != _hidden(sight, after)
    ):
        return True
    is_same = before.services is after.services and before.triggers is after.triggers
    if not is_same and sight.triggers(before) != sight.triggers(after):
        return True
    return sight.cases(before) != sight.cases(after)


def _hidden(sight: Sight, state: State) -> set[str]:
    """The services that may not be seen, and with them their registered names."""
    return {name for name in state.services if not sight.sees_service(state, name)}


def _of_hold(sight: Sight, recorded: Recorded, happened: HoldEvent, before: State, after: State) -> Showing:
    hold = after.holds.get(happened.hold_id) or before.holds[happened.hold_id]
    if not sight.scope.touches(hold.selector):
        return "veiled"
    return "anew" if recorded.header.correlation_id in sight.renamed(after) else "whole"


def _of_case(sight: Sight, happened: Event, before: State, after: State) -> Showing:
    if sight.cases(before) == sight.cases(after):
        return "veiled"
    emergency_id = _emergency_of(happened, after)
    is_told = all(_is_whole(sight, emergency_id, state) for state in (before, after))
    return "whole" if is_told and not _tells_more(sight, happened, before, after) else "anew"


def _is_whole(sight: Sight, emergency_id: str, state: State) -> bool:
    """Whether all of an emergency may be seen, its stops and their workers too; one that there is not yet, too."""
    emergency = state.emergencies.get(emergency_id)
    if emergency is None:
        return True
    stops = (state.stops[stop_id] for stop_id in emergency.stop_ids)
    return sight.emergency(emergency, state) == emergency and all(sight.stop(stop, state) == stop for stop in stops)


def _tells_more(sight: Sight, happened: Event, before: State, after: State) -> bool:
    """Whether an event tells more than may be seen, or changes by it more than can be: the services of a stop are
    put in tiers by all there are, and the end of an emergency lists whatever still holds any of its scope and takes
    along the oldest of those that ended before."""
    if not isinstance(happened, EmergencyEnded):
        return isinstance(happened, StopOrdered) and bool(happened.services)
    selectors = after.emergencies[happened.emergency_id].selectors
    is_within = all(map(sight.scope.covers, selectors))
    return not is_within or len(after.emergencies) < len(before.emergencies)


def _is_of_service(happened: Event) -> bool:
    """Whether it is about the name of a service, of which it takes the definition to say who may see it."""
    return isinstance(happened, NameEvent) and happened.dimension == "service"


def _emergency_of(happened: Event, after: State) -> str:
    if isinstance(happened, StopEvent):
        return after.stops[happened.stop_id].emergency_id
    assert isinstance(happened, EmergencyEvent), "nothing else is about a case"
    return happened.emergency_id
