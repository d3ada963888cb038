"""The emergencies."""

from __future__ import annotations

from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.emergencies import emergencies
from opsconsole.views.picture import Picture
from opsgate.selector import Selector


class EmergenciesPane(TablePane):
    """What was stopped, and who has been seen to stop."""

    name = "emergencies"
    title = "Emergencies"
    hints = (("R", "recover"), ("d", "why"))

    def view(self, picture: Picture) -> Table:
        """Emergencies and their missing workers."""
        return emergencies(picture)

    def emergency(self, key: str, picture: Picture) -> str | None:
        """The row's own, or that of the stop which the row is about."""
        stop = picture.state.stops.get(key.partition("/")[0])
        found = picture.state.emergencies.get(stop.emergency_id if stop else key)
        return found.emergency_id if found and found.status == "active" else None

    def selector(self, key: str, picture: Picture) -> Selector | None:
        """The first scope of the emergency."""
        emergency_id = self.emergency(key, picture)
        return picture.state.emergencies[emergency_id].selectors[0] if emergency_id else None
