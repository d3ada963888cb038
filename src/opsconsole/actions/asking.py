"""Ask about what is under the cursor: why, what is inside, what happened, who is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opsconsole.actions.base import Action, Desk, there_is_none
from opsconsole.dialogs.reading import Reading
from opsconsole.views.subject import Subject
from opsconsole.views.workers import without_acknowledgement

if TYPE_CHECKING:
    from opsconsole.panes.base import Question


class Why(Action):
    """The question that every blocked thing can be asked."""

    id, keys, label = "why", "d", "why"
    about = "describe the selected row: what holds it or what is known of it, and what ends that"

    def why_not(self, desk: Desk) -> str:
        """There must be something to ask about."""
        return "" if self._question(desk) is not None else "there is no row here to ask about"

    def run(self, desk: Desk) -> None:
        """Show the answer, and keep it true while it is open."""
        if question := self._question(desk):
            desk.open(Reading(f"WHY {question.about}", question.answer))

    @staticmethod
    def _question(desk: Desk) -> Question | None:
        selected = desk.pane.selected
        return desk.pane.why(selected, desk.picture) if selected else None


class OnSubject(Action):
    """Something about what is under the cursor."""

    def why_not(self, desk: Desk) -> str:
        """There must be something."""
        if desk.pane.selected is None:
            return "there is no row under the cursor"
        return "" if self.subject(desk) else "no events are about this row alone"

    @staticmethod
    def subject(desk: Desk) -> Subject | None:
        """What is under the cursor."""
        selected = desk.pane.selected
        return desk.pane.subject_of(selected, desk.picture) if selected else None


class Enter(OnSubject):
    """Nearer."""

    id, keys = "enter", "enter"
    about = "look inside: a site's holds, who obeys a hold, the acknowledgements of an emergency; Esc goes back"

    def why_not(self, desk: Desk) -> str:
        """There must be a thing behind the row, or a list."""
        selected = desk.pane.selected
        if selected is None:
            return "there is no row under the cursor"
        return "" if self.subject(desk) or desk.pane.list_of(selected) else desk.pane.nothing_inside

    def run(self, desk: Desk) -> None:
        """Never confirms anything."""
        if subject := self.subject(desk):
            desk.enter(subject)
        elif selected := desk.pane.selected:
            desk.show_list(desk.pane.list_of(selected))


class Log(OnSubject):
    """What happened to it."""

    id, keys, label = "log", "l", "log"
    about = "the events that are about the selected row, newest first"

    def run(self, desk: Desk) -> None:
        """From the journal, as far back as it is scrolled."""
        if subject := self.subject(desk):
            desk.enter(subject._replace(log=True))


class Acks(Action):
    """Who is missing."""

    id, keys, label = "acks", "a", "acks"
    about = "list the workers that have not acknowledged the stops in force"

    def why_not(self, desk: Desk) -> str:
        """Only while somebody is missing."""
        return "" if without_acknowledgement(desk.picture) else there_is_none(desk, "no acknowledgement is missing")

    def run(self, desk: Desk) -> None:
        """All of them, whatever the pane."""
        desk.enter(Subject("acks", ""))
