"""The way back."""

from __future__ import annotations

from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.picture import Picture
from opsconsole.views.recovery import recovery


class RecoveryPane(TablePane):
    """What a recovery would find now."""

    name = "recovery"
    title = "Recovery"
    hints = (("R", "recover"),)

    def view(self, picture: Picture) -> Table:
        """Checks."""
        return recovery(picture)

    def emergency(self, key: str, picture: Picture) -> str | None:
        """The emergency whose check this is."""
        found = picture.state.emergencies.get(key.partition("#")[0])
        return found.emergency_id if found and found.status == "active" else None
