"""The flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from opsconsole.dialogs.target import Target
from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.flags import flags
from opsconsole.views.picture import Picture


class FlagsPane(TablePane):
    """Which operations are switched off."""

    name = "flags"
    title = "Flags"
    offers: ClassVar[Mapping[str, str]] = {"pause": "off", "resume": "on", "why": "why"}

    def view(self, picture: Picture) -> Table:
        """Flags, those that are off first."""
        return flags(picture)

    def target(self, key: str) -> Target | None:
        """An operation, behind its flag."""
        return Target("operation", key)
