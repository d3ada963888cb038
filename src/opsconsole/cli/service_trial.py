"""``services check``: one look at a service, in one line and as facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backends.drivers.base import Member
from backends.drivers.rules import host_rules
from backends.driving.names import this_host
from backends.driving.trial import Trial, trial
from core.facts import standing
from core.ports import Observations
from core.services import Service
from core.state import State
from opsconsole.cli.drivable import is_own
from opsconsole.cli.engine import Engine
from opsconsole.render import Document


def tried(engine: Engine, state: State, name: str) -> Document:
    """What one look found, or why there was none: drivers look from the host that drives the service, by its rules."""
    service = state.services[name]
    if not engine.backend.url.startswith("sqlite:"):
        return _shown(service, Trial(why="the host that drives it can look, by its database; a server does not ask it"))
    if service.host not in (None, this_host()):
        return _shown(service, Trial(why=f"{service.host} drives it, and this is {this_host()}: look from there"))
    seen = engine.backend.observe(timeout_s=engine.timeout_s)
    members = tuple(_members(seen))
    return _shown(service, trial(service, lambda: host_rules(lambda: members, is_own=is_own(state))))


def _members(seen: Observations) -> Iterator[Member]:
    """The workers as the gate driver looks at them."""
    for row in seen.workers:
        yield Member(
            worker_id=row.worker_id,
            scope={name: tuple(values) for name, values in row.scope.items()} | {"env": (row.env,)},
            is_live=standing(row, seen.at) == "live",
            has_left=row.state == "left",
            stops=frozenset(filter(row.has_stopped, row.stops)),
            in_flight=row.in_flight,
        )


def _shown(service: Service, found: Trial) -> Document:
    health = found.health
    data = {
        "service": service.name,
        "seen": found.is_seen,
        "standing": found.standing,
        "detail": found.detail or None,
        "health": None if health is None else {"is_up": health.is_up, "detail": health.detail or None},
        "driver": service.driver,
        "host": this_host(),
        "can": list(found.can),
        "why": found.why or None,
    }
    return Document(data, ["; ".join(_said(service, found))])


def _said(service: Service, found: Trial) -> Iterable[str]:
    if found.is_seen:
        yield f"{service.name}: {found.standing}{f', {found.detail}' if found.detail else ''}"
    else:
        yield f"{service.name} could NOT be seen: {found.why}"
    if found.health is not None and found.is_seen:
        word = {True: "up", False: "down", None: "not to be told"}[found.health.is_up]
        yield f"health {word}{f', {found.health.detail}' if found.health.detail else ''}"
    if found.can:
        yield f"its driver can {', '.join(found.can)}"
