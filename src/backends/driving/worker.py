"""One service under one thread: does what is due, looks until it has stopped, and goes on to what is stronger."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

from backends.drivers.base import Action, Driver, DriverConfigError, Observation, Outcome, Resumes, Standing
from backends.driving.asking import Asking
from backends.driving.reports import Report
from backends.driving.schedule import STRENGTH, Task, due
from backends.milestones import Milestone, passing
from opsgate.clock import elapsed_s

_log = logging.getLogger("opsconsole.keeper")

_LOOK_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25)
"""Seconds between two looks at a service that is about to stop: soon at first."""

_SETTLING: Final = 0.51
"""The share of the time for which it must be seen stopped between two looks in it."""

_AGAIN_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between two tries of what did not work. The last is the longest."""

_LEAST_S: Final = 0.5
"""What a driver is given at least, where time is nearly up, or was up before we came."""

_WATCH_S: Final = 5.0
"""Seconds between two looks at a service that has stopped, while its stop is in force; and before the first one where
an earlier keeper saw that: by then it is heard of here, too."""

_BLIND_LOOKS: Final = 2
"""After how many looks, one after the other, at which nobody could see it, it is not known to stand still any more."""

_ACTS: Final[frozenset[Action]] = frozenset({"stop", "kill"})


class _Sight(NamedTuple):
    """How a service was seen to stand, and for whom that counts: those for whom it was to be stopped already when the
    look began, each with what its name meant then. Before an order it may have run again."""

    standing: Standing
    detail: str
    ordered: frozenset[tuple[str, tuple[str, str]]]

    def shows_stopped(self, task: Task) -> bool:
        """Whether the service of this task has stopped since that was asked for."""
        return self.standing == "stopped" and (task.order.stop_id, task.about) in self.ordered


