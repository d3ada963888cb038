"""Explaining: the reason of a stop that was fired first, because a reason never holds one up."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from core.engine import Draft, decides, evolves
from core.errors import CommandRejected
from core.messages import Command, FreeText, Header, Identifier, StopEvent, command, event
from core.state import Emergency, State, Stop


@command
class ExplainStop(Command):
    """Add the reason to a stop that was fired first and explained afterwards."""

    kind: Literal["explain-stop"] = "explain-stop"
    stop_id: Identifier
    reason: FreeText


@event
class StopExplained(StopEvent):
    """A reason was added to a stop."""

    kind: Literal["stop.explained"] = "stop.explained"
    reason: str


@decides(ExplainStop)
def explain_stop(draft: Draft, wanted: ExplainStop) -> None:
    """The reason may come after the stop; it never held it up."""
    stop = draft.state.stops.get(wanted.stop_id)
    if stop is None:
        raise CommandRejected("unknown-stop", f"no stop is called {wanted.stop_id}", "see 'opsconsole status'")
    draft.stop_id = wanted.stop_id
    if stop.reason != wanted.reason:
        draft.emit(StopExplained(stop_id=wanted.stop_id, reason=wanted.reason))


def unexplained(state: State, emergency: Emergency) -> tuple[Stop, ...]:
    """The stops of an emergency that were fired without a reason and have got none since, oldest first."""
    stops = (state.stops[stop_id] for stop_id in emergency.stop_ids)
    return tuple(stop for stop in stops if not stop.reason)


@evolves(StopExplained)
def stop_explained(state: State, happened: StopExplained, header: Header) -> State:
    """Fold: the stop, its emergency and its holds say why from now on."""
    stop = replace(state.stops[happened.stop_id], reason=happened.reason)
    emergency = state.emergencies[stop.emergency_id]
    if not emergency.reason:
        emergency = replace(emergency, reason=happened.reason)
    holds = state.holds
    for hold_id in stop.hold_ids:
        hold = holds.get(hold_id)
        if hold is not None and not hold.reason:
            holds = holds.set(hold_id, replace(hold, reason=happened.reason, revision=header.revision))
    return state.with_emergency(emergency).but(holds=holds, stops=state.stops.set(stop.stop_id, stop))
