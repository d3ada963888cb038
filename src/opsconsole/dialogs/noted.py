"""A prompt that ``y`` confirms, and to which a text may be added first."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from opsconsole.dialogs.base import Dialog, Outcome, Said, Send, field_line, keys_line
from opsconsole.dialogs.field import Field
from opsconsole.lines import Span, Style
from opsconsole.views.picture import Picture


class NotedPrompt(Dialog):
    """``y`` confirms, ``r`` begins the text and Enter ends it, Esc cancels; no other key does anything."""

    escapes = "cancel"
    y_or_esc: ClassVar[str]
    """What another key is answered."""
    too_soon: ClassVar[str]
    """What a ``y`` is answered that was typed blindly."""

    def __init__(self, does: str, noted: str, note: str = "") -> None:
        """``does`` is what ``y`` does, in a few words; ``noted`` is what the text is called, empty where none may be
        added, and ``note`` what stands there at first."""
        self._does, self._noted = does, noted
        self._note = Field(note)
        self._typing = False
        self._remark = ""

    @abstractmethod
    def sent(self, note: str) -> Send:
        """What ``y`` carries out, with the text that was added."""

    @property
    def confirms(self) -> str:  # type: ignore[override] # an attribute of the base, worked out here
        """``y``, while no text is being typed."""
        return "" if self._typing else "y"

    def foot(self, picture: Picture) -> list[Said]:
        """The text that may be added, and the keys."""
        lines: list[Said] = []
        if self._noted:
            lines.append(field_line(f"{self._noted} (optional)", self._note, active=self._typing))
        if self._typing:
            return [*lines, keys_line(("Enter", "end the line"), self.escape)]
        more = (("r", self._noted),) if self._noted else ()
        return [*lines, (*remarked(self._remark), *keys_line(("y", self._does), *more, self.escape))]

    def key(self, key: str, character: str | None) -> Outcome:
        """Take one key."""
        if key == "escape":
            return "close"
        if self._typing:
            self._typing = key != "enter"
            self._note.key(key, character)
            return "stay"
        if key == "y":
            return self.sent(self._note.value.strip())
        self._typing = key == "r" and bool(self._noted)
        self._remark = "" if self._typing else self.y_or_esc
        return "stay"

    def hurried(self) -> None:
        """Say so."""
        self._remark = self.too_soon

    def paste(self, text: str) -> Outcome:
        """Only into the text."""
        if self._typing:
            self._note.paste(text)
        return "stay"


def remarked(remark: str) -> Said:
    """What the last key came to, before the keys; nothing for nothing."""
    return (Span(f"{remark}   ", Style.WARN),) if remark else ()
