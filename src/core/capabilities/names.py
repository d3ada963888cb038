"""The registry of names: sites, operations, workflows and whatever else a hold may be placed on by name.

A write to a name that nobody registered is refused with the near names, because a typing error that answers
"success" stops nothing. Whoever means it says create.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterable
from typing import Final, Literal

from core.engine import Draft, decides, evolves
from core.errors import CommandRejected, UnknownName
from core.messages import Command, FreeText, Header, Identifier, NameEvent, command, event
from core.state import Name, State
from opsgate.names import OPERATION_OF_FLAG, REGISTERED, operation_named
from opsgate.selector import Selector

Dimension = Literal["site", "operation", "workflow", "service", "dependency", "campaign"]

_NOUNS: Final = {"site": "sites", "operation": "flags", "workflow": "workflows"}
"""The commands of those dimensions that have one."""

_COMPARED: Final = 500
"""How many names a misspelt one is compared with at most: the comparison takes 20 µs and the database is locked."""


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
class NameAdded(NameEvent):
    """A name was registered."""

    kind: Literal["name.added"] = "name.added"
    title: str = ""


@event
class NameRetitled(NameEvent):
    """A registered name got another title."""

    kind: Literal["name.retitled"] = "name.retitled"
    title: str


@event
class NameRemoved(NameEvent):
    """A name is no longer registered."""

    kind: Literal["name.removed"] = "name.removed"


@decides(AddName)
def add_name(draft: Draft, wanted: AddName) -> None:
    """Register, or retitle; naming again what is there already changes nothing."""
    name = stored_name(wanted.dimension, wanted.name)
    if not registered(draft, wanted.dimension, name, wanted.title):
        draft.notes.append(f"{wanted.dimension} {name} is registered already")


@decides(RemoveName)
def remove_name(draft: Draft, wanted: RemoveName) -> None:
    """Unregister, unless a hold or a limit would be left pointing at nothing."""
    name = stored_name(wanted.dimension, wanted.name)
    if (wanted.dimension, name) not in draft.state.names:
        raise unknown_name(draft.state, wanted.dimension, name, create=False)
    if wanted.dimension == "service" and name in draft.state.services:
        raise CommandRejected("name-served", f"service {name} is defined", f"opsconsole services rm {name}")
    held = [hold.hold_id for hold in draft.state.holds.values() if hold.selector.get(wanted.dimension) == name]
    if held:
        shown = ", ".join(sorted(held)[:5])
        raise CommandRejected("name-held", f"{wanted.dimension} {name} is named by {shown}", "release that first")
    charging = [limit.name for limit in draft.state.limits.values() if limit.operation == name]
    if charging and wanted.dimension == "operation":
        raise CommandRejected("name-limited", f"operation {name} is charged by limit {', '.join(sorted(charging))}")
    draft.emit(NameRemoved(dimension=wanted.dimension, name=name))


def registered(draft: Draft, dimension: str, name: str, title: str = "") -> bool:
    """Register a name as it is stored, or retitle it; False when it is there already, titled so or untitled here."""
    known = draft.state.names.get((dimension, name))
    if known is None:
        draft.emit(NameAdded(dimension=dimension, name=name, title=title))
    elif title and known.title != title:
        draft.emit(NameRetitled(dimension=dimension, name=name, title=title))
    else:
        return False
    return True


@evolves(NameAdded)
def name_added(state: State, happened: NameAdded, header: Header) -> State:
    """Fold."""
    dimension, name = happened.dimension, happened.name
    entry = Name(dimension, name, happened.title, header.at, changed_at=header.at, changed_by=header.actor.name)
    return state.but(names=state.names.set((dimension, name), entry), names_revision=header.revision)


@evolves(NameRetitled)
def name_retitled(state: State, happened: NameRetitled, header: Header) -> State:
    """Fold."""
    return touched(state, happened.dimension, happened.name, header, title=happened.title)


@evolves(NameRemoved)
def name_removed(state: State, happened: NameRemoved, header: Header) -> State:
    """Fold."""
    names = state.names.delete((happened.dimension, happened.name))
    return state.but(names=names, names_revision=header.revision)


def stored_name(dimension: str, name: str) -> str:
    """A name as the registry spells it: flags become the operations they switch."""
    return operation_named(name) if dimension == "operation" else name


def touched(state: State, dimension: str, name: str, header: Header, *, title: str | None = None) -> State:
    """The state with a registered name marked as changed by this event; unregistered names have no entry to mark."""
    entry = state.names.get((dimension, name))
    if entry is None:
        return state
    kept = entry.title if title is None else title
    marked = Name(dimension, name, kept, entry.added_at, changed_at=header.at, changed_by=header.actor.name)
    return state.but(names=state.names.set((dimension, name), marked))


def require_known(draft: Draft, selectors: Iterable[Selector], *, create: bool, creatable: bool = True) -> None:
    """Refuse unknown registered names, or register them where the sender said create.

    Raises `UnknownName` with the near names; ``creatable`` says whether its hint may speak of ``--create``.
    """
    for selector in selectors:
        for dimension, name in selector.items:
            if dimension not in REGISTERED or (dimension, name) in draft.state.names:
                continue
            if not create:
                raise unknown_name(draft.state, dimension, name, create=creatable)
            draft.emit(NameAdded(dimension=dimension, name=name))


def unknown_name(state: State, dimension: str, name: str, *, create: bool = True) -> UnknownName:
    """The refusal for a name that nobody registered, with what may have been meant and, where the sender may say
    ``create``, how to register it."""
    near = near_names(state, dimension, name)
    hint = f"did you mean {' or '.join(near)}?" if near else f"see the list with '{listing(dimension)}'"
    if create:
        hint += f"{'' if near else '.'} To register it, say --create, over HTTP create: true"
    return UnknownName("unknown-name", f"no {dimension} is called {name}", hint)


def near_names(state: State, dimension: str, name: str) -> list[str]:
    """The registered names of a dimension that ``name`` may be a typing error of, the likeliest first."""
    known = [known for of, known in state.names if of == dimension]
    if dimension == "operation":
        known += list(OPERATION_OF_FLAG)
    alike = heapq.nlargest(_COMPARED, sorted(known), key=lambda other: _shared(name, other))
    return difflib.get_close_matches(name, alike, n=3, cutoff=0.6)


def registering(dimension: str, name: str) -> str:
    """The command that registers a name."""
    noun = _NOUNS.get(dimension)
    return f"opsconsole {noun} add {name}" if noun else f"opsconsole pause --{dimension} {name} --create"


def _shared(one: str, other: str) -> int:
    """How many characters two names share in place: what is worth a closer comparison."""
    return sum(map(str.__eq__, one, other))


def listing(dimension: str) -> str:
    """The command that lists the names of a dimension."""
    return f"opsconsole {_NOUNS[dimension]} list" if dimension in _NOUNS else "opsconsole export"
