"""Asking one driver, which may hang: a call is left behind on its own thread when its time is up, or when whoever asked
has something stronger to do, and holds up nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from backends.drivers.base import Action, Driver, DriverOrder, Observation, Outcome, perform
from backends.driving.calls import Call
from opsgate.clock import elapsed_s

_OBSERVE_S: Final = 2.0
"""Seconds that one look may take."""

_GRACE_S: Final = 0.25
"""Seconds beyond its time after which a driver is left behind."""

_HUNG_MAX: Final = 3
"""Calls of one driver that may hang at once; then no more are made until one has come back."""

Outdone = Callable[[], bool]
"""Whether there is something stronger to do by now than what is asked for."""


class Asking:
    """The calls of one service's driver. For use by one thread."""

    def __init__(self, news: threading.Event, next_s: Callable[[], float]) -> None:
        """``news`` ends a wait, and is told of the end of each call; ``next_s`` is in how many seconds something else
        may be due."""
        self.abandoned = 0
        """How many calls were left behind."""
        self._news, self._next_s = news, next_s
        self._hung: list[Call[Any]] = []

    def perform(self, driver: Driver, action: Action, order: DriverOrder, until_s: float, outdone: Outdone) -> Outcome:
        """What came of an action that has until then (host clock)."""
        if self._is_hung():
            return Outcome("timed-out", "the driver never comes back")
        timeout_s = until_s - elapsed_s()
        call = Call(lambda: perform(driver, action, order, timeout_s), self._news)
        if not self._has_ended(call, until_s + _GRACE_S, outdone):
            return Outcome("timed-out", _left(action, is_outdone=outdone()))
        if call.fault is not None:
            return Outcome("failed", f"the driver crashed: {call.fault!r}"[:300])
        assert call.result is not None
        return call.result

    def observe(self, driver: Driver, outdone: Outdone = lambda: False) -> Observation:
        """How its service stands."""
        if self._is_hung():
            return Observation("unknown", "the driver never comes back")
        call = Call(lambda: driver.observe(_OBSERVE_S), self._news)
        if not self._has_ended(call, elapsed_s() + _OBSERVE_S + _GRACE_S, outdone):
            return Observation("unknown", "the driver did not come back")
        if call.fault is not None or call.result is None:
            return Observation("unknown", f"the driver crashed: {call.fault!r}"[:300])
        return call.result

    def _has_ended(self, call: Call[Any], until_s: float, outdone: Outdone) -> bool:
        """Wait until a call has ended; where its time is up or something stronger is due first, it is left behind."""
        while not call.has_ended:
            left_s = until_s - elapsed_s()
            if left_s <= 0 or outdone():
                self.abandoned += 1
                self._hung.append(call)
                return False
            self._news.wait(min(left_s, self._next_s()))
            self._news.clear()
        return True

    def _is_hung(self) -> bool:
        """Whether so many calls hang that no more are made."""
        self._hung = [call for call in self._hung if not call.has_ended]
        return len(self._hung) >= _HUNG_MAX


def _left(action: Action, *, is_outdone: bool) -> str:
    """Why a call of the driver is not waited for any longer: what ignores a signal is no fault of its driver."""
    if is_outdone:
        return f"asked to {action}, and it had not when the next thing was due"
    return f"asked to {action}, and the driver did not come back"
