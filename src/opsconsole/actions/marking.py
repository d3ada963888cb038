"""Mark rows, so that one command takes them all."""

from __future__ import annotations

from opsconsole.actions.base import Action, Desk
from opsconsole.browse import Browser


class OnMarkable(Action):
    """Something about marks, in lists whose rows can be paused."""

    def why_not(self, desk: Desk) -> str:
        """There must be a row, of a kind that can be acted on."""
        selected = desk.pane.selected
        if selected is None:
            return "there is no row under the cursor"
        return "" if desk.pane.target(selected) else "rows are marked to pause or resume them, and these cannot be"


class Mark(OnMarkable):
    """A mark."""

    id, keys = "mark", "space"
    about = "mark the selected row and go to the next; p and P act on all marked rows at once"

    def run(self, desk: Desk) -> None:
        """Set, never toggle."""
        if desk.pane.browser.anchor is not None:
            desk.pane.look_anew(Browser.mark_range)
        elif selected := desk.pane.selected:
            desk.pane.look_anew(lambda browser: browser.mark(selected))
            desk.pane.action_move(1)


class Unmark(OnMarkable):
    """No mark."""

    id, keys = "unmark", "u"
    about = "take the mark of the selected row away and go to the next"

    def run(self, desk: Desk) -> None:
        """Of this row alone."""
        if selected := desk.pane.selected:
            desk.pane.look_anew(lambda browser: browser.unmark(selected))
            desk.pane.action_move(1)


class UnmarkAll(Action):
    """No marks."""

    id, keys = "unmark-all", "U"
    about = "take all marks of this list away, those too that a filter hides"

    def why_not(self, desk: Desk) -> str:
        """There must be some."""
        return "" if desk.pane.browser.marks else "nothing is marked"

    def run(self, desk: Desk) -> None:
        """Of this list."""
        desk.pane.look_anew(lambda browser: browser.unmark(*browser.marks))


class Range(OnMarkable):
    """Many marks."""

    id, keys = "range", "v"
    about = "begin a range; pressed again, mark all rows from there to here; p and P take an open one; Esc drops it"

    def run(self, desk: Desk) -> None:
        """Begin it, or end it."""
        begun = desk.pane.browser.anchor is not None
        desk.pane.look_anew(Browser.mark_range if begun else Browser.begin_range)
