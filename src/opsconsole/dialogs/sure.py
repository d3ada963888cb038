"""A plan and ``y``: for what stops something, or lets nothing run that did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from opsconsole.dialogs.base import Dialog, Outcome, Said, Send, field_line, keys_line
from opsconsole.dialogs.field import Field
from opsconsole.lines import Span, Style
from opsconsole.views.picture import Picture

if TYPE_CHECKING:
    from core.messages import Command

TOO_SOON: Final = "too soon: read, then y"
Y_OR_ESC: Final = "y or Esc: that key does nothing here"


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


class SurePrompt(Dialog):
    """Says what ``y`` would do, as it stands now. Enter confirms nothing, and a reason may be left out."""

    escapes = "cancel"

    def __init__(self, plan: Plan, note: str = "") -> None:
        self.title = plan.title
        self._plan = plan
        self._note = Field(note)
        self._typing = False
        self._remark = ""

    @property
    def confirms(self) -> str:  # type: ignore[override] # an attribute of the base, worked out here
        """``y``, while no text is being typed."""
        return "" if self._typing else "y"

    def body(self, picture: Picture) -> list[Said]:
        """The plan."""
        return self._plan.says(picture)

    def foot(self, picture: Picture) -> list[Said]:
        """The text that may be added, and the keys."""
        lines: list[Said] = []
        if self._plan.noted:
            lines.append(field_line(f"{self._plan.noted} (optional)", self._note, active=self._typing))
        if self._typing:
            return [*lines, keys_line(("Enter", "end the line"), self.escape)]
        remark: Said = (Span(f"{self._remark}   ", Style.WARN),) if self._remark else ()
        more = (("r", self._plan.noted),) if self._plan.noted else ()
        return [*lines, (*remark, *keys_line(("y", self._plan.does), *more, self.escape))]

    def key(self, key: str, character: str | None) -> Outcome:
        """Take one key."""
        if key == "escape":
            return "close"
        if self._typing:
            self._typing = key != "enter"
            self._note.key(key, character)
            return "stay"
        if key == "y":
            return Send(self._plan.command(self._note.value.strip()), self._plan.about)
        self._typing = key == "r" and bool(self._plan.noted)
        self._remark = "" if self._typing else Y_OR_ESC
        return "stay"

    def hurried(self) -> None:
        """Say so."""
        self._remark = TOO_SOON

    def residue(self) -> str:
        """Nothing was done."""
        return self._plan.kept

    def paste(self, text: str) -> Outcome:
        """Only into the text."""
        if self._typing:
            self._note.paste(text)
        return "stay"
