"""The whole configuration as one document: what is registered and which limits there are, never what is held.

Applying adds and changes definitions and may switch flags and workflows off; it never releases a hold. What the
document would switch on but is off is listed instead, so that an import cannot restart anything.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, field_validator

from core.capabilities.names import registered, stored_name
from core.capabilities.procedures import SetProcedure, set_procedure
from core.capabilities.rate_limits import HOUR_S, LimitChanged, LimitDefined, Units, Window, charged, find_limit
from core.capabilities.switches import Switched, is_on, is_switched_off, switch_off
from core.engine import Draft, decides
from core.messages import Command, FreeText, Identifier, Message, command
from core.procedures import DIRECT, Procedure, ProcedureFields, document_of
from core.state import State
from opsgate.selector import Selector

FORMAT: Final = 1


class NameEntry(Message):
    """A site, a service, a dependency: a name that has no switch."""

    title: FreeText = ""


class SwitchEntry(Message):
    """A flag or a workflow. ``state: off`` places its hold; ``on`` releases nothing and is listed where it is off."""

    title: FreeText = ""
    state: Literal["on", "off"] | None = None


class LimitEntry(Message):
    """A limit: units per window, and the operation it charges. What is left out stays as it is (a new one's window
    is an hour)."""

    limit: Units
    window_s: Window | None = None
    operation: Identifier | None = None


class Configuration(Message):
    """One fleet's configuration."""

    format: Literal[1] = FORMAT
    sites: dict[Identifier, NameEntry] = Field(default_factory=dict)
    services: dict[Identifier, NameEntry] = Field(default_factory=dict)
    dependencies: dict[Identifier, NameEntry] = Field(default_factory=dict)
    flags: dict[Identifier, SwitchEntry] = Field(default_factory=dict)
    workflows: dict[Identifier, SwitchEntry] = Field(default_factory=dict)
    limits: dict[Identifier, LimitEntry] = Field(default_factory=dict)
    procedures: dict[Identifier, ProcedureFields] = Field(default_factory=dict)
    """The fleet's own ones. A recovery under way keeps its steps."""

    @field_validator("procedures")
    @classmethod
    def _are_no_direct_ones(cls, own: dict[str, ProcedureFields]) -> dict[str, ProcedureFields]:
        if DIRECT in own:
            raise ValueError(f"{DIRECT} has no steps and cannot be another")
        return own


@command
class ApplyConfiguration(Command):
    """Make the fleet have all that the document names. Nothing is removed and nothing released."""

    kind: Literal["apply-configuration"] = "apply-configuration"
    configuration: Configuration


@decides(ApplyConfiguration)
def apply_configuration(draft: Draft, wanted: ApplyConfiguration) -> None:
    """Each entry by the capability that owns it, all in one transaction."""
    document = wanted.configuration
    for dimension, entries in _plain_names(document):
        for name, entry in entries.items():
            registered(draft, dimension, name, entry.title)
    switches: tuple[tuple[Switched, dict[str, SwitchEntry]], ...]
    switches = (("operation", document.flags), ("workflow", document.workflows))
    for switched, switch_entries in switches:
        for name, switch in switch_entries.items():
            _apply_switch(draft, switched, name, switch)
    for name, limit in document.limits.items():
        _apply_limit(draft, name, limit)
    for name, fields in document.procedures.items():
        set_procedure(draft, SetProcedure(procedure=Procedure(name=name, **dict(fields))))


def export_configuration(state: State) -> dict[str, Any]:
    """The document of this fleet: equal configurations give equal documents, without times, workers or holds."""
    return {
        "format": FORMAT,
        "sites": _titles(state, "site"),
        "services": _titles(state, "service"),
        "dependencies": _titles(state, "dependency"),
        "flags": _titles(state, "operation"),
        "workflows": _titles(state, "workflow"),
        "limits": {
            limit.name: {"limit": limit.limit, "window_s": limit.window_s}
            | ({"operation": limit.operation} if limit.operation else {})
            for limit in sorted(state.limits.values(), key=lambda limit: limit.name)
        },
        "procedures": {name: _fields(state.procedures[name]) for name in sorted(state.procedures)},
    }


def _fields(procedure: Procedure) -> dict[str, Any]:
    return {field: value for field, value in document_of(procedure).items() if field != "name"}


def _plain_names(document: Configuration) -> tuple[tuple[str, dict[str, NameEntry]], ...]:
    return ("site", document.sites), ("service", document.services), ("dependency", document.dependencies)


def _titles(state: State, dimension: str) -> dict[str, dict[str, str]]:
    return {name.name: {"title": name.title} if name.title else {} for name in state.names_of(dimension)}


def _apply_switch(draft: Draft, dimension: Switched, name: str, entry: SwitchEntry) -> None:
    selector = Selector.from_mapping({dimension: name})
    registered(draft, dimension, stored_name(dimension, name), entry.title)
    if entry.state == "off" and not is_switched_off(draft.state, dimension, selector):
        switch_off(draft, dimension, selector, "applied configuration")
    elif entry.state == "on" and not is_on(draft.state, dimension, name):
        held = ", ".join(hold.hold_id for hold in draft.state.holds_on(selector))
        draft.notes.append(f"{selector} stays off (held by {held}): apply releases nothing")


def _apply_limit(draft: Draft, name: str, entry: LimitEntry) -> None:
    operation = charged(draft, entry.operation)
    known = find_limit(draft.state, name)
    if known is None:
        window_s = HOUR_S if entry.window_s is None else entry.window_s
        draft.emit(LimitDefined(name=name, limit=entry.limit, window_s=window_s, operation=operation))
        return
    window_s = known.window_s if entry.window_s is None else entry.window_s
    operation = known.operation if operation is None else operation
    if (known.limit, known.window_s, known.operation) == (entry.limit, window_s, operation):
        return
    if known.limit == 0 and (entry.limit > 0 or operation != known.operation):
        draft.notes.append(
            f"limit {known.name} stays 0: apply releases nothing; say 'limits set {known.name} {entry.limit}'"
        )
    else:
        draft.emit(LimitChanged(name=known.name, limit=entry.limit, window_s=window_s, operation=operation))
