"""The workers."""

from __future__ import annotations

from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.picture import Picture
from opsconsole.views.workers import workers


class WorkersPane(TablePane):
    """Who is there, and who has acknowledged."""

    name = "workers"
    title = "Workers"
    hints = (("l", "log"),)
    has_wide = True

    def view(self, picture: Picture) -> Table:
        """Workers, lost and missing ones first."""
        return workers(picture, wide=self.wide)
