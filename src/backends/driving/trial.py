"""A trial of a service's registration: one look through its driver and its health check, from this very process, so
that what cannot be seen is known before a stop needs it. Nothing is touched."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from backends.drivers import driver_of
from backends.drivers.base import Action, DriverConfigError, Host, Observation
from backends.drivers.health import Health, check_of
from backends.driving.calls import Call
from core.services import Service, Standing
from opsgate.clock import elapsed_s

LOOK_S: Final = 2.0
"""Seconds that a look, or a health check, may take; as in a stop."""

_GRACE_S: Final = 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trial:
    """What one look found. ``why`` is the driver's sentence where it could not see; ``health`` is None without a check,
    and ``can`` is what the driver could do about the service as it is configured."""

    standing: Standing = "unknown"
    detail: str = ""
    health: Health | None = None
    can: tuple[Action, ...] = ()
    why: str = ""

    @property
    def is_seen(self) -> bool:
        """Whether it was seen how the service stands, and, where it runs and has a check, whether it is well."""
        return not self.why


def trial(service: Service, host: Callable[[], Host]) -> Trial:
    """Look once. ``host`` is what drivers may do here; it may raise `DriverConfigError`."""
    try:
        rules = host()
        driver = driver_of(service.name, service.driver, service.config, rules)
        check = check_of(json.loads(service.health), rules, driver) if service.health else None
    except DriverConfigError as error:
        return Trial(why=str(error))
    can = tuple(sorted(driver.can))
    seen = _bounded(lambda: driver.observe(LOOK_S))
    if isinstance(seen, str):
        return Trial(can=can, why=seen)
    if seen.standing == "unknown":
        return Trial(detail=seen.detail, can=can, why=seen.detail or "its driver could not see it")
    if check is None:
        return _trial(seen, None, can)
    found = _bounded(lambda: check.check(LOOK_S))
    return _trial(seen, Health(None, found) if isinstance(found, str) else found, can)


def _trial(seen: Observation, health: Health | None, can: tuple[Action, ...]) -> Trial:
    blind = health is not None and health.is_up is None and seen.standing == "running"
    why = f"its health check could not tell: {health.detail}" if blind and health is not None else ""
    return Trial(seen.standing, seen.detail, health, can, why)


def _bounded(act: Callable[[], T]) -> T | str:
    """What came of a call that is left behind when its time is up, or why nothing did."""
    told = threading.Event()
    call = Call(act, told)
    until_s = elapsed_s() + LOOK_S + _GRACE_S
    while not call.has_ended and (left_s := until_s - elapsed_s()) > 0:
        told.wait(left_s)
    if not call.has_ended:
        return f"its driver did not answer within {LOOK_S:g} s"
    return f"its driver crashed: {call.fault!r}" if call.result is None else call.result
