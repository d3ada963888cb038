"""Hands for recoveries: looks at services, starts them and stops them again, all at once and each within its time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from backends.drivers.base import Driver, DriverConfigError, DriverOrder, Host, Observation, Outcome, perform
from backends.drivers.health import Check, check_of
from backends.drivers.health import Health as Found
from backends.driving.calls import Call
from backends.driving.driving import Drivers
from backends.keeper.deeds import Deed, Done, Health, Look
from core.recoveries import Recovery
from core.services import Service
from opsgate.clock import elapsed_s

LOOK_S: Final = 2.0
"""Seconds that a look, or a health check, may take."""

ACT_S: Final = 10.0
"""Seconds that a driver has to start or stop a service; what takes longer is looked at meanwhile."""

_GRACE_S: Final = 0.5
"""Seconds beyond its time after which a driver is left behind."""

BY_HAND: Final = "its driver cannot start it: start it by hand"
"""What has no command that starts it is no failure of a recovery: it waits, until its step's time is over."""

NO_ANSWER: Final = "its driver did not answer in time"

T = TypeVar("T")


class DriverHands:
    """Drivers, asked on threads of their own. A driver that hangs is not asked again before it has come back."""

    def __init__(self, drivers: Drivers, host: Callable[[], Host]) -> None:
        self._drivers, self._host = drivers, host
        self._hung: dict[str, Call[Any]] = {}
        self._down_since_s: dict[str, float] = {}
        self._checks: dict[str, tuple[tuple[str, str, str], Check]] = {}

    def look(self, services: Iterable[Service]) -> Mapping[str, Look]:
        """As `Hands.look`. What is stopped is believed when nothing has started it again for a while."""
        named = {service.name: service for service in services}
        seen = self._each(named, lambda driver, _: driver.observe(LOOK_S), LOOK_S)
        return {name: self._believed(named[name], found) for name, found in seen.items()}

    def health(self, services: Iterable[Service]) -> Mapping[str, Health]:
        """As `Hands.health`."""
        named = {service.name: service for service in services if service.health}
        found = self._each(named, lambda driver, service: self._check(driver, service).check(LOOK_S), LOOK_S)
        return {name: _health(one) for name, one in found.items()}

    def act(self, deed: Deed, services: Iterable[Service], recovery: Recovery) -> Mapping[str, Done]:
        """As `Hands.act`."""
        named, began_s = {service.name: service for service in services}, elapsed_s()

        def do(driver: Driver, service: Service) -> Outcome:
            saved = service.saved if deed == "start" and recovery.present.restores else ""
            order = DriverOrder(recovery.recovery_id, reason=recovery.reason, actor=recovery.by, saved=saved)
            if deed == "start" and "start" not in driver.can:
                return Outcome("skipped", BY_HAND)
            action = "stop" if deed == "kill" and "kill" not in driver.can else deed
            return perform(driver, action, order, ACT_S)

        done = self._each(named, do, ACT_S)
        for name in named:
            self._down_since_s.pop(name, None)
        took_s = elapsed_s() - began_s
        return {name: _done(outcome, took_s) for name, outcome in done.items()}

    # ------------------------------------------------------------------------------------------------------- inside
    def _each(
        self, services: Mapping[str, Service], act: Callable[[Driver, Service], T], timeout_s: float
    ) -> dict[str, T | str]:
        """What became of each, or why nothing did."""
        calls: dict[str, Call[T]] = {}
        told = threading.Event()
        for name, service in services.items():
            hung = self._hung.get(name)
            if hung is None or hung.has_ended:
                calls[name] = Call(partial(self._asked, act, service), told)
        until_s = elapsed_s() + timeout_s + _GRACE_S
        while not all(call.has_ended for call in calls.values()) and elapsed_s() < until_s:
            told.wait(max(0.0, until_s - elapsed_s()))
            told.clear()
        self._hung.update(calls)
        answers: dict[str, T | str] = dict.fromkeys(services, "its driver hangs")
        for name, call in calls.items():
            result = call.result
            answers[name] = _fault(call) if result is None else result
        return answers

    def _asked(self, act: Callable[[Driver, Service], T], service: Service) -> T:
        return act(self._drivers.of(service), service)

    def _believed(self, service: Service, found: Observation | str) -> Look:
        if isinstance(found, str):
            return Look(None, found)
        if found.standing != "stopped":
            self._down_since_s.pop(service.name, None)
            return Look(None if found.standing == "unknown" else found.standing, found.detail)
        now_s = elapsed_s()
        since_s = self._down_since_s.setdefault(service.name, now_s)
        if now_s - since_s < self._drivers.of(service).settle_s:
            return Look("stopping", "it may be started again")
        return Look("stopped", found.detail)

    def _check(self, driver: Driver, service: Service) -> Check:
        configured = (service.health, service.driver, service.config)
        known = self._checks.get(service.name)
        if known is None or known[0] != configured:
            known = self._checks[service.name] = (
                configured,
                check_of(json.loads(service.health), self._host(), driver),
            )
        return known[1]


def _fault(call: Call[Any]) -> str:
    """Why nothing came of a call. One that has ended only since that was seen did not answer in time either."""
    if call.fault is None:
        return NO_ANSWER
    known = isinstance(call.fault, DriverConfigError)
    return str(call.fault) if known else f"its driver failed: {call.fault!r}"


def _health(found: Found | str) -> Health:
    return Health(None, found) if isinstance(found, str) else Health(found.is_up, found.detail)


def _done(outcome: Outcome | str, took_s: float) -> Done:
    if isinstance(outcome, str):
        return Done("timed-out" if outcome == NO_ANSWER else "failed", outcome, took_s)
    return Done(outcome.result, outcome.detail, took_s)
