"""The workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from opsconsole.dialogs.target import Target
from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.picture import Picture
from opsconsole.views.workflows import workflows


class WorkflowsPane(TablePane):
    """Which workflows may run, and who changed each last."""

    name = "workflows"
    title = "Workflows"
    offers: ClassVar[Mapping[str, str]] = {"pause": "off", "resume": "on", "why": "why"}

    def view(self, picture: Picture) -> Table:
        """Workflows, those that may not run first."""
        return workflows(picture)

    def target(self, key: str) -> Target | None:
        """A workflow, behind its switch."""
        return Target("workflow", key)
