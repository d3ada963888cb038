"""The journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.audit import Read, audit
from opsconsole.views.picture import Picture


class AuditPane(TablePane):
    """What happened, as far back as anybody wants to look. `want_older` is called near the end of what was read."""

    name = "audit"
    title = "Audit"
    offers: ClassVar[Mapping[str, str]] = {}
    nothing_inside = "an event has nothing inside it: wide shows the rest of it"
    has_wide = True

    def __init__(self, number: int | None = None) -> None:
        super().__init__(number)
        self.read = Read()
        self.want_older: Callable[[], None] = lambda: None

    def view(self, picture: Picture) -> Table:
        """Events, newest first."""
        return audit(self.read, wide=self.wide)

    def moved(self) -> None:
        """Who comes near the end wants what is before it."""
        browser = self.browser
        if browser.place.top + 2 * browser.room >= len(browser.table.rows):
            self.want_older()
