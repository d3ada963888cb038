"""Services: what drivers can stop and start, as an administrator registers it.

What a driver does about one, and how it is seen to stand, comes back as reports of the engine's: `service_reports`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Annotated, Any, Final, Literal

from pydantic import Field, JsonValue

from core.capabilities.conclusion import conclude_anew
from core.capabilities.names import NameRemoved, near_names, registered
from core.engine import Draft, decides, evolves
from core.errors import CommandRejected, UnknownName
from core.messages import Command, FreeText, Header, Identifier, ServiceEvent, command, event
from core.services import Service, ServiceStep, cycle, dependants
from core.state import State, Stop

Criticality = Annotated[int, Field(ge=1, le=4)]
Label = Annotated[str, Field(max_length=128)]

CONFIG_MAX: Final = 16_384
"""Characters of a driver's configuration at most: it is part of every checkpoint."""

_OBSERVED: Final = ("standing", "observed_at", "observed_revision", "detail", "saved")


@command
class AddService(Command):
    """Register a service, or give one another definition. What is not said has its default.

    ``config`` is for the ``driver``, ``health`` for the health check; ``labels`` may say a site or an environment, so
    that a stop of those finds it. ``criticality`` 4 may be missed least.
    """

    kind: Literal["add-service"] = "add-service"
    name: Identifier
    driver: Identifier
    title: FreeText = ""
    account: Identifier | None = None
    labels: Annotated[dict[Identifier, Label], Field(max_length=20)] = Field(default_factory=dict)
    depends_on: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()
    config: dict[str, JsonValue] = Field(default_factory=dict)
    health: dict[str, JsonValue] = Field(default_factory=dict)
    criticality: Criticality = 2
    host: Annotated[str, Field(min_length=1, max_length=253)] | None = None


@command
class RemoveService(Command):
    """Take a service out of the registry; refused while a hold or a stop in force names it, or another depends
    on it."""

    kind: Literal["remove-service"] = "remove-service"
    name: Identifier


class ServiceDefined(ServiceEvent):
    """What a service is from now on."""

    title: str
    account: str | None
    labels: dict[str, str]
    depends_on: tuple[str, ...]
    driver: str
    config: str
    health: str
    criticality: int
    host: str | None


@event
class ServiceAdded(ServiceDefined):
    """A service was registered."""

    kind: Literal["service.added"] = "service.added"


@event
class ServiceChanged(ServiceDefined):
    """A service got another definition."""

    kind: Literal["service.changed"] = "service.changed"


@event
class ServiceRemoved(ServiceEvent):
    """A service is no longer registered."""

    kind: Literal["service.removed"] = "service.removed"


@decides(AddService)
def add_service(draft: Draft, wanted: AddService) -> None:
    """Register it under its name, or change it; the same again changes nothing."""
    config, health = _canonical(wanted.config), _canonical(wanted.health) if wanted.health else ""
    if len(config) + len(health) > CONFIG_MAX:
        raise CommandRejected("config-too-long", f"the configuration of {wanted.name} has over {CONFIG_MAX} characters")
    for other in wanted.depends_on:
        if other not in draft.state.services and other != wanted.name:
            raise unknown_service(draft.state, other)
    ring = cycle(draft.state.services, wanted.name, wanted.depends_on)
    if ring:
        raise CommandRejected("dependency-cycle", f"these would depend on each other: {' -> '.join(ring)}")
    registered(draft, "service", wanted.name, wanted.title)
    definition: dict[str, Any] = {
        "service": wanted.name,
        "title": wanted.title,
        "account": wanted.account,
        "labels": dict(sorted(wanted.labels.items())),
        "depends_on": tuple(dict.fromkeys(wanted.depends_on)),
        "driver": wanted.driver,
        "config": config,
        "health": health,
        "criticality": wanted.criticality,
        "host": wanted.host,
    }
    known = draft.state.services.get(wanted.name)
    if known is None:
        draft.emit(ServiceAdded(**definition))
    elif _definition(known) != definition:
        draft.emit(ServiceChanged(**definition))
        conclude_services_anew(draft)
    else:
        draft.notes.append(f"service {wanted.name} is registered so already")


