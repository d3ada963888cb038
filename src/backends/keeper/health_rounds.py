"""Health rounds: how registered services stand while nobody stops or recovers them.

A round looks at every service that is driven from here, on a thread of its own; only what has changed is reported. What
is on the list of a stop in force, or is being recovered, is watched by those who drive it. A look that is overtaken by
a stop counts for nothing: it was made before the order.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from backends.drivers.gate import GateDriver
from backends.driving.driving import Drivers
from backends.driving.names import this_host
from backends.keeper.deeds import Hands, Health, Look
from backends.keeper.hands import DriverHands
from backends.keeper.log import NAME
from backends.keeper.office import Office
from backends.keeper.recovery_checks import BAD_LOOKS
from backends.keeper.service_stops import ServiceStops
from core.capabilities.service_reports import ReportServices, ServiceReport
from core.errors import OpsError
from core.services import Service
from core.state import State
from opsgate.clock import elapsed_s

_log = logging.getLogger(NAME)

TOGETHER: Final = 32
"""How many services are looked at at the same time."""

_DETAIL_MAX: Final = 300
"""Characters of what is kept of a look."""

_PASSING: Final = frozenset({"stopping", "starting"})
"""On the way to something that the next look will see."""


class HealthRounds(threading.Thread):
    """Goes round every ``every_s`` seconds until `close`."""

    def __init__(
        self,
        hands: Hands,
        latest: Callable[[], State],
        submit: Callable[[ReportServices, int], None],
        *,
        mine: Callable[[Service], bool],
        every_s: float,
    ) -> None:
        """``submit`` has a report decided at the revision that was looked at, and raises `OpsError`; ``mine`` is
        whether a service is driven from here."""
        super().__init__(name="health-rounds", daemon=True)
        self._hands, self._latest, self._submit, self._mine = hands, latest, submit, mine
        self._every_s = every_s
        self._unwell: dict[str, int] = {}
        """How many times, one after the other, a service that runs was seen unwell."""
        self._ending = threading.Event()

    def run(self) -> None:
        """The life of the thread."""
        while not self._ending.wait(self._every_s):
            try:
                self.go_round()
            except OpsError as error:
                _log.info("the health of services is not recorded", extra={"fault": str(error)})
            except Exception:  # noqa: BLE001 (whatever is wrong with one service, the others are looked at)
                _log.exception("looking at the health of services failed")

    def go_round(self) -> None:
        """Look at each once, and report what has changed. Raises `OpsError`."""
        state = self._latest()
        mine = [service for service in at_rest(state) if self._mine(service)]
        self._unwell = {service.name: self._unwell.get(service.name, 0) for service in mine}
        for together in _batches(mine):
            state = self._latest()  # what is reported was looked at behind this
            looks = self._hands.look(together)
            running = [one for one in together if one.name in looks and looks[one.name].standing == "running"]
            found = self._hands.health(running)
            reports = tuple(self._changed(together, looks, found))
            if reports:
                self._submit(ReportServices(reports=reports), state.revision)

    def close(self) -> None:
        """End the thread. What a driver is about to look at, it does."""
        self._ending.set()
        if self.is_alive():
            self.join(timeout=5)

    def _changed(
        self, services: Iterable[Service], looks: Mapping[str, Look], found: Mapping[str, Health]
    ) -> Iterator[ServiceReport]:
        for service in services:
            look = self._judged(service.name, looks.get(service.name, Look(None)), found.get(service.name))
            seen = look.standing
            if seen is None and service.standing == "unknown" and _shape(look.detail) != _shape(service.detail):
                seen = "unknown"  # who sets it up is told why nobody can see it, and not first in its recovery
            if seen is not None and seen not in _PASSING and (seen == "unknown" or seen != service.standing):
                yield ServiceReport(
                    service=service.name, standing=seen, detail=look.detail[:_DETAIL_MAX], observed_by="health"
                )

    def _judged(self, name: str, look: Look, health: Health | None) -> Look:
        """What runs and was seen unwell more than once should do its work and does not: it has failed."""
        is_unwell = look.standing == "running" and health is not None and health.is_up is False
        self._unwell[name] = self._unwell.get(name, 0) + 1 if is_unwell else 0
        if not is_unwell or health is None:
            return look
        said = f"it runs and is unwell: {health.detail}"
        return Look("failed", said) if self._unwell[name] >= BAD_LOOKS else Look(None, said)


def rounds_of(office: Office, services: ServiceStops, every_s: float) -> HealthRounds:
    """The rounds of a keeper: over the services of its host, and those of no host while it leads."""

    def leads() -> bool:
        return office.leader.leads(elapsed_s())

    return HealthRounds(
        DriverHands(Drivers(services.host), services.host),  # drivers of its own: what was seen at rest is no stop's
        office.runtime.latest,
        lambda report, looked_at: office.submit(report, fenced=leads(), looked_at=looked_at),
        mine=lambda service: service.host == this_host() or (service.host is None and leads()),
        every_s=every_s,
    )


def _shape(detail: str) -> str:
    """A text without its numbers: how long something took, or which process, is no news of itself."""
    return re.sub(r"\d+", "", detail[:_DETAIL_MAX])


def at_rest(state: State) -> tuple[Service, ...]:
    """The services that are on the list of no stop in force, by name; without those that are groups of workers, whose
    heartbeats say how they are, and whose acknowledgements are about some stop and mean nothing without it."""
    listed = {step.service for stop in state.active_stops() for step in stop.services}
    named = sorted(state.services.items())
    return tuple(service for name, service in named if name not in listed and service.driver != GateDriver.kind)


def _batches(services: list[Service]) -> Iterator[list[Service]]:
    return (services[at : at + TOGETHER] for at in range(0, len(services), TOGETHER))
