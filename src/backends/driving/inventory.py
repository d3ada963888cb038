"""The inventory: the services of each fleet as this host last knew them, so that they can be stopped from here with
nothing else left alive."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from backends.driving import inventory_home
from backends.driving.names import this_host
from core.services import Service

_log = logging.getLogger("opsconsole.keeper")

_FORMAT: Final = 1


class Listed(NamedTuple):
    """Services by name, and whether none but this user could have said what they are."""

    services: dict[str, Service]
    is_own: bool


class Inventory:
    """The file of one fleet, written whenever its services change."""

    def __init__(self, fleet: str) -> None:
        self._path = inventory_home() / f"{fleet}.json"
        self._written: tuple[Mapping[str, Service], bool] = ({}, False)
        """As they were when it was looked last whether they are still defined like those in the file."""

    def keep(self, services: Mapping[str, Service], *, is_own: bool) -> None:
        """Write these down, where they are other than what was written last. A disk that does not take them is no
        reason to stop anything else."""
        if is_own == self._written[1] and _are_defined_alike(services, self._written[0]):
            self._written = (services, is_own)
            return
        document = {"format": _FORMAT, "own": is_own, "services": [_document(each) for each in services.values()]}
        try:
            _put(self._path, json.dumps(document))
        except OSError as error:
            _log.warning("the inventory of services could not be written", extra={"fault": str(error)})
            return
        self._written = (services, is_own)


def read(fleets: tuple[str, ...] | None) -> Listed:
    """The services that the keeper of these fleets wrote down on this host, of every fleet where None is given. Those
    that another host drives are left out, and so is what cannot be read, or others could have written."""
    try:
        paths = (
            [inventory_home() / f"{name}.json" for name in fleets]
            if fleets is not None
            else sorted(inventory_home().glob("*.json"))
        )
    except OSError:
        return Listed({}, False)
    services: dict[str, Service] = {}
    own = True
    for path in paths:
        found, is_own = _read(path)
        mine = {service.name: service for service in found if service.host in (None, this_host())}
        services = mine | services
        own = own and (is_own or not mine)
    return Listed(services, own)


def _are_defined_alike(these: Mapping[str, Service], those: Mapping[str, Service]) -> bool:
    """Whether both are the same services but for what was observed of them. It is asked at every event of a stop: those
    that are the same values are not looked at."""
    if these is those:
        return True
    changed = [name for name, service in these.items() if service is not those.get(name)]
    return len(these) == len(those) and all(
        name in those and _defined(these[name]) == _defined(those[name]) for name in changed
    )


def _defined(service: Service) -> Service:
    """A service without what was observed of it, which is not worth a write each time."""
    return replace(service, standing="unknown", observed_at=None, observed_revision=0, detail="", saved="")


def _document(service: Service) -> dict[str, Any]:
    document = asdict(service)
    for name in ("observed_at", "observed_revision", "detail", "saved", "standing"):
        del document[name]
    return document | {"added_at": service.added_at.isoformat(), "changed_at": service.changed_at.isoformat()}


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _read(path: Path) -> tuple[list[Service], bool]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, encoding="utf-8") as file:
            found = os.fstat(descriptor)
            if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return [], False
            document = json.load(file)
        return [_service(entry) for entry in document["services"]], document["own"] is True
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return [], False


def _service(entry: dict[str, Any]) -> Service:
    times = {name: datetime.fromisoformat(entry[name]).astimezone(UTC) for name in ("added_at", "changed_at")}
    labels = tuple((str(name), str(value)) for name, value in entry["labels"])
    return Service(**(entry | times | {"labels": labels, "depends_on": tuple(entry["depends_on"])}))