class Worker:
    """The tasks of one service. Its thread lives as long as there are any."""

    def __init__(
        self,
        service: str,
        driver: Callable[[], Driver],
        report: Callable[[Report], None],
        settled: Callable[[Task], None],
    ) -> None:
        """``driver`` gives the driver, or raises `DriverConfigError`; ``settled`` is told of each task whose service
        was seen to have stopped, on the worker's thread."""
        self._service, self._driver = service, driver
        self._report, self._settled = report, settled
        self._tasks: dict[str, Task] = {}
        self._watched: dict[str, Task] = {}
        """Those whose service has stopped, while their stop is in force."""
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._failed_at = -1
        self._again_s = 0.0
        self._look_at_s = 0.0
        """When it is to be looked at that has stopped."""
        self._blind_looks = 0
        """How many of the last looks at what has stopped saw nothing."""
        self._at_hand: frozenset[str] = frozenset()
        """The stops for which something may be asked of the driver just now."""
        self._late: set[str] = set()
        self._asking = Asking(self._news, self._next_s)

    # ---------------------------------------------------------------------------------------------- from any thread
    def put(self, task: Task) -> None:
        """Do this too, or watch; of a stop that is known already this takes the place of what was to be done. What is
        being stopped, because it runs again, is not only watched."""
        with self._lock:
            watched = bool(self._watched)
            is_under_way = self._tasks.pop(task.order.stop_id, None) is not None
            self._watched.pop(task.order.stop_id, None)
            if task.watches and not is_under_way:
                self._look_at_s = self._look_at_s if watched else elapsed_s() + _WATCH_S
                self._watched[task.order.stop_id] = task
            else:
                self._tasks[task.order.stop_id] = task
                self._again_s = 0.0
            self._news.set()
            if not self._has_begun():
                _log.error("no thread is left to drive a service: tried again", extra={"service": self._service})

    def look(self) -> None:
        """Time has passed: begin, where no thread was to be had for it."""
        with self._lock:
            self._has_begun()

    def hasten(self, stop_id: str) -> None:
        """The turn of this stop has come, earlier than planned."""
        with self._lock:
            task = self._tasks.get(stop_id)
            if task is not None and task.begins_s > (now_s := elapsed_s()):
                self._tasks[stop_id] = replace(task, begins_s=now_s)
                self._news.set()

    def drop(self, stop_id: str) -> None:
        """This stop asks for nothing any more. What is being done for it is not waited for."""
        with self._lock:
            self._watched.pop(stop_id, None)
            self._tasks.pop(stop_id, None)
            self._news.set()

    def holds(self, stop_id: str) -> bool:
        """Whether this stop asks for anything, or what was begun for it is not over. A call that was left behind is."""
        with self._lock:
            return stop_id in self._tasks or stop_id in self._watched or stop_id in self._at_hand

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What it has to do."""
        with self._lock:
            return tuple(self._tasks.values())

    @property
    def abandoned(self) -> int:
        """How many calls of its driver were left behind."""
        return self._asking.abandoned

    def _has_begun(self) -> bool:
        """Whether whatever there is to do has a thread by now. With the lock in hand."""
        if self._thread is None and (self._tasks or self._watched):
            thread = threading.Thread(target=self._run, name=f"drive-{self._service}", daemon=True)
            try:
                thread.start()
            except (RuntimeError, MemoryError):
                return False
            self._thread = thread
        return True

    # ------------------------------------------------------------------------------------------------- its own thread
    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._tasks and not self._watched:
                    self._thread, self._at_hand = None, frozenset()
                    return
                self._at_hand = frozenset((*self._tasks, *self._watched))
                self._news.clear()
            try:
                self._turn() if self.tasks else self._watch()
            except Exception:  # noqa: BLE001 (whatever happens, this service is still to be stopped)
                _log.exception("driving a service failed", extra={"service": self._service})
                self._news.wait(_AGAIN_S[0])

    def _turn(self) -> None:
        now_s = elapsed_s()
        with self._lock:
            self._tasks = {stop_id: task.as_of(now_s) for stop_id, task in self._tasks.items()}
        task = due(self.tasks, now_s)
        if task is None or (now_s < self._again_s and STRENGTH[task.slot.action] <= self._failed_at):
            self._news.wait(min(self._next_s(), max(0.001, self._again_s - now_s) if task else math.inf))
        else:
            self._do(task)

    def _watch(self) -> None:
        """See now and then that what has stopped is not started again while its stop is in force; stop it again. That
        nobody can see it any more is said, and so is that it is seen again."""
        if self._news.wait(max(0.0, self._look_at_s - elapsed_s())):
            return
        self._look_at_s = elapsed_s() + _WATCH_S
        with self._lock:
            before = tuple(self._watched)
        seen = self._watched_look()
        if seen.standing == "stopping":
            return
        was_lost = self._blind_looks >= _BLIND_LOOKS
        self._blind_looks = self._blind_looks + 1 if seen.standing == "unknown" else 0
        is_lost = self._blind_looks >= _BLIND_LOOKS
        runs = seen.standing not in ("stopped", "unknown")
        with self._lock:
            watched = [stop_id for stop_id in before if stop_id in self._watched]
            if runs:
                self._tasks, self._watched = self._watched | self._tasks, {}
        for stop_id in watched if runs or is_lost != was_lost else ():
            self._report(Report(self._service, stop_id, "observe", "done", seen.standing, seen.detail))

    def _watched_look(self) -> Observation:
        try:
            driver = self._driver()
        except DriverConfigError as error:
            return Observation("unknown", str(error))
        if isinstance(driver, Resumes):
            for task in self._resumed():
                driver.resume(task.order)
        return self._asking.observe(driver)

    def _resumed(self) -> tuple[Task, ...]:
        """Those of which somebody else has seen that their service stopped."""
        with self._lock:
            return tuple(task for task in self._watched.values() if task.watches)

    def _do(self, task: Task) -> None:
        """One action and what comes of it."""
        began_s = elapsed_s()
        until_s = max(task.slot.until_s, began_s + _LEAST_S)
        try:
            driver = self._driver()
        except DriverConfigError as error:
            self._say(task.slot.action, Outcome("refused", str(error)), None, began_s, STRENGTH[task.slot.action])
            self._failed(task.slot.action)
            return
        wanted = task.slot.action
        action: Action = "stop" if wanted == "kill" and "kill" not in driver.can else wanted
        passing(Milestone.SERVICE_ASKING)
        outcome = self._asking.perform(driver, action, task.order, until_s, partial(self._is_outdone, wanted))
        passing(Milestone.SERVICE_ASKED)
        is_outdone = self._is_outdone(wanted)
        seen = None
        if wanted in _ACTS and not is_outdone:
            seen = self._confirm(driver, wanted, outcome, until_s)
        passing(Milestone.SERVICE_SEEN)
        self._say(action, outcome, seen, began_s, STRENGTH[wanted])
        if not is_outdone:
            self._go_on(wanted, outcome, seen)

    def _is_outdone(self, action: Action) -> bool:
        """Whether something stronger is due than what is being done, or nothing any more."""
        now_s = elapsed_s()
        task = due([task.as_of(now_s) for task in self.tasks], now_s)
        return task is None or STRENGTH[task.slot.action] > STRENGTH[action]

    def _next_s(self) -> float:
        """Seconds until something else may be due."""
        now_s = elapsed_s()
        times = [t for task in self.tasks for t in (task.begins_s, task.slot.until_s) if t > now_s]
        return max(0.001, min(times, default=now_s + 1.0) - now_s)

    def _confirm(self, driver: Driver, action: Action, outcome: Outcome, until_s: float) -> _Sight:
        """Look until it has been seen stopped for as long as its driver asks, its time is up, or something stronger is
        due. A driver that failed is not waited for longer than one look."""
        since_s: float | None = None
        ordered = self._ordered()
        looks = 0
        while True:
            seen = self._asking.observe(driver, partial(self._is_outdone, action))
            now_s = elapsed_s()
            if seen.standing == "stopped":
                since_s = now_s if since_s is None else since_s
                if now_s - since_s >= driver.settle_s:
                    return _Sight(seen.standing, seen.detail, ordered)
            else:
                if now_s >= until_s or outcome.result != "done" or self._is_outdone(action):
                    return _Sight(seen.standing, seen.detail, ordered)
                since_s, ordered = None, self._ordered()
            rest_s = _LOOK_S[min(looks, len(_LOOK_S) - 1)]
            if since_s is not None:
                rest_s = max(0.001, min(driver.settle_s * _SETTLING, since_s + driver.settle_s - now_s))
            looks += 1
            self._news.wait(rest_s)
            self._news.clear()

    def _ordered(self) -> frozenset[tuple[str, tuple[str, str]]]:
        """The stops for which it is to be stopped by now, and what its name means to each."""
        return frozenset((task.order.stop_id, task.about) for task in self.tasks)

    def _say(self, action: Action, outcome: Outcome, seen: _Sight | None, began_s: float, strength: int) -> None:
        """Report to every stop whose turn it is and that asked for no more: what is done for one is done for all. That
        it has stopped is news for each, but for one that was ordered while it was looked at."""
        now_s = elapsed_s()
        took_s = round(now_s - began_s, 3)
        detail = "; ".join(filter(None, [outcome.detail, seen.detail if seen else ""]))
        for task in self.tasks:
            has_stopped = seen is not None and seen.shows_stopped(task)
            if task.begins_s > now_s or (STRENGTH[task.slot.action] > strength and not has_stopped):
                continue
            if seen is not None and seen.standing == "stopped" and not has_stopped:
                continue  # it is looked at anew for this one, at once
            is_late = now_s >= task.ends_s
            if is_late and not has_stopped:
                if task.order.stop_id in self._late:
                    continue  # it has been said that it does not stop
                self._late.add(task.order.stop_id)
            standing = None if seen is None or seen.standing == "unknown" else seen.standing
            if is_late and standing not in (None, "stopped"):
                standing = "not-stopped"
            self._report(
                Report(
                    self._service,
                    task.order.stop_id,
                    action,
                    outcome.result,
                    standing,
                    detail[:300],
                    took_s,
                    outcome.saved,
                )
            )

    def _go_on(self, action: Action, outcome: Outcome, seen: _Sight | None) -> None:
        now_s = elapsed_s()
        if seen is not None and seen.standing == "stopped":
            self._has_stopped(seen, now_s)
            return
        if action not in _ACTS or outcome.result == "refused" or seen is None:
            with self._lock:
                self._tasks = {
                    stop_id: task.after(action) if task.begins_s <= now_s else task
                    for stop_id, task in self._tasks.items()
                }
        if action in _ACTS:
            self._failed(action)

    def _has_stopped(self, seen: _Sight, now_s: float) -> None:
        with self._lock:
            done = [task for task in self._tasks.values() if task.begins_s <= now_s and seen.shows_stopped(task)]
            for task in done:
                self._watched[task.order.stop_id] = self._tasks.pop(task.order.stop_id)
                self._late.discard(task.order.stop_id)
            self._failures, self._again_s, self._look_at_s = 0, 0.0, now_s + _WATCH_S
            self._blind_looks = 0
        for task in done:
            self._settled(task)

    def _failed(self, action: Action) -> None:
        """Try again after a while, and when somebody's time is up, so that this is said then."""
        now_s = elapsed_s()
        again_s = now_s + _AGAIN_S[min(self._failures, len(_AGAIN_S) - 1)]
        self._again_s = min([again_s, *(task.ends_s for task in self.tasks if task.ends_s > now_s)])
        self._failures += 1
        self._failed_at = STRENGTH[action]