@decides(RemoveService)
def remove_service(draft: Draft, wanted: RemoveService) -> None:
    """Unregister it, unless something would be left pointing at nothing."""
    state, name = draft.state, wanted.name
    require_service(state, name)
    held = sorted(hold.hold_id for hold in state.holds.values() if hold.selector.get("service") == name)
    if held:
        raise CommandRejected("name-held", f"service {name} is named by {', '.join(held[:5])}", "release that first")
    stops = [stop.stop_id for stop in state.active_stops() if any(step.service == name for step in stop.services)]
    if stops:
        raise CommandRejected("service-stopped", f"service {name} is on the list of {stops[0]}", "recover that first")
    others = dependants(state.services, name)
    if others:
        raise CommandRejected("service-needed", f"{', '.join(others[:5])} depends on {name}", "change that first")
    draft.emit(ServiceRemoved(service=name))
    if ("service", name) in draft.state.names:
        draft.emit(NameRemoved(dimension="service", name=name))


@evolves(ServiceAdded, ServiceChanged)
def service_defined(state: State, happened: ServiceDefined, header: Header) -> State:
    """Fold; what was observed of it stays, where its name still means the same thing."""
    known = state.services.get(happened.service)
    service = Service(
        name=happened.service,
        title=happened.title,
        account=happened.account,
        labels=tuple(happened.labels.items()),
        depends_on=happened.depends_on,
        driver=happened.driver,
        config=happened.config,
        health=happened.health,
        criticality=happened.criticality,
        host=happened.host,
        added_at=known.added_at if known else header.at,
        changed_at=header.at,
        changed_by=header.actor.name,
    )
    if known is None:
        return with_service(state, service)
    if (known.driver, known.config, known.host) != (service.driver, service.config, service.host):
        return _unseen(with_service(state, replace(service, saved=known.saved)), service.name)
    observed = {name: getattr(known, name) for name in _OBSERVED}
    return with_service(state, replace(service, **observed))


@evolves(ServiceRemoved)
def service_removed(state: State, happened: ServiceRemoved, _header: Header) -> State:
    """Fold."""
    return state._replace(services=state.services.delete(happened.service))


def _unseen(state: State, name: str) -> State:
    """Nobody has looked at what this name means now, in no stop that is in force."""
    for stop in state.active_stops():
        if any(step.service == name for step in stop.services):
            state = with_step(state, stop, name, lambda step: replace(step, standing="unknown", stopped_at=None))
    return state


def require_service(state: State, name: str) -> Service:
    """The service of this name; raises `UnknownName` with the near names."""
    known = state.services.get(name)
    if known is None:
        raise unknown_service(state, name)
    return known


def unknown_service(state: State, name: str) -> UnknownName:
    """The refusal for a service that nobody registered."""
    near = [other for other in near_names(state, "service", name) if other in state.services]
    hint = f"did you mean {' or '.join(near)}?" if near else "see 'opsconsole services list'"
    return UnknownName("unknown-service", f"no service is called {name}", hint)


def conclude_services_anew(draft: Draft) -> None:
    """What a service is, or how it stands, has changed: conclude every stop in force that lists any."""
    for stop in draft.state.active_stops():
        if stop.services:
            conclude_anew(draft, stop)


def with_service(state: State, service: Service) -> State:
    """The state with a service as it is now."""
    return state._replace(services=state.services.set(service.name, service))


def with_step(state: State, stop: Stop, name: str, changed: Callable[[ServiceStep], ServiceStep]) -> State:
    """The state with what a stop knows of one service changed."""
    services = tuple(changed(step) if step.service == name else step for step in stop.services)
    return state._replace(stops=state.stops.set(stop.stop_id, replace(stop, services=services)))


def _definition(known: Service) -> dict[str, Any]:
    kept = {each.name: getattr(known, each.name) for each in fields(known) if each.name in ServiceDefined.model_fields}
    return {**kept, "service": known.name, "labels": dict(known.labels)}


_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
