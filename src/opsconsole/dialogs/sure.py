"""A plan and ``y``: for what stops something, or lets nothing run that did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from opsconsole.dialogs.base import Outcome, Said, Send, Then
from opsconsole.dialogs.noted import NotedPrompt
from opsconsole.views.picture import Picture

if TYPE_CHECKING:
    from core.messages import Command


class Plan(NamedTuple):
    """What is asked for. `does` is what ``y`` does, in a few words; `kept` is the last word when nothing was done."""

    title: str
    says: Callable[[Picture], list[Said]]
    does: str
    command: Callable[[str], Command]
    about: str
    kept: str
    noted: str = ""
    """What the text is called that may be added; empty where there is none."""
    back: Callable[[], None] | None = None
    """Where Esc leads; None where it cancels."""


class SurePrompt(NotedPrompt):
    """Says what ``y`` would do, as it stands now. Enter confirms nothing, and a text may be left out."""

    y_or_esc = "y or Esc: that key does nothing here"
    too_soon = "too soon: read, then y"

    def __init__(self, plan: Plan, note: str = "") -> None:
        super().__init__(plan.does, plan.noted, note)
        self.title = plan.title
        self._plan = plan
        self.escapes = "go back" if plan.back else "cancel"

    def body(self, picture: Picture) -> list[Said]:
        """The plan."""
        return self._plan.says(picture)

    def key(self, key: str, character: str | None) -> Outcome:
        """Take one key."""
        if key == "escape" and self._plan.back:
            return Then(self._plan.back)
        return super().key(key, character)

    def sent(self, note: str) -> Send:
        """The command of the plan."""
        return Send(self._plan.command(note), self._plan.about)

    def residue(self) -> str:
        """Nothing was done."""
        return self._plan.kept
