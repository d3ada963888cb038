"""A trigger switched, removed, added or changed: each with what it would come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from opsconsole.dialogs.base import Said
from opsconsole.dialogs.sure import Plan, SurePrompt
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.rehearsed import rehearsed
from opsconsole.views.triggers import trigger_case

if TYPE_CHECKING:
    from core.messages import Command
    from core.triggers.definition import Definition

STAYS = "what it has stopped stays stopped"


def switch_prompt(name: str, state: Literal["on", "off", "remove"]) -> SurePrompt:
    """Ask before one is switched or removed."""
    shown = clean(name, 60)

    def says(picture: Picture) -> list[Said]:
        return [*trigger_case(picture, name), (Span(STAYS if state != "on" else "it may stop from now on"),)]

    def command(_note: str) -> Command:
        from core.capabilities.triggers import RemoveTrigger, SetTrigger

        return RemoveTrigger(trigger=name) if state == "remove" else SetTrigger(trigger=name, active=state == "on")

    does = {"on": "switch it on", "off": "switch it off", "remove": "remove it"}[state]
    title = f"REMOVE trigger {shown}" if state == "remove" else f"SWITCH trigger {shown} {state}"
    return SurePrompt(Plan(title, says, does, command, f"trigger {shown} {state}", f"trigger {shown} is as it was"))


def define_prompt(definition: Definition, *, new: bool, back: Callable[[], None] | None = None) -> SurePrompt:
    """Ask before one is added or changed, with a rehearsal. ``back`` leads to where it was written."""
    shown = clean(definition.name, 60)

    def says(picture: Picture) -> list[Said]:
        lines = rehearsed(picture, definition)
        return lines if new else [(Span("takes the place of the one that there is", Style.WARN),), *lines]

    def command(_note: str) -> Command:
        from core.capabilities.triggers import AddTrigger

        return AddTrigger.model_validate(definition.model_dump())

    does = "add it" if new else "change it"
    word = "add" if new else "change"
    about = f"{word} trigger {shown}"
    return SurePrompt(
        Plan(f"{word.upper()} trigger {shown}", says, does, command, about, f"not done: {about}", back=back)
    )
