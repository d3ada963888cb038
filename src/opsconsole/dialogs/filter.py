"""The filter while it is typed: the list narrows with every key."""

from __future__ import annotations

from collections.abc import Callable

from opsconsole.dialogs.base import Dialog, Outcome, Said, field_line, keys_line
from opsconsole.dialogs.field import Field
from opsconsole.lines import Span, Style
from opsconsole.views.picture import Picture

MOVES = {"down": 1, "up": -1}


class FilterPrompt(Dialog):
    """Opened by ``/``. `narrow` is told the text at every key and returns how many rows are left of how many."""

    escapes = "show all"

    def __init__(
        self, name: str, text: str, narrow: Callable[[str], tuple[int, int]], move: Callable[[int], None]
    ) -> None:
        self.title = f"FILTER {name}"
        self._field = Field()
        self._field.value = text
        self._narrow = narrow
        self._move = move
        self._left = narrow(text)

    def body(self, picture: Picture) -> list[Said]:
        """Nothing: the list itself is what there is to see."""
        return []

    def foot(self, picture: Picture) -> list[Said]:
        """What is typed, and how many rows are left."""
        left, of = self._left
        typed = field_line("/", self._field, active=True)
        counted = (Span(f"   {left} of {of}   ", Style.STRONG),)
        return [(*typed, *counted, *keys_line(("Enter", "keep it"), self.escape)), self._hint()]

    def key(self, key: str, character: str | None) -> Outcome:
        """Take one key. Enter ends the typing and does nothing else."""
        if key in MOVES:
            self._move(MOVES[key])
        elif key == "enter":
            return "close"
        elif key == "escape":
            self._narrow("")
            return "close"
        else:
            self._field.key(key, character)
            self._left = self._narrow(self._field.value)
        return "stay"

    def paste(self, text: str) -> Outcome:
        """Text may be pasted."""
        self._field.paste(text)
        self._left = self._narrow(self._field.value)
        return "stay"

    @staticmethod
    def _hint() -> Said:
        return (Span("all words must be in the row; -word must not be", Style.DIM),)
