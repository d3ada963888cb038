"""The triggers."""

from __future__ import annotations

from opsconsole.panes.base import Question, TablePane
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.subject import Subject
from opsconsole.views.triggers import trigger_case, triggers


class TriggersPane(TablePane):
    """What stops work by itself."""

    name = "triggers"
    title = "Triggers"
    has_wide = True

    def view(self, picture: Picture) -> Table:
        """Triggers, those that are crossed first."""
        return triggers(picture, wide=self.wide)

    def why(self, key: str, picture: Picture) -> Question | None:
        """How it stands, and what it is told."""
        return Question(clean(key, 60), lambda seen: trigger_case(seen, key))

    def subject_of(self, key: str, picture: Picture) -> Subject | None:
        """The trigger."""
        return Subject("trigger", key)
