"""The workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from opsconsole.panes.base import Question, TablePane
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views.case import worker_case
from opsconsole.views.picture import Picture
from opsconsole.views.subject import Subject
from opsconsole.views.workers import workers


class WorkersPane(TablePane):
    """Who is there, and who has acknowledged."""

    name = "workers"
    title = "Workers"
    offers: ClassVar[Mapping[str, str]] = {"why": "why", "log": "log"}
    has_wide = True

    def view(self, picture: Picture) -> Table:
        """Workers, lost and missing ones first."""
        return workers(picture, wide=self.wide)

    def subject_of(self, key: str, picture: Picture) -> Subject | None:
        """The worker; nothing about a client can be asked for."""
        return None if key in picture.facts.clients else Subject("worker", key)

    def why(self, key: str, picture: Picture) -> Question | None:
        """What it owes, and what was last heard of it."""
        if key in picture.facts.clients:
            return None
        return Question(clean(key, 60), lambda seen: worker_case(seen, key))
