"""The whole configuration as one document: what is registered and which limits there are, never what is held.

Applying adds and changes definitions and may switch flags and workflows off; it never releases a hold. What the
document would switch on but is off is listed instead, so that an import cannot restart anything.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from core.capabilities.holds import place
from core.capabilities.names import AddName, add_name, stored_name
from core.capabilities.rate_limits import HOUR_S, LimitChanged, LimitDefined, Units, Window
from core.capabilities.switches import SOURCE_OF_DIMENSION, is_on, switch_hold
from core.engine import Draft, decides
from core.messages import Command, FreeText, Identifier, Message, command
from core.state import State
from opsgate.selector import Selector

FORMAT: Final = 1


class NameEntry(Message):
    """A site, or another name that has no switch."""

    title: FreeText = ""


class SwitchEntry(Message):
    """A flag or a workflow. ``state: off`` places its hold; ``on`` releases nothing and is listed where it is off."""

    title: FreeText = ""
    state: Literal["on", "off"] | None = None


class LimitEntry(Message):
    """A limit: units per window, and the operation it charges."""

    limit: Units
    window_s: Window = HOUR_S
    operation: Identifier | None = None


class Configuration(Message):
    """One fleet's configuration."""

    format: Literal[1] = FORMAT
    sites: dict[Identifier, NameEntry] = Field(default_factory=dict)
    flags: dict[Identifier, SwitchEntry] = Field(default_factory=dict)
    workflows: dict[Identifier, SwitchEntry] = Field(default_factory=dict)
    limits: dict[Identifier, LimitEntry] = Field(default_factory=dict)


@command
class ApplyConfiguration(Command):
    """Make the fleet have all that the document names. Nothing is removed and nothing released."""

    kind: Literal["apply-configuration"] = "apply-configuration"
    configuration: Annotated[Configuration, Field()]


@decides(ApplyConfiguration)
def apply_configuration(draft: Draft, wanted: ApplyConfiguration) -> None:
    """Each entry by the capability that owns it, all in one transaction."""
    document = wanted.configuration
    for name, entry in document.sites.items():
        add_name(draft, AddName(dimension="site", name=name, title=entry.title))
    for dimension, switches in (("operation", document.flags), ("workflow", document.workflows)):
        for name, switch in switches.items():
            _apply_switch(draft, dimension, stored_name(dimension, name), switch)
    for name, limit in document.limits.items():
        _apply_limit(draft, name, limit)
    draft.notes = [note for note in draft.notes if "registered already" not in note]


def export_configuration(state: State) -> dict[str, Any]:
    """The document of this fleet: equal configurations give equal documents, without times, workers or holds."""
    return {
        "format": FORMAT,
        "sites": {name.name: _titled(name.title) for name in state.names_of("site")},
        "flags": {name.name: _titled(name.title) for name in state.names_of("operation")},
        "workflows": {name.name: _titled(name.title) for name in state.names_of("workflow")},
        "limits": {
            limit.name: {"limit": limit.limit, "window_s": limit.window_s}
            | ({"operation": limit.operation} if limit.operation else {})
            for limit in sorted(state.limits.values(), key=lambda limit: limit.name)
        },
    }


def _titled(title: str) -> dict[str, str]:
    return {"title": title} if title else {}


def _apply_switch(draft: Draft, dimension: Any, name: str, entry: SwitchEntry) -> None:
    add_name(draft, AddName(dimension=dimension, name=name, title=entry.title))
    selector = Selector.from_mapping({dimension: name})
    on = is_on(draft.state, dimension, name)
    if entry.state == "off" and not any(
        hold.source == SOURCE_OF_DIMENSION[dimension] for hold in draft.state.holds_on(selector)
    ):
        draft.hold_ids.append(place(draft, switch_hold(selector, "applied configuration")))
    elif entry.state == "on" and not on:
        held = ", ".join(hold.hold_id for hold in draft.state.holds_on(selector))
        draft.notes.append(f"{selector} stays off (held by {held}): apply releases nothing")


def _apply_limit(draft: Draft, name: str, entry: LimitEntry) -> None:
    operation = None if entry.operation is None else stored_name("operation", entry.operation)
    known = draft.state.limits.get(name)
    if known is None:
        draft.emit(LimitDefined(name=name, limit=entry.limit, window_s=entry.window_s, operation=operation))
    elif (known.limit, known.window_s) != (entry.limit, entry.window_s):
        if known.limit == 0 and entry.limit > 0:
            draft.notes.append(f"limit {name} stays 0: apply releases nothing; say 'limits set {name} {entry.limit}'")
        else:
            draft.emit(LimitChanged(name=name, limit=entry.limit, window_s=entry.window_s))
