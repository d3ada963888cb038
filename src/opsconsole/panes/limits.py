"""The rate limits."""

from __future__ import annotations

from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.limits import limits
from opsconsole.views.picture import Picture
from opsgate.selector import Selector


class LimitsPane(TablePane):
    """How much of each limit is used."""

    name = "limits"
    title = "Rate limits"

    def view(self, picture: Picture) -> Table:
        """Limits, fullest first."""
        return limits(picture)

    def selector(self, key: str, picture: Picture) -> Selector | None:
        """The operation that the limit charges."""
        limit = picture.state.limits.get(key)
        return Selector.of(operation=limit.operation) if limit and limit.operation else None
