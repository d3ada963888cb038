"""Triggers: what stops work by itself, as administrators configure it. What comes of an edge is in `firing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from core.capabilities.names import require_known
from core.engine import Draft, decides, evolves
from core.errors import CommandRejected, UnknownName
from core.messages import Command, Header, Identifier, TriggerEvent, command, event
from core.state import State, Trigger
from core.triggers.definition import Definition, TriggerFields, from_s1
from core.triggers.suppression import share_taken
from core.triggers.validation import faults


@command
class AddTrigger(TriggerFields, Command):
    """Add a trigger, or change the one of this name. S1's spelling of the fields is taken too.

    With ``create`` a service or site that nobody registered is registered instead of refused.
    """

    kind: Literal["add-trigger"] = "add-trigger"
    create: bool = False

    @classmethod
    def spelt(cls, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """By our names, or by S1's."""
        return from_s1(document) if "triggerType" in document else document


@command
class RemoveTrigger(Command):
    """Have a trigger no more. What it has stopped stays stopped."""

    kind: Literal["remove-trigger"] = "remove-trigger"
    trigger: Identifier


@command
class SetTrigger(Command):
    """Switch a trigger on or off. What it has stopped stays stopped."""

    kind: Literal["set-trigger"] = "set-trigger"
    trigger: Identifier
    active: bool


@command
class BoundTriggers(Command):
    """The largest share of the sites, from 0 to 1, that automatic stops may take together. A person's are not asked."""

    kind: Literal["bound-triggers"] = "bound-triggers"
    share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@event
class TriggerAdded(TriggerEvent):
    """A trigger was configured."""

    kind: Literal["trigger.added"] = "trigger.added"
    definition: Definition


@event
class TriggerChanged(TriggerEvent):
    """A trigger was configured anew; ``definition`` is the whole of it."""

    kind: Literal["trigger.changed"] = "trigger.changed"
    definition: Definition


@event
class TriggerRemoved(TriggerEvent):
    """A trigger is there no more."""

    kind: Literal["trigger.removed"] = "trigger.removed"


@event
class TriggerSwitched(TriggerEvent):
    """A trigger was switched on or off."""

    kind: Literal["trigger.switched"] = "trigger.switched"
    active: bool


@event
class TriggersBounded(TriggerEvent):
    """The share of the sites that automatic stops may take was set; of all triggers, whatever ``trigger`` says."""

    kind: Literal["trigger.bounded"] = "trigger.bounded"
    trigger: str = ""
    share: float


@decides(AddTrigger)
def add_trigger(draft: Draft, wanted: AddTrigger) -> None:
    """Check it against its type; the same again changes nothing."""
    said = {name: getattr(wanted, name) for name in TriggerFields.model_fields}
    definition = Definition.model_construct(**said)
    fault = next(faults(definition), None)
    if fault is not None:
        raise CommandRejected("bad-trigger", f"trigger {wanted.name}: {fault}", "correct it and add it again")
    selectors = definition.selectors()
    known = draft.state.triggers.get(wanted.name)
    if known is not None and known.definition == definition:
        draft.notes.append(f"trigger {wanted.name} is like that already")
        return
    require_known(draft, selectors, create=wanted.create)
    added = TriggerChanged if known is not None else TriggerAdded
    draft.emit(added(trigger=wanted.name, definition=definition))
    share = share_taken(draft.state, selectors)
    if share > draft.state.trigger_share:
        draft.notes.append(f"it would take {share:.0%} of the sites, and may take {draft.state.trigger_share:.0%}")


@decides(RemoveTrigger)
def remove_trigger(draft: Draft, wanted: RemoveTrigger) -> None:
    """Whatever it has stopped ends by recovery."""
    trigger_named(draft.state, wanted.trigger)
    draft.emit(TriggerRemoved(trigger=wanted.trigger))


@decides(SetTrigger)
def set_trigger(draft: Draft, wanted: SetTrigger) -> None:
    """Set, never toggle."""
    known = trigger_named(draft.state, wanted.trigger)
    if known.definition.is_active == wanted.active:
        draft.notes.append(f"trigger {wanted.trigger} is {'on' if wanted.active else 'off'} already")
    else:
        draft.emit(TriggerSwitched(trigger=wanted.trigger, active=wanted.active))


@decides(BoundTriggers)
def bound_triggers(draft: Draft, wanted: BoundTriggers) -> None:
    """Holds from the next edge on."""
    if draft.state.trigger_share == wanted.share:
        draft.notes.append(f"automatic stops may take {wanted.share:.0%} of the sites already")
    else:
        draft.emit(TriggersBounded(share=wanted.share))


@evolves(TriggerAdded)
def trigger_added(state: State, happened: TriggerAdded, header: Header) -> State:
    """Fold."""
    trigger = Trigger(happened.definition, header.at, header.at, header.actor.name)
    return state._replace(triggers=state.triggers.set(happened.trigger, trigger))


@evolves(TriggerChanged)
def trigger_changed(state: State, happened: TriggerChanged, header: Header) -> State:
    """Fold: what has become of it stays, and that it has crossed: nobody has seen that it does so no more."""
    known = state.triggers[happened.trigger]
    trigger = replace(known, definition=happened.definition, changed_at=header.at, changed_by=header.actor.name)
    return with_trigger(state, happened, trigger)


@evolves(TriggerRemoved)
def trigger_removed(state: State, happened: TriggerRemoved, _header: Header) -> State:
    """Fold."""
    return state._replace(triggers=state.triggers.delete(happened.trigger))


@evolves(TriggerSwitched)
def trigger_switched(state: State, happened: TriggerSwitched, header: Header) -> State:
    """Fold: one that has crossed has not come back by being switched."""
    known = state.triggers[happened.trigger]
    definition = known.definition.model_copy(update={"is_active": happened.active})
    trigger = replace(known, definition=definition, changed_at=header.at, changed_by=header.actor.name)
    return with_trigger(state, happened, trigger)


@evolves(TriggersBounded)
def triggers_bounded(state: State, happened: TriggersBounded, _header: Header) -> State:
    """Fold."""
    return state._replace(trigger_share=happened.share)


def trigger_named(state: State, name: str) -> Trigger:
    """The trigger of this name; `UnknownName` when there is none."""
    known = state.triggers.get(name)
    if known is None:
        raise UnknownName("unknown-trigger", f"no trigger is called {name}", "see 'opsconsole triggers list'")
    return known


def with_trigger(state: State, happened: TriggerEvent, trigger: Trigger) -> State:
    """The state with the trigger that an event is about as it is now."""
    return state._replace(triggers=state.triggers.set(happened.trigger, trigger))
