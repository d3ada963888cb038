"""The panes, in the order of their number keys. A new one is a `TablePane` of its own and a line here."""

from __future__ import annotations

from opsconsole.panes.base import TablePane
from opsconsole.panes.emergencies import EmergenciesPane
from opsconsole.panes.events import EventsPane
from opsconsole.panes.flags import FlagsPane
from opsconsole.panes.limits import LimitsPane
from opsconsole.panes.overview import OverviewPane
from opsconsole.panes.recovery import RecoveryPane
from opsconsole.panes.sites import SitesPane

PANES: tuple[type[TablePane], ...] = (
    OverviewPane,
    SitesPane,
    FlagsPane,
    LimitsPane,
    EmergenciesPane,
    RecoveryPane,
)

__all__ = ["PANES", "EventsPane", "TablePane"]
