"""The holds."""

from __future__ import annotations

from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.holds import holds
from opsconsole.views.picture import Picture
from opsconsole.views.subject import Subject
from opsgate.selector import Selector


class HoldsPane(TablePane):
    """Every reason for not running."""

    name = "holds"
    title = "Holds"
    has_wide = True

    def view(self, picture: Picture) -> Table:
        """Holds, the gravest first."""
        return holds(picture, wide=self.wide)

    def selector(self, key: str, picture: Picture) -> Selector | None:
        """What the hold covers."""
        hold = picture.state.holds.get(key)
        return hold.selector if hold else None

    def subject_of(self, key: str, picture: Picture) -> Subject | None:
        """The hold."""
        return Subject("hold", key)
