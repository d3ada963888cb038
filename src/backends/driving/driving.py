"""All services that are being stopped on this host: who does what, tier by tier, and which stops have to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from backends.drivers import driver_of
from backends.drivers.base import Driver, DriverConfigError, Host
from backends.driving.reports import Report
from backends.driving.schedule import Task
from backends.driving.worker import Worker
from core.services import Service
from opsgate.clock import elapsed_s
from opsgate.order import Level

CONCURRENT_MAX: Final = 10
"""How many stops of triggers drive services at once, where nothing else is set."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One stop and what it asks of each service. ``rank`` is None for one that never waits: a person's, or an
    immediate one; otherwise the lower rank goes first."""

    stop_id: str
    level: Level
    tasks: tuple[Task, ...]
    rank: tuple[int, float] | None = None


class Drivers:
    """The driver of each service, made once and kept: some know things of what they saw before."""

    def __init__(self, host: Callable[[], Host]) -> None:
        self._host = host
        self._made: dict[str, tuple[tuple[str, str], Driver]] = {}
        self._lock = threading.Lock()

    def of(self, service: Service) -> Driver:
        """The driver of a service, as it is configured now. `DriverConfigError` where there can be none."""
        configured = (service.driver, service.config)
        with self._lock:
            known = self._made.get(service.name)
            if known is None or known[0] != configured:
                known = self._made[service.name] = (
                    configured,
                    driver_of(service.name, service.driver, service.config, self._host()),
                )
            return known[1]


class Driving:
    """The stops that drive services here. From any thread."""

    def __init__(
        self,
        drivers: Drivers,
        services: Callable[[], Mapping[str, Service]],
        report: Callable[[Report], None],
        *,
        most: int = CONCURRENT_MAX,
    ) -> None:
        self.all_stopped: Callable[[], None] = lambda: None
        """Called when the last service of a stop has stopped, and that is reported; must return at once."""
        self._drivers, self._services, self._report, self._most = drivers, services, report, most
        self._workers: dict[str, Worker] = {}
        self._stops: dict[str, Wanted] = {}
        self._left: dict[str, dict[str, Task]] = {}
        """Stop → service → its task, until the service has been seen to have stopped."""
        self._waiting: dict[str, Wanted] = {}
        self._lock = threading.RLock()

    def take(self, wanted: Wanted) -> None:
        """Drive these services. What of this stop is known already is not begun anew, unless it has escalated: then
        all of it goes by the new plan, should what has stopped run again, too; or unless the name of a service means
        something else by now."""
        with self._lock:
            known = self._stops.get(wanted.stop_id)
            waits = wanted.rank is not None and not all(task.watches for task in wanted.tasks)
            if known is None and waits and self._running() >= self._most:
                self._waiting[wanted.stop_id] = wanted
                return
            self._waiting.pop(wanted.stop_id, None)
            self._begin(wanted)

    def look(self) -> None:
        """Time has passed: whoever waited has their turn once the time of those before them is up, or once there is a
        thread for them."""
        with self._lock:
            self._admit()
            for worker in self._workers.values():
                worker.look()

    def holds(self, stop_ids: Iterable[str], service: str) -> bool:
        """Whether any of these stops asks anything of a service, or what was begun for it is not over."""
        with self._lock:
            worker = self._workers.get(service)
        return worker is not None and any(map(worker.holds, stop_ids))

    def hand_over(self, stop_id: str, services: Collection[str]) -> None:
        """Somebody else drives these services of a stop from here on: a recovery, until it is over."""
        with self._lock:
            if stop_id in self._waiting:
                self._waiting[stop_id] = _without(self._waiting[stop_id], services)
            if stop_id not in self._stops:
                return
            for task in self._stops[stop_id].tasks:
                if task.service in services:
                    self._left[stop_id].pop(task.service, None)
                    self._workers[task.service].drop(stop_id)
            self._stops[stop_id] = _without(self._stops[stop_id], services)
            self._hasten(stop_id, self._left[stop_id])
            self._admit()

    def let_go(self, stop_ids: Iterable[str]) -> None:
        """These stops ask for nothing any more: their emergency has ended."""
        with self._lock:
            for stop_id in stop_ids:
                self._waiting.pop(stop_id, None)
                self._left.pop(stop_id, None)
                wanted = self._stops.pop(stop_id, None)
                for task in wanted.tasks if wanted else ():  # what has stopped is watched, and may run again now
                    self._workers[task.service].drop(stop_id)
            self._admit()

    def stops(self) -> tuple[str, ...]:
        """The stops that are known here."""
        with self._lock:
            return (*self._stops, *self._waiting)

    def left(self, stop_id: str) -> tuple[str, ...]:
        """The services of a stop that have not been seen to have stopped."""
        with self._lock:
            waiting = self._waiting.get(stop_id)
            return tuple(task.service for task in waiting.tasks) if waiting else tuple(self._left.get(stop_id, ()))

    @property
    def abandoned(self) -> int:
        """How many calls of drivers were left behind so far."""
        with self._lock:
            return sum(worker.abandoned for worker in self._workers.values())

    # ------------------------------------------------------------------------------------------------------- inside
    def _running(self) -> int:
        """The stops that may have to wait and do not, and have something left and time for it."""
        now_s = elapsed_s()
        ranked = [self._left[stop_id] for stop_id, wanted in self._stops.items() if wanted.rank is not None]
        return sum(any(now_s < task.ends_s for task in left.values()) for left in ranked)

    def _begin(self, wanted: Wanted) -> None:
        known = self._stops.get(wanted.stop_id)
        left = self._left.setdefault(wanted.stop_id, {})
        now_about = {task.service: task.about for task in wanted.tasks}
        have = {task.service for task in (known.tasks if known else ()) if not _differs(task, now_about)}
        stopped: set[str] = have - left.keys()
        if known is not None and known.level != wanted.level:
            have = set()
        new = tuple(
            replace(task, watches=task.watches or task.service in stopped)
            for task in wanted.tasks
            if task.service not in have
        )
        if known is not None and not new:
            return
        begun = {task.service for task in new}
        kept = tuple(task for task in (known.tasks if known else ()) if task.service not in begun)
        self._stops[wanted.stop_id] = Wanted(wanted.stop_id, wanted.level, (*kept, *new), wanted.rank)
        left.update({task.service: task for task in new if not task.watches})
        for task in new:
            self._worker(task.service).put(task)
        if any(task.watches for task in new):  # what stood before the first of the others has stopped already
            self._hasten(wanted.stop_id, left)

    def _worker(self, service: str) -> Worker:
        if service not in self._workers:
            self._workers[service] = Worker(service, lambda: self._driver(service), self._report, self._settled)
        return self._workers[service]

    def _driver(self, service: str) -> Driver:
        known = self._services().get(service)
        if known is None:
            raise DriverConfigError("it is not registered any more")
        return self._drivers.of(known)

    def _settled(self, task: Task) -> None:
        """A service of a stop has stopped: the turn of those behind it may have come early."""
        stop_id = task.order.stop_id
        with self._lock:
            left = self._left.get(stop_id)
            if left is None or left.pop(task.service, None) is None:
                return
            self._hasten(stop_id, left)
            self._admit()
        if not left:
            self.all_stopped()

    def _hasten(self, stop_id: str, left: Mapping[str, Task]) -> None:
        """It is the turn of the first tier that has something left."""
        first = min((task.tier for task in left.values()), default=None)
        for service, task in left.items():
            if task.tier == first:
                self._workers[service].hasten(stop_id)

    def _admit(self) -> None:
        for wanted in sorted(self._waiting.values(), key=lambda one: one.rank or (0, 0.0)):
            if self._running() >= self._most:
                return
            del self._waiting[wanted.stop_id]
            self._begin(_later(wanted))


def _differs(task: Task, about: Mapping[str, tuple[str, str]]) -> bool:
    return about.get(task.service, task.about) != task.about


def _without(wanted: Wanted, services: Collection[str]) -> Wanted:
    return replace(wanted, tasks=tuple(task for task in wanted.tasks if task.service not in services))


def _later(wanted: Wanted) -> Wanted:
    """A stop whose turn has come only now: what has run out of its time is left out, and the rest is done at once."""
    now_s = elapsed_s()
    return replace(wanted, tasks=tuple(task.as_of(now_s) for task in wanted.tasks))
