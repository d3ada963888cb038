"""Services: what drivers can stop and start, which of them a stop drives, and in which order.

A service that depends on another is its dependant. Dependants stop first and start last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from opsgate.order import Level
from opsgate.selector import Selector

Standing = Literal["unknown", "running", "stopping", "stopped", "not-stopped", "starting", "failed"]
"""What was last observed of a service. ``not-stopped``: it was told to stop and is seen to run."""

Action = Literal["observe", "save-state", "drain", "stop", "kill", "start"]
"""What can be asked of a driver."""

ActionOutcome = Literal["done", "failed", "timed-out", "refused", "skipped"]
"""What came of it, as the driver says; that a service stopped is said by its standing alone."""

MISSING_PREFIX: Final = "service:"
"""How a service is named among those that have not stopped, so that it is no worker's name."""


@dataclass(frozen=True, slots=True)
class Service:
    """Something of ours that a driver can stop and start, and what was last observed of it.

    ``config`` is the driver's own and ``health`` that of the health check, both as canonical JSON objects; no health
    check is "". ``criticality`` is 1 (may be missed longest) to 4. ``host`` is whose keeper drives it, None for any.
    ``saved`` refers to the state it saved last, "" for none.
    """

    name: str
    title: str
    account: str | None
    labels: tuple[tuple[str, str], ...]
    depends_on: tuple[str, ...]
    driver: str
    config: str
    health: str
    criticality: int
    host: str | None
    added_at: datetime
    changed_at: datetime
    changed_by: str
    standing: Standing = "unknown"
    observed_at: datetime | None = None
    observed_revision: int = 0
    detail: str = ""
    saved: str = ""

    def matches(self, selector: Selector) -> bool:
        """Whether a stop of this work drives it: it declares nothing else for any dimension that the selector names,
        and what it does not declare matches only where the selector names this very service."""
        declared = dict(self.labels)
        if self.account is not None:
            declared["account"] = self.account
        named = selector.get("service")
        if named is not None and named != self.name:
            return False
        free = named is not None
        return all(
            declared.get(dimension) == value or (free and dimension not in declared)
            for dimension, value in selector.items
            if dimension != "service"
        )


@dataclass(frozen=True, slots=True)
class ActionTaken:
    """One thing that a driver was asked for in a stop, and how long it took."""

    action: Action
    outcome: ActionOutcome
    took_s: float
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStep:
    """One service of a stop's frozen list: in which tier it stops, what was tried, and what was observed since.

    Tier 0 stops first. ``standing`` is unknown until somebody has looked at it after the order.
    """

    service: str
    tier: int
    standing: Standing = "unknown"
    stopped_at: datetime | None = None
    actions: tuple[ActionTaken, ...] = ()

    @property
    def has_stopped(self) -> bool:
        """Whether it was observed to have stopped, and not to run since."""
        return self.standing == "stopped"


def touched(services: Mapping[str, Service], selectors: Iterable[Selector], level: Level) -> tuple[str, ...]:
    """The services that a stop drives, in the order in which they stop.

    One of level ``service_specific`` drives those that a selector names and no others.
    """
    scopes = [s for s in selectors if level != "service_specific" or s.get("service") is not None]
    names = [name for name, service in services.items() if any(map(service.matches, scopes))]
    return in_stop_order(services, names)


def in_stop_order(services: Mapping[str, Service], names: Iterable[str]) -> tuple[str, ...]:
    """These services by tier; within one, those first that may be missed longest."""
    tier_of = tiers(services, names)
    return tuple(sorted(tier_of, key=lambda name: (tier_of[name], _criticality(services, name), name)))


def tiers(services: Mapping[str, Service], names: Iterable[str]) -> dict[str, int]:
    """The tier of each: 0 for those on which none of the others depends, and behind its last dependant for the rest.

    What lies between two of them and is not among them counts too: a dependant of a dependant stops before.
    """
    wanted = dict.fromkeys(names)
    behind: dict[str, list[str]] = {}
    for service in services.values():
        for other in service.depends_on:
            behind.setdefault(other, []).append(service.name)
    depth: dict[str, int] = {}
    for name in _from_the_top(wanted, behind):
        before = (depth[other] + (other in wanted) for other in behind.get(name, ()))
        depth[name] = max(before, default=0)
    return {name: depth[name] for name in wanted}


def cycle(services: Mapping[str, Service], name: str, depends_on: Iterable[str]) -> tuple[str, ...]:
    """The services that would depend on each other in a ring if ``name`` depended on these; empty where none would."""
    seen: set[str] = set()
    ways: list[tuple[str, ...]] = [(name, other) for other in depends_on]
    while ways:
        way = ways.pop()
        if way[-1] == name:
            return way
        if way[-1] not in seen and way[-1] in services:
            seen.add(way[-1])
            ways += [(*way, other) for other in services[way[-1]].depends_on]
    return ()


def dependants(services: Mapping[str, Service], name: str) -> tuple[str, ...]:
    """The services that depend on this one directly, by name."""
    return tuple(sorted(service.name for service in services.values() if name in service.depends_on))


def _criticality(services: Mapping[str, Service], name: str) -> int:
    known = services.get(name)
    return known.criticality if known is not None else 1


def _from_the_top(wanted: Iterable[str], behind: Mapping[str, list[str]]) -> list[str]:
    """All dependants of those wanted before what they depend on, so that a chain of thousands is no deep recursion."""
    order: list[str] = []
    done: set[str] = set()
    for start in wanted:
        waiting = [(start, False)]
        while waiting:
            name, opened = waiting.pop()
            if opened:
                order.append(name)
            elif name not in done:
                done.add(name)
                waiting.append((name, True))
                waiting += [(other, False) for other in behind.get(name, ()) if other not in done]
    return order
