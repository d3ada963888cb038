"""Look at a list in another way: fewer rows, another order, more columns."""

from __future__ import annotations

from typing import ClassVar

from opsconsole.actions.base import Action, Desk
from opsconsole.dialogs.filter import FilterPrompt


class Filter(Action):
    """Fewer rows."""

    id, keys, label = "filter", "slash", "filter"
    about = "show only rows that hold these words, -word for rows that do not; Esc shows all again"

    def run(self, desk: Desk) -> None:
        """Narrow with every key."""
        pane = desk.pane

        def narrow(text: str) -> tuple[int, int]:
            desk.filter(text)
            return len(pane.table.rows), len(pane.browser.whole.rows)

        desk.open(FilterPrompt(pane.title, pane.browser.filter_text, narrow, pane.action_move))


class NextMatch(Action):
    """To the next row that the last filter asked for."""

    id, keys = "next-match", "n"
    about = "the next row that the last filter asked for; N the one before"
    by: ClassVar[int] = 1

    def run(self, desk: Desk) -> None:
        """Go there."""
        if not desk.pane.seek(self.by):
            desk.say("no further match")


class PreviousMatch(NextMatch):
    """The other way round."""

    id, keys = "previous-match", "N"
    about = "the row before that the last filter asked for"
    by = -1


class Sort(Action):
    """Another order."""

    id, keys, label = "sort", "o", "sort"
    about = "sort by the next column; behind the last one comes worst first again"

    def run(self, desk: Desk) -> None:
        """Take the next column."""
        desk.sort(desk.pane.browser.next_sort().title)


class Wide(Action):
    """More columns."""

    id, keys, label = "wide", "w", "wide"
    about = "show more columns of this list, or fewer again"

    def why_not(self, desk: Desk) -> str:
        """Not every list has more."""
        return "" if desk.pane.has_wide else "no further columns here; :why asks why"

    def run(self, desk: Desk) -> None:
        """Do it."""
        desk.widen()
