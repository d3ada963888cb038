"""The whole fleet at a glance."""

from __future__ import annotations

from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.overview import overview
from opsconsole.views.picture import Picture
from opsgate.selector import EVERYTHING, Selector


class OverviewPane(TablePane):
    """State, cause, acknowledgements, workers, way back."""

    name = "global"
    title = "Global"

    def view(self, picture: Picture) -> Table:
        """Questions and answers."""
        return overview(picture)

    def selector(self, key: str, picture: Picture) -> Selector | None:
        """Every row here is about everything."""
        return EVERYTHING
