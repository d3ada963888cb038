"""Who sees to an emergency: somebody acknowledges that they know of it, and somebody owns it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from core.engine import Draft, decides, evolves, only_people
from core.errors import CommandRejected
from core.messages import Command, EmergencyEvent, FreeText, Header, Identifier, command, event
from core.state import Emergency, State

PersonName = Annotated[str, Field(min_length=1, max_length=128)]


@command
class AcknowledgeEmergency(Command):
    """Say that one knows of an emergency, so that nobody else has to be called."""

    kind: Literal["ack-emergency"] = "ack-emergency"
    emergency_id: Identifier
    note: FreeText = ""


@command
class OwnEmergency(Command):
    """Take an emergency on, or give it to ``owner``."""

    kind: Literal["own-emergency"] = "own-emergency"
    emergency_id: Identifier
    owner: PersonName | None = None


@event
class EmergencyAcknowledged(EmergencyEvent):
    """A person knows of an emergency."""

    kind: Literal["emergency.acknowledged"] = "emergency.acknowledged"
    note: str = ""


@event
class EmergencyOwned(EmergencyEvent):
    """An emergency has an owner, or another one."""

    kind: Literal["emergency.owned"] = "emergency.owned"
    owner: str


@decides(AcknowledgeEmergency)
def acknowledge_emergency(draft: Draft, wanted: AcknowledgeEmergency) -> None:
    """The first one counts; who acknowledges after that is told who was before."""
    only_people(draft, "acknowledging an emergency")
    emergency = _in_force(draft, wanted.emergency_id)
    if emergency.acked_by:
        draft.notes.append(f"{emergency.emergency_id} was acknowledged by {emergency.acked_by}")
    else:
        draft.emit(EmergencyAcknowledged(emergency_id=emergency.emergency_id, note=wanted.note))


@decides(OwnEmergency)
def own_emergency(draft: Draft, wanted: OwnEmergency) -> None:
    """Whoever owns it knows of it."""
    only_people(draft, "owning an emergency")
    emergency = _in_force(draft, wanted.emergency_id)
    owner = wanted.owner or draft.actor.name
    if emergency.owner == owner:
        draft.notes.append(f"{emergency.emergency_id} is {owner}'s already")
        return
    if not emergency.acked_by:
        draft.emit(EmergencyAcknowledged(emergency_id=emergency.emergency_id))
    draft.emit(EmergencyOwned(emergency_id=emergency.emergency_id, owner=owner))


@evolves(EmergencyAcknowledged)
def emergency_acknowledged(state: State, happened: EmergencyAcknowledged, header: Header) -> State:
    """Fold."""
    known = state.emergencies[happened.emergency_id]
    return _with(state, replace(known, acked_by=header.actor.name, acked_at=header.at))


@evolves(EmergencyOwned)
def emergency_owned(state: State, happened: EmergencyOwned, header: Header) -> State:
    """Fold."""
    known = state.emergencies[happened.emergency_id]
    return _with(state, replace(known, owner=happened.owner, owned_at=header.at))


def require_emergency(state: State, emergency_id: str) -> Emergency:
    """The emergency with this id, ended or not."""
    known = state.emergencies.get(emergency_id)
    if known is None:
        raise CommandRejected(
            "unknown-emergency", f"no emergency is called {emergency_id}", "see 'opsconsole emergencies list'"
        )
    return known


def _in_force(draft: Draft, emergency_id: str) -> Emergency:
    emergency = require_emergency(draft.state, emergency_id)
    draft.emergency_id, draft.correlation_id = emergency_id, emergency.correlation_id
    if emergency.status == "ended":
        raise CommandRejected("emergency-over", f"{emergency_id} was recovered by {emergency.ended_by}")
    return emergency


def _with(state: State, emergency: Emergency) -> State:
    return state.with_emergency(emergency)
