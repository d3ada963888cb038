"""The palette: everything that can be done, found by a few letters, with its key and with why it does not apply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from opsconsole.dialogs.base import Dialog, Outcome, Said, Then, keys_line
from opsconsole.dialogs.field import Field
from opsconsole.lines import Span, Style
from opsconsole.text import cut, fit
from opsconsole.views.picture import Picture

KEYS_CELLS, NAME_CELLS = 10, 16


class Entry(NamedTuple):
    """One thing that can be done. `choose` does what its key does; `why_not` is why it does not apply now."""

    name: str
    keys: str
    about: str
    why_not: str
    choose: Callable[[], None]


class Palette(Dialog):
    """Opened by ``^p``. Letters filter, Up and Down choose, Enter does the same as the key and confirms nothing."""

    title = "PALETTE"

    def __init__(self, entries: Callable[[], Sequence[Entry]]) -> None:
        self._entries = entries
        self._field = Field()
        self._at = 0
        self._remark = ""

    def body(self, picture: Picture) -> list[Said]:
        """The entries that match, the chosen one among them."""
        found = self._found()
        top = max(0, self._at - self.rows_shown + 1)
        return [self._row(entry, chosen=at == self._at) for at, entry in enumerate(found)][top:] or [
            (Span("nothing is called that", Style.DIM),)
        ]

    def foot(self, picture: Picture) -> list[Said]:
        """All of what is chosen says, which a row has no room for; what is typed, and the keys."""
        found = self._found()
        chosen = (Span(_about(found[self._at]) if found else ""),)
        typed = (Span("find: ", Style.STRONG), Span(self._field.shown()), Span("_", Style.STRONG))
        remark = (Span(f"{self._remark}   ", Style.WARN),) if self._remark else ()
        return [chosen, typed, (*remark, *keys_line(("Up Down", "choose"), ("Enter", "press its key"), self.escape))]

    def key(self, key: str, character: str | None) -> Outcome:
        """Take one key."""
        found = self._found()
        self._remark = ""
        match key:
            case "escape" | "ctrl+p":
                return "close"
            case "up" | "down" | "pageup" | "pagedown":
                by = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}[key]
                self._at = max(0, min(len(found) - 1, self._at + by))
            case "enter" if found:
                chosen = found[self._at]
                if not chosen.why_not:
                    return Then(chosen.choose)
                self._remark = chosen.why_not
            case _ if self._field.key(key, character):
                self._at = 0
        return "stay"

    def paste(self, text: str) -> Outcome:
        """Text may be pasted; it chooses nothing."""
        self._field.paste(text)
        self._at = 0
        return "stay"

    def _found(self) -> list[Entry]:
        wanted = self._field.value.casefold().strip()
        ranked = [(match_rank(wanted, entry), entry) for entry in self._entries()]
        found = [each for each in ranked if each[0] >= 0]
        if wanted:  # of what answers equally well, that first which can be done now; unasked, all keep their order
            found.sort(key=lambda each: (each[0], bool(each[1].why_not)))
        return [entry for _, entry in found]

    def _row(self, entry: Entry, *, chosen: bool) -> Said:
        keys, name = fit(entry.keys, KEYS_CELLS), fit(entry.name, NAME_CELLS)
        said = cut(_about(entry), max(10, self.cells_shown - KEYS_CELLS - NAME_CELLS - 8))
        if chosen:
            return (Span(">"), Span(f"{name} {keys} {said}", Style.CURSOR))
        style = Style.DIM if entry.why_not else Style.PLAIN
        return (Span(" "), Span(f"{name} ", style), Span(keys, Style.KEY), Span(f" {said}", style))


def _about(entry: Entry) -> str:
    """What it does; before that why it does not apply, for the end goes where there is no room."""
    return f"({entry.why_not}) {entry.about}" if entry.why_not else entry.about


def match_rank(wanted: str, entry: Entry) -> int:
    """How well an entry answers what was typed, 0 best; -1 when it does not."""
    name, about = entry.name.casefold(), entry.about.casefold()
    if name == wanted:
        return 0
    if name.startswith(wanted):
        return 1
    if wanted in name:
        return 2
    if any(word.startswith(wanted) for word in about.split()):
        return 3
    letters = iter(name)
    if all(letter in letters for letter in wanted):
        return 4
    return 5 if wanted in about else -1
