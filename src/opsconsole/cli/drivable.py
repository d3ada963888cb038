"""Whether a service that was registered could be driven from here, before a stop needs it."""

from __future__ import annotations

import json

from backends.drivers import driver_of
from backends.drivers.base import DriverConfigError
from backends.drivers.health import check_of
from backends.drivers.process import ProcessDriver
from backends.drivers.rules import host_rules
from backends.driving import inventory
from backends.driving.names import this_host
from core.ports import Backend
from core.state import State


def fault_of(backend: Backend, state: State, name: str) -> str | None:
    """Why the keeper of this host could not drive a service, in one sentence; None where it could, or where another
    host's keeper does: whoever asks a server, or registers what belongs to another host, cannot know.
    """
    service = state.services[name]
    if not backend.url.startswith("sqlite:") or service.host not in (None, this_host()):
        return None
    try:
        host = host_rules(is_own=is_own(state))
        driver = driver_of(name, service.driver, service.config, host)
        if service.health:
            check_of(json.loads(service.health), host, driver)
    except DriverConfigError as error:
        return str(error)
    return driver.start_fault or None if isinstance(driver, ProcessDriver) else None


def is_own(state: State) -> bool:
    """Whether only this user can say what services there are: nobody has a token, and the keeper that was last here let
    nobody in without one."""
    return not state.tokens and inventory.read((state.fleet,)).is_own


def faults_of(backend: Backend, state: State) -> dict[str, str]:
    """The same of all services that the keeper of this host could not drive."""
    found = {name: fault_of(backend, state, name) for name in sorted(state.services)}
    return {name: fault for name, fault in found.items() if fault is not None}
