"""The services."""

from __future__ import annotations

from opsconsole.panes.base import Question, TablePane
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.services import service_case, services
from opsconsole.views.subject import Subject


class ServicesPane(TablePane):
    """What drivers stop and start."""

    name = "services"
    title = "Services"
    has_wide = True

    def view(self, picture: Picture) -> Table:
        """Services, those that did not do as they were told first."""
        return services(picture, wide=self.wide)

    def why(self, key: str, picture: Picture) -> Question | None:
        """How it stands, and what it is told."""
        return Question(clean(key, 60), lambda seen: service_case(seen, key))

    def subject_of(self, key: str, picture: Picture) -> Subject | None:
        """The service."""
        return Subject("service", key)
