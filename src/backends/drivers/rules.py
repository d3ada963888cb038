"""What drivers may do on this host: ``drivers.toml``, which belongs to the host and not to a fleet.

    commands = ["/usr/local/libexec/billing/*", "/usr/bin/systemctl"]
    destinations = ["billing.internal:8443", "127.0.0.1:9000", "10.1.0.0/16"]

Whoever administers a fleet through a server says what services there are; what is run on a host for them, and who is
asked from there, is for the host to say. Without the file nothing is, but where the fleet's database is a file of this
very user, who could as well do it himself.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from backends.drivers.base import DriverConfigError, Host, Member
from backends.drivers.destinations import AllowList
from opsgate.paths import config_home

_SYSTEM: Final = Path("/etc/opsconsole/drivers.toml")
_KEYS: Final = frozenset({"commands", "destinations"})


def host_rules(members: Callable[[], tuple[Member, ...]] = tuple, *, is_own: bool) -> Host:
    """The rules of this host. ``is_own`` is whether only this user can say what services there are.

    Raises `DriverConfigError` where the file cannot be used: then nothing is allowed, rather than anything.
    """
    path = next((path for path in (_own_file(), _SYSTEM) if path.exists()), None)
    if path is None:
        return Host(members=members) if is_own else Host((), (), members)
    document = _document(path)
    return Host(_entries(document, "commands"), _destinations(document), members)


def _own_file() -> Path:
    return config_home() / "opsconsole" / "drivers.toml"


def _document(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
                raise DriverConfigError(f"others can write {path}: no driver is used until they cannot")
            document = tomllib.load(file)
    except (OSError, ValueError) as error:
        if isinstance(error, DriverConfigError):
            raise
        raise DriverConfigError(f"{path}: {error}") from None
    if unknown := set(document) - _KEYS:
        raise DriverConfigError(f"{path}: there is nothing called {', '.join(sorted(unknown))}")
    return document


def _entries(document: dict[str, Any], key: str) -> tuple[str, ...]:
    entries = document.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise DriverConfigError(f"{key} in drivers.toml is a list of words")
    return tuple(entries)


def _destinations(document: dict[str, Any]) -> tuple[str, ...]:
    entries = _entries(document, "destinations")
    AllowList(entries)
    return entries
