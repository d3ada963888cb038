"""Driving without a keeper: a stop of this host drives the services of its inventory from this very process.

Nothing else need be alive. What comes of it is told to whoever waits; the journal hears of it from the next keeper,
which finds the stop, does the same again, and reports what it sees.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from backends.drivers.rules import host_rules
from backends.driving import inventory
from backends.driving.driving import Drivers, Driving
from backends.driving.plans import wanted_by_order
from backends.driving.reports import Report
from opsgate.clock import elapsed_s
from opsgate.order import BUDGET_S, Order


@dataclass(frozen=True, slots=True)
class Driven:
    """What came of it: who was seen to have stopped, and who was not, with the last that is known of each."""

    stopped: tuple[str, ...]
    left: dict[str, str]


class LocalDriving:
    """The services of one order, from the moment it is made until `result`."""

    def __init__(self, order: Order, fleets: tuple[str, ...] | None) -> None:
        """``fleets`` are the names of the fleet, or None for every fleet of this host."""
        self._order = order
        self._said: dict[str, Report] = {}
        self._news = threading.Event()
        listed = inventory.read(fleets)
        drivers = Drivers(lambda: host_rules(is_own=listed.is_own))
        self._driving = Driving(drivers, lambda: listed.services, self._hear)
        wanted = wanted_by_order(order, order.stop_id, listed.services, datetime.now(UTC))
        self._names = tuple(task.service for task in wanted.tasks)
        self._driving.take(wanted)

    def result(self) -> Driven:
        """Wait until all have stopped or the time of the level is up."""
        until_s = elapsed_s() + BUDGET_S[self._order.level]
        while (left := self._driving.left(self._order.stop_id)) and (rest_s := until_s - elapsed_s()) > 0:
            self._news.wait(min(rest_s, 0.05))
            self._news.clear()
        self._driving.let_go([self._order.stop_id])
        stopped = tuple(name for name in self._names if name not in left)
        return Driven(stopped, {name: self._last(name) for name in left})

    def _last(self, name: str) -> str:
        report = self._said.get(name)
        return f"{report.action} {report.outcome}: {report.detail}" if report else "its driver did not come back"

    def _hear(self, report: Report) -> None:
        self._said[report.service] = report
        self._news.set()
