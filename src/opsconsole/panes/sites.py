"""The sites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from opsconsole.dialogs.target import Target
from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.picture import Picture
from opsconsole.views.sites import sites


class SitesPane(TablePane):
    """Which sites run, which do not, and why."""

    name = "sites"
    title = "Sites"
    offers: ClassVar[Mapping[str, str]] = {"pause": "pause", "resume": "resume", "why": "why"}

    def view(self, picture: Picture) -> Table:
        """Sites, worst first."""
        return sites(picture)

    def target(self, key: str) -> Target | None:
        """A site."""
        return Target("site", key)
