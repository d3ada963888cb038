"""Where the operator is: which list is in front, how it was come to, and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from opsconsole.arrange import Sort
from opsconsole.browse import Browser
from opsconsole.layout import NAMES, PANES
from opsconsole.panes import TablePane
from opsconsole.screen import MainScreen
from opsconsole.views.subject import Subject

BACK_MAX = 20
"""So many steps can be taken back."""


class _Step(NamedTuple):
    """A place to come back to. Of the inside of things also which thing it was, and where in it."""

    front: str
    subject: Subject
    browser: Browser | None


class Navigator:
    """Moves about on the screen. `paint` is called when another list has to be made."""

    def __init__(self, main: MainScreen, paint: Callable[[], None]) -> None:
        self._main = main
        self._paint = paint
        self._steps: list[_Step] = []

    @property
    def pane(self) -> TablePane:
        """The list in front."""
        return self._main.panes[self._main.front]

    @property
    def can_go_back(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._steps)

    def show_list(self, name: str) -> bool:
        """Bring a list to the front by its name; False when there is none of that name."""
        if name not in NAMES:
            return False
        if name in PANES:
            self._steps.clear()
        elif name != self._main.front:
            self._remember()
        self._bring(name)
        return True

    def enter(self, subject: Subject) -> None:
        """Look at the inside of something, or at its log."""
        self._remember()
        inside = self._main.inside
        inside.browser = Browser()
        inside.enter(subject)
        self._bring(inside.name)

    def back(self) -> None:
        """Take the last step back."""
        if not self._steps:
            return
        step = self._steps.pop()
        if step.browser is not None:
            self._main.inside.browser = step.browser
            self._main.inside.enter(step.subject)
        self._bring(step.front)

    def next_pane(self, by: int) -> None:
        """The next of the six panes, or the one before; from a further list, as seen from where it was come from."""
        fronts = (self._main.front, *(step.front for step in reversed(self._steps)))
        here = next((name for name in fronts if name in PANES), PANES[0])
        self.show_list(PANES[(PANES.index(here) + by) % len(PANES)])

    def sort(self, column: str) -> str:
        """Sort by the column whose title begins with `column`, ``-`` before it turns it round; empty is worst first.

        Returns why not, as a sentence; empty when it was done.
        """
        wanted, backwards = column.strip().lstrip("-").upper(), column.strip().startswith("-")
        titles = [each.title for each in self.pane.table.columns if each.title]
        found = next((title for title in titles if title.startswith(wanted)), "")
        if wanted and not found:
            return f"no column {wanted[:20]} here, only {', '.join(titles)}"
        self.pane.sort_by(Sort(found if wanted else "", backwards))
        return ""

    def _remember(self) -> None:
        """What is in front can be come back to, with its cursor, its filter and its order."""
        inside = self._main.inside
        browser = inside.browser if self.pane is inside else None
        self._steps = [*self._steps, _Step(self._main.front, inside.subject, browser)][-BACK_MAX:]

    def _bring(self, name: str) -> None:
        self._main.bring_to_front(name)
        self._paint()
