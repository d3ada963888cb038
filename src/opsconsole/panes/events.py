"""The events, on screens that are high enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opsconsole.panes.base import TablePane
from opsconsole.table import Table
from opsconsole.views.events import events
from opsconsole.views.picture import Picture

if TYPE_CHECKING:
    from core.messages import Recorded


class EventsPane(TablePane, can_focus=False):
    """What happened, newest first."""

    name = "events"
    title = "Events"
    selectable = False

    def __init__(self, number: int | None = None) -> None:
        super().__init__(number)
        self.recent: Sequence[Recorded] = ()

    def view(self, picture: Picture) -> Table:
        """The latest events, which come beside the picture."""
        return events(self.recent)
