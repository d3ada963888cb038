"""Erasure: what the journal says about one account goes, on somebody's demand, and the journal says that it went.

The event names neither the account nor who asked for it to be forgotten, or it would say again what was erased.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from core.engine import Draft, decides, evolves, only_people
from core.messages import Command, Event, FreeText, Header, Identifier, command, event
from core.state import State


@command
class RecordErasure(Command):
    """Record that the bodies of ``events`` events were erased, and forget these ended emergencies."""

    kind: Literal["record-erasure"] = "record-erasure"
    events: Annotated[int, Field(ge=0)]
    emergency_ids: Annotated[tuple[Identifier, ...], Field(max_length=100_000)] = ()
    reason: FreeText = ""


@event
class AccountErased(Event):
    """The bodies of all events about an account were erased; the chain covers their digests as before."""

    kind: Literal["account.erased"] = "account.erased"
    events: int
    emergency_ids: tuple[str, ...]
    reason: str = ""


@decides(RecordErasure)
def record_erasure(draft: Draft, wanted: RecordErasure) -> None:
    """Only ended emergencies are forgotten: what is in force stays."""
    only_people(draft, "erasing what is about an account")
    ended = tuple(
        each
        for each in wanted.emergency_ids
        if each in draft.state.emergencies and draft.state.emergencies[each].status == "ended"
    )
    draft.emit(AccountErased(events=wanted.events, emergency_ids=ended, reason=wanted.reason))


@evolves(AccountErased)
def account_erased(state: State, happened: AccountErased, _header: Header) -> State:
    """Fold."""
    emergencies, stops = state.emergencies, state.stops
    for emergency_id in happened.emergency_ids:
        for stop_id in emergencies[emergency_id].stop_ids:
            if stop_id in stops:
                stops = stops.delete(stop_id)
        emergencies = emergencies.delete(emergency_id)
    return state._replace(emergencies=emergencies, stops=stops)
