"""Go from list to list."""

from __future__ import annotations

from opsconsole.actions.base import Action, Desk
from opsconsole.browse import Browser


class Back(Action):
    """One step back."""

    id, keys = "back", "escape"
    about = "drop the range that is being marked, else the filter, else go back whence one came, else drop the marks"

    def why_not(self, desk: Desk) -> str:
        """There must be something to go back on."""
        browser = desk.pane.browser
        if browser.anchor is not None or browser.filter_text or desk.can_go_back or browser.marks:
            return ""
        return "there is nothing to go back to"

    def run(self, desk: Desk) -> None:
        """The nearest first."""
        if desk.pane.browser.anchor is not None:
            desk.pane.look_anew(Browser.drop_range)
        elif desk.pane.browser.filter_text:
            desk.filter("")
        elif desk.can_go_back:
            desk.back()
        else:
            desk.pane.look_anew(lambda browser: browser.unmark(*browser.marks))


class NextPane(Action):
    """Panes in turn."""

    id, keys, label = "next-pane", "tab", "pane"
    about = "look at the next pane; Shift-Tab at the one before"

    def run(self, desk: Desk) -> None:
        """Look there."""
        desk.focus_next(1)


class PreviousPane(Action):
    """The other way round."""

    id, keys = "previous-pane", "shift+tab"
    about = "look at the pane before"

    def run(self, desk: Desk) -> None:
        """Look there."""
        desk.focus_next(-1)


class Zoom(Action):
    """One pane instead of six."""

    id, keys, label = "zoom", "z", "zoom"
    about = "give this pane all the room, or take it back; row 1 and 2 stay"

    def why_not(self, desk: Desk) -> str:
        """Pointless where there is only one."""
        return "" if desk.zoomable else "there is room for one pane only"

    def run(self, desk: Desk) -> None:
        """Do it."""
        desk.zoom()
