"""Drivers: what stops and starts services, and sees whether it has happened. One small interface, `base.Driver`.

Ours are listed here; a package of somebody else's adds its own as entry points of the group ``opsconsole.drivers``,
each of which names a class that passes `backends.drivers.contract`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

from backends.drivers.base import Driver, DriverConfigError, Host, cut

GROUP: Final = "opsconsole.drivers"

_OURS: Final = {
    "process": "backends.drivers.process:ProcessDriver",
    "command": "backends.drivers.command:CommandDriver",
    "control-file": "backends.drivers.control_file:ControlFileDriver",
    "signal": "backends.drivers.signals:SignalDriver",
    "http": "backends.drivers.http:HttpDriver",
    "gate": "backends.drivers.gate:GateDriver",
    "systemd": "backends.drivers.systemd:SystemdDriver",
    "kubernetes": "backends.drivers.kubernetes:KubernetesDriver",
}


def kinds() -> tuple[str, ...]:
    """Every kind of driver that is installed."""
    return tuple(sorted({*_OURS, *(entry.name for entry in _theirs())}))


def driver_of(service: str, kind: str, config: str, host: Host) -> Driver:
    """The driver of a service, from the JSON object of its configuration. `DriverConfigError` where it is wrong, the
    kind is not installed, or this host does not allow what it asks for."""
    try:
        document = json.loads(config or "{}")
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise DriverConfigError("the configuration is not a JSON object")
    return _class_of(kind).build(service, document, host)


@cache
def _class_of(kind: str) -> type[Driver]:
    if kind in _OURS:
        module, _, name = _OURS[kind].partition(":")
        found: type[Driver] = getattr(import_module(module), name)
        return found
    for entry in _theirs():
        if entry.name == kind:
            return _loaded(entry)
    raise DriverConfigError(f"there is no driver of the kind {kind!r}; there are {', '.join(kinds())}")


def _theirs() -> Any:
    return entry_points(group=GROUP)


def _loaded(entry: Any) -> type[Driver]:
    try:
        found: type[Driver] = entry.load()
    except Exception as error:  # noqa: BLE001 (a package of somebody else's may raise anything, and is not our end)
        raise DriverConfigError(cut(f"the driver {entry.name!r} cannot be loaded: {error!r}")) from None
    return found
