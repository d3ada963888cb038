"""The fleet itself: its first event, and the names and limits that every fleet is born with."""

from __future__ import annotations

from typing import Literal

from core.capabilities.names import NameAdded
from core.capabilities.rate_limits import SEED_LIMITS, LimitDefined
from core.engine import Draft, decides, evolves
from core.messages import Command, Event, Header, Identifier, command, event
from core.state import State
from opsgate.names import OPERATIONS, WORKFLOWS


@command
class CreateFleet(Command):
    """Begin a fleet: the five flags on, the six workflows enabled, the four limits of S0, no sites."""

    kind: Literal["create-fleet"] = "create-fleet"
    fleet: Identifier


@event
class FleetCreated(Event):
    """A fleet began. Its id is stored in the database and names its latches and its socket."""

    kind: Literal["fleet.created"] = "fleet.created"
    fleet: str


@decides(CreateFleet)
def create_fleet(draft: Draft, wanted: CreateFleet) -> None:
    """Only where nothing is yet (S0: the singleton row is initialised once)."""
    if draft.state.revision > 0:
        draft.notes.append(f"this is fleet {draft.state.fleet} already")
    else:
        draft.emit(FleetCreated(fleet=wanted.fleet))
        for operation in OPERATIONS:
            draft.emit(NameAdded(dimension="operation", name=operation))
        for workflow in WORKFLOWS:
            draft.emit(NameAdded(dimension="workflow", name=workflow))
        for name, limit, window_s, operation, alias in SEED_LIMITS:
            draft.emit(LimitDefined(name=name, limit=limit, window_s=window_s, operation=operation, alias=alias))


@evolves(FleetCreated)
def fleet_created(state: State, happened: FleetCreated, _header: Header) -> State:
    """Fold."""
    return state._replace(fleet=happened.fleet)
