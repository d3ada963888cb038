"""The services of stops, in the keeper: taken from the stop desk at once and from the journal after a crash, driven on
threads of their own, and reported into the journal whenever that takes it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from backends.drivers.base import Host, Member
from backends.drivers.rules import host_rules
from backends.driving.driving import CONCURRENT_MAX, Drivers, Driving
from backends.driving.inventory import Inventory
from backends.driving.names import this_host
from backends.driving.plans import TRIGGER, priority_of, wanted_by_order, wanted_by_stop
from backends.driving.reports import Report, Reports
from backends.keeper.log import NAME
from backends.keeper.office import KEEPER_ACTOR, Office
from backends.keeper.roster import Instant
from backends.milestones import Milestone, passing
from backends.spool import recorded_id
from core.capabilities.service_reports import ReportServices, ServiceReport
from core.errors import CommandRejected
from core.recoveries import Recovery
from core.services import Service
from core.state import State, Stop
from opsgate.clock import elapsed_s
from opsgate.order import Order

_log = logging.getLogger(NAME)

_LOOK_S: Final = 0.25
_BATCH_MAX: Final = 500


class ServiceStops(threading.Thread):
    """Looks at what is to be stopped until `close`. A duty of the loops, too: that is when reports are handed in."""

    def __init__(
        self,
        office: Office,
        fleet: str,
        unrecorded: Callable[[], frozenset[str]],
        in_charge: Callable[[], bool],
        most: int = CONCURRENT_MAX,
    ) -> None:
        """``unrecorded`` are the stops in force that the journal does not know; ``in_charge`` is whether services that
        belong to no host are driven from here; ``most`` is how many stops of triggers drive services at once."""
        super().__init__(name="service-stops", daemon=True)
        self.reports = Reports()
        self._office, self._unrecorded, self._in_charge = office, unrecorded, in_charge
        self._latest = office.runtime.latest
        self.drivers = Drivers(self.host)
        self.driving = Driving(self.drivers, lambda: self._latest().services, self.reports.put, most=most)
        self.is_open = False
        """Whether whoever reaches this process may say what services there are, without a token."""
        self._inventory = Inventory(fleet)
        self._orders: deque[Order] = deque()
        self._known: object = None
        """What was looked at last of the journal: where that stays the same nothing is planned anew."""
        self._wake = threading.Event()
        self._ending = False

    # ------------------------------------------------------------------------------------------- from any thread
    def order(self, order: Order) -> None:
        """A stop was ordered: drive its services, whether or not it is recorded. Returns at once."""
        self._orders.append(order)
        self._wake.set()

    def moved(self) -> None:
        """The fleet has moved: look."""
        self._wake.set()

    @property
    def has_unrecorded(self) -> bool:
        """Whether a stop is in force that the journal does not know."""
        return bool(self._unrecorded())

    def let_go_of(self, recovery: Recovery, services: Iterable[Service]) -> list[Service]:
        """Those of these services that no stop drives here any more from which this recovery brings them back."""
        return [each for each in services if not self.driving.holds(recovery.stop_ids, each.name)]

    def close(self) -> None:
        """End the thread and wait for it. What drivers are about to do, they do."""
        self._ending = True
        self._wake.set()
        if self.is_alive():
            self.join(timeout=5)

    # ------------------------------------------------------------------------------------------------- its own thread
    def run(self) -> None:
        """The life of the thread."""
        while not self._ending:
            self._wake.wait(_LOOK_S)
            self._wake.clear()
            try:
                self.look()
            except Exception:  # noqa: BLE001 (whatever is wrong with one service, the next stop must be driven)
                _log.exception("driving services failed")

    def look(self) -> None:
        """Take up what is new, let go of what is over."""
        self._take_orders()
        unrecorded = self._unrecorded()  # first: what is let go of there is in the state that is looked at after it
        state, now = self._latest(), datetime.now(UTC)
        mine, stops = self._mine(state), {stop.stop_id: stop for stop in state.active_stops()}
        in_force = stops.keys() | unrecorded.difference(state.stops)
        over = [stop_id for stop_id in self.driving.stops() if stop_id not in in_force]
        if over:
            self.driving.let_go(over)
        known = (state.stops, state.emergencies, mine)
        if over or known != self._known:
            for stop in stops.values():  # those of the journal, of which nothing may be known here
                if stop.services:
                    self._drive(state, stop, mine, now)
            self._known = known
        self.driving.look()
        self._inventory.keep(state.services, is_own=self._is_own())

    def _take_orders(self) -> None:
        """Drive what was ordered, before the journal says anything of it."""
        while self._orders:
            order, state, now = self._orders.popleft(), self._latest(), datetime.now(UTC)
            priority = priority_of(state, order.actor.removeprefix(TRIGGER)) if _is_triggered(order) else None
            budgets_s = self._office.runtime.rules.budgets_s
            self.driving.take(wanted_by_order(order, recorded_id(order), self._mine(state), now, budgets_s, priority))

    def _drive(self, state: State, stop: Stop, mine: Mapping[str, Service], now: datetime) -> None:
        """All of its services but for those that a recovery drives now: to it they are handed over one by one."""
        recovered = _recovered(state, stop)
        if recovered:
            self.driving.hand_over(stop.stop_id, recovered)
        left = {name: service for name, service in mine.items() if name not in recovered}
        self.driving.take(wanted_by_stop(state, stop, left, now, self._office.runtime.rules.budgets_s))

    def _mine(self, state: State) -> dict[str, Service]:
        """The services that are driven from here."""
        hosts = (None, this_host()) if self._in_charge() else (this_host(),)
        return {name: service for name, service in state.services.items() if service.host in hosts}

    # ------------------------------------------------------------------------------------------- a duty of the loops
    def turn(self, now: Instant, state: State) -> None:
        """Hand in what waits to be reported, stop by stop; of a stop that the journal does not know yet, later."""
        for stop_id in self.reports.stops():
            if stop_id in state.stops:
                while reports := self.reports.of(stop_id, _BATCH_MAX):
                    self._hand_in(stop_id, reports)

    def _hand_in(self, stop_id: str, reports: tuple[Report, ...]) -> None:
        seen = tuple(_said(report) for report in reports)
        leads = self._office.leader.leads(elapsed_s())
        passing(Milestone.REPORT_HANDING_IN)
        try:
            self._office.submit(ReportServices(stop_id=stop_id, reports=seen), fenced=leads)
        except CommandRejected as error:
            if error.code == "fenced":
                raise
            _log.error("a report of services was refused", extra={"stop": stop_id, "fault": str(error)})
        passing(Milestone.REPORT_HANDED_IN)
        self.reports.taken(reports)

    # --------------------------------------------------------------------------------------------- what drivers ask
    def host(self) -> Host:
        """What drivers may do here."""
        return host_rules(self._members, is_own=self._is_own())

    def _is_own(self) -> bool:
        """Whether none but this user can say what services there are: the database is a file, nobody has a token for
        it, and nobody is let in without one."""
        return not self.is_open and self._office.runtime.url.startswith("sqlite") and not self._latest().tokens

    def _members(self) -> tuple[Member, ...]:
        """The workers heard of here. A stop that a recovery lets work through has stopped nobody any more, whether or
        not they happen to work right now."""
        now_s, admitting = elapsed_s(), _admitting(self._latest())
        return tuple(
            Member(
                worker_id=entry.row.worker_id,
                scope={name: tuple(values) for name, values in entry.row.scope.items()} | {"env": (entry.row.env,)},
                is_live=entry.is_live(now_s),
                has_left=entry.row.state == "left",
                stops=frozenset(filter(entry.row.has_stopped, entry.row.stops)) - admitting,
                in_flight=entry.row.in_flight,
            )
            for entry in self._office.roster.entries.values()
        )


def _is_triggered(order: Order) -> bool:
    return order.actor.startswith(TRIGGER)


def _recovered(state: State, stop: Stop) -> frozenset[str]:
    """What a recovery that began after this stop has begun to start by now, or stops again: all else is watched."""
    recovery = state.emergencies[stop.emergency_id].recovery
    under_way = recovery is not None and recovery.is_active and stop.stop_id in recovery.stop_ids
    return frozenset(recovery.attempted) if recovery is not None and under_way else frozenset()


def _admitting(state: State) -> frozenset[str]:
    """The stops of which a recovery lets a share of the work through."""
    recoveries = [emergency.recovery for emergency in state.active_emergencies()]
    forward = (each for each in recoveries if each is not None and each.goes_forward and each.admit > 0.0)
    return frozenset(stop_id for each in forward for stop_id in each.stop_ids)


def _said(report: Report) -> ServiceReport:
    return ServiceReport(
        service=report.service,
        action=report.action,
        outcome=report.outcome,
        standing=report.standing,
        detail=report.detail,
        took_s=report.took_s,
        observed_by=f"{KEEPER_ACTOR.name} of {this_host()}",
        saved=report.saved,
    )
