"""The registry of names: sites, operations, workflows and whatever else a hold may be placed on by name.

A write to a name that nobody registered is refused with the near names, because a typing error that answers
"success" stops nothing. Whoever means it says create.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from core.engine import Draft, decides, evolves
from core.errors import CommandRejected, UnknownName
from core.messages import Command, Event, FreeText, Header, Identifier, command, event
from core.state import Name, State
from opsgate.names import OPERATION_OF_FLAG, REGISTERED, operation_named
from opsgate.selector import Selector

Dimension = Literal["site", "operation", "workflow", "service", "dependency", "campaign"]


@command
class AddName(Command):
    """Register a name, or give a registered one another title."""

    kind: Literal["add-name"] = "add-name"
    dimension: Dimension
    name: Identifier
    title: FreeText = ""


@command
class RemoveName(Command):
    """Take a name out of the registry; refused while a hold names it."""

    kind: Literal["remove-name"] = "remove-name"
    dimension: Dimension
    name: Identifier


@event
class NameAdded(Event):
    """A name was registered."""

    kind: Literal["name.added"] = "name.added"
    dimension: str
    name: str
    title: str = ""


@event
class NameRetitled(Event):
    """A registered name got another title."""

    kind: Literal["name.retitled"] = "name.retitled"
    dimension: str
    name: str
    title: str


@event
class NameRemoved(Event):
    """A name is no longer registered."""

    kind: Literal["name.removed"] = "name.removed"
    dimension: str
    name: str


@decides(AddName)
def add_name(draft: Draft, wanted: AddName) -> None:
    """Register, or retitle; naming again what is there already changes nothing."""
    name = stored_name(wanted.dimension, wanted.name)
    known = draft.state.names.get((wanted.dimension, name))
    if known is None:
        draft.emit(NameAdded(dimension=wanted.dimension, name=name, title=wanted.title))
    elif wanted.title and known.title != wanted.title:
        draft.emit(NameRetitled(dimension=wanted.dimension, name=name, title=wanted.title))
    else:
        draft.notes.append(f"{wanted.dimension} {name} is registered already")


@decides(RemoveName)
def remove_name(draft: Draft, wanted: RemoveName) -> None:
    """Unregister, unless a hold would be left pointing at nothing."""
    name = stored_name(wanted.dimension, wanted.name)
    if (wanted.dimension, name) not in draft.state.names:
        raise unknown_name(draft.state, wanted.dimension, name)
    held = [hold.hold_id for hold in draft.state.holds.values() if hold.selector.get(wanted.dimension) == name]
    if held:
        shown = ", ".join(sorted(held)[:5])
        raise CommandRejected("name-held", f"{wanted.dimension} {name} is named by {shown}", "release that first")
    draft.emit(NameRemoved(dimension=wanted.dimension, name=name))


@evolves(NameAdded)
def name_added(state: State, happened: NameAdded, header: Header) -> State:
    """Fold."""
    entry = Name(
        happened.dimension, happened.name, happened.title, header.at, changed_at=header.at, changed_by=header.actor.name
    )
    names = state.names.set((happened.dimension, happened.name), entry)
    return replace(state, names=names, names_revision=header.revision)


@evolves(NameRetitled)
def name_retitled(state: State, happened: NameRetitled, header: Header) -> State:
    """Fold."""
    return touched(state, happened.dimension, happened.name, header, title=happened.title)


@evolves(NameRemoved)
def name_removed(state: State, happened: NameRemoved, header: Header) -> State:
    """Fold."""
    names = state.names.delete((happened.dimension, happened.name))
    return replace(state, names=names, names_revision=header.revision)


def stored_name(dimension: str, name: str) -> str:
    """A name as the registry spells it: flags become the operations they switch."""
    return operation_named(name) if dimension == "operation" else name


def touched(state: State, dimension: str, name: str, header: Header, *, title: str | None = None) -> State:
    """The state with a registered name marked as changed by this event; unregistered names have no entry to mark."""
    entry = state.names.get((dimension, name))
    if entry is None:
        return state
    marked = replace(
        entry, title=entry.title if title is None else title, changed_at=header.at, changed_by=header.actor.name
    )
    return replace(state, names=state.names.set((dimension, name), marked))


def require_known(draft: Draft, selectors: Iterable[Selector], *, create: bool) -> None:
    """Refuse unknown registered names, or register them where the sender said create.

    Raises `UnknownName` with the near names.
    """
    for selector in selectors:
        for dimension, name in selector.items:
            if dimension not in REGISTERED or (dimension, name) in draft.state.names:
                continue
            if not create:
                raise unknown_name(draft.state, dimension, name)
            draft.emit(NameAdded(dimension=dimension, name=name))


def unknown_name(state: State, dimension: str, name: str) -> UnknownName:
    """The refusal for a name that nobody registered, with what may have been meant."""
    known = [entry.name for entry in state.names_of(dimension)]
    if dimension == "operation":
        known += list(OPERATION_OF_FLAG)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    meant = f"did you mean {' or '.join(near)}?" if near else f"see the list with '{listing(dimension)}'"
    return UnknownName("unknown-name", f"no {dimension} is called {name}", f"{meant} To register it, say --create")


def listing(dimension: str) -> str:
    """The command that lists the names of a dimension."""
    nouns = {"site": "sites", "operation": "flags", "workflow": "workflows"}
    return f"opsconsole {nouns.get(dimension, 'export')}{' list' if dimension in nouns else ''}"
