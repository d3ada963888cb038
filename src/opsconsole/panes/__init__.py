"""The panes, in the order of their number keys, and the further lists behind ``:``.

A new one is a `TablePane` of its own and a line here: its name is what command mode knows it by.
"""

from __future__ import annotations

from opsconsole.panes.audit import AuditPane
from opsconsole.panes.base import TablePane
from opsconsole.panes.emergencies import EmergenciesPane
from opsconsole.panes.events import EventsPane
from opsconsole.panes.flags import FlagsPane
from opsconsole.panes.holds import HoldsPane
from opsconsole.panes.inside import InsidePane
from opsconsole.panes.limits import LimitsPane
from opsconsole.panes.overview import OverviewPane
from opsconsole.panes.recovery import RecoveryPane
from opsconsole.panes.services import ServicesPane
from opsconsole.panes.sites import SitesPane
from opsconsole.panes.triggers import TriggersPane
from opsconsole.panes.workers import WorkersPane
from opsconsole.panes.workflows import WorkflowsPane

PANES: tuple[type[TablePane], ...] = (
    OverviewPane,
    SitesPane,
    FlagsPane,
    LimitsPane,
    EmergenciesPane,
    RecoveryPane,
)

LISTS: tuple[type[TablePane], ...] = (
    WorkflowsPane,
    WorkersPane,
    HoldsPane,
)
"""Lists that are looked at one at a time, with all the room; the audit is another."""

UNNUMBERED: tuple[type[TablePane], ...] = (
    ServicesPane,
    TriggersPane,
)
"""The same, without a key of their own: their names are typed behind ``:``."""

__all__ = ["LISTS", "PANES", "UNNUMBERED", "AuditPane", "EventsPane", "InsidePane", "TablePane"]
