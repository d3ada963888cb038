"""Something to read: help, or why a thing may not run. Any key that does not scroll closes it."""

from __future__ import annotations

from collections.abc import Callable

from opsconsole.dialogs.base import UNBOUNDED, Dialog, Outcome, Said, keys_line
from opsconsole.lines import wrapped
from opsconsole.views.picture import Picture

SCROLLS = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10, "home": -1000, "g": -1000}


class Reading(Dialog):
    """Paragraphs under a title, kept up to date for as long as they are open."""

    def __init__(self, title: str, say: Callable[[Picture], list[Said]]) -> None:
        self.title = title
        self._say = say
        self._from = 0

    def body(self, picture: Picture) -> list[Said]:
        """The paragraphs from where it was scrolled to; the last of them is as far down as it goes."""
        said = self._say(picture)
        end = self._end(said)
        if self.rows_shown < UNBOUNDED:
            self._from = min(self._from, end)
        return said[min(self._from, end) :]

    def _end(self, said: list[Said]) -> int:
        """The first paragraph from which all that follow have room."""
        room = self.rows_shown
        for at in range(len(said) - 1, -1, -1):
            room -= len(wrapped(said[at], max(1, self.cells_shown - 4), indent=2))
            if room < 0:
                return min(at + 1, len(said) - 1)
        return 0

    def foot(self, picture: Picture) -> list[Said]:
        """The keys."""
        return [keys_line(("j k", "scroll"), self.escape)]

    def key(self, key: str, character: str | None) -> Outcome:
        """Scroll or close."""
        if key not in SCROLLS:
            return "close"
        self._from = max(0, self._from + SCROLLS[key])
        return "stay"
