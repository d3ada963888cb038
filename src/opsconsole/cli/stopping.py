"""``stop``: let the order out by every route at once, record it, and wait until it is known who has stopped.

Until the order is out, only the standard library and `opsgate` are loaded. Where a keeper records it, nothing else is
loaded afterwards either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from backends.driving import inventory_home
from backends.stop_lane import Fired, fire, fleet_names, new_order
from backends.stop_servers import Told
from core.errors import BackendUnavailable
from opsconsole.cli.exits import Exit
from opsconsole.cli.guard import Ended, guarded, undisturbed
from opsconsole.cli.invocation import login_name
from opsconsole.cli.known_names import KnownNames
from opsconsole.cli.outcome import Outcome, unfollowed
from opsconsole.cli.output import only_ascii, say, write
from opsconsole.cli.reasons import fitted
from opsconsole.cli.selectors import selectors_of
from opsconsole.cli.stop_line import Wanted
from opsconsole.config import Settings, resolve
from opsconsole.credential import read_token
from opsconsole.settings import ConfigError
from opsconsole.text import clean
from opsgate.order import Order
from opsgate.selector import Selector, SelectorError, scope_text

if TYPE_CHECKING:
    from backends.driving.local import LocalDriving


def run(wanted: Wanted, arguments: Sequence[str]) -> int:
    """Carry out a stop of this process; returns its exit code and never raises."""
    return guarded(lambda: stop(wanted), arguments)


def stop(wanted: Wanted) -> int:
    """Stop what is wanted and say what came of it: 0 verified, 5 partial, unverified or not waited for."""
    settings = _settings(wanted)
    if settings.ascii:
        only_ascii()
    url = None if wanted.local and "backend" not in wanted.flags else settings.backend
    token = _token(settings)
    reason, changed = fitted(wanted.reason)
    order = new_order(_selectors(wanted, url), level=wanted.level, reason=reason, actor=login_name(), door="cli")
    with undisturbed():
        fired = fire(order, url=url, token=token)  # before a word is said: a terminal that takes none would hold it up
    driving = _driving(order, fired, url)
    say(f"stopping {scope_text(order.selectors)} ({order.level}) as {order.stop_id}")
    for line in (*_routes(fired), *filter(None, [changed])):
        say(line)
    if url is None:
        say("this is for every fleet of this host; nobody was waited for, so see 'opsconsole -b URL status' of each")
        say(f"the way back, in each of them: opsconsole -b URL recover {order.stop_id} --reason WHY")
    outcome = unfollowed(fired) if url is None or wanted.local else _followed(fired, settings, wanted)
    outcome = _with_services(outcome, driving)
    if driving is None and url is not None and not wanted.no_wait:
        _say_why(outcome, settings, token)
    if not fired.in_force and outcome.durable != "database":
        raise BackendUnavailable(
            "nothing-stopped",
            f"the stop reached neither disk nor keeper nor journal ({fired.latch_fault})",
            "stop the processes themselves",
        )
    write(outcome.document(), settings.output, settings.color)
    return Exit.OK if outcome.verified and not wanted.no_wait else Exit.UNVERIFIED


def _driving(order: Order, fired: Fired, url: str | None) -> LocalDriving | None:
    """Where no keeper of this host drives its services, they are driven from here, as the last one knew them."""
    if fired.keeper == "answered" or not any(inventory_home().glob("*.json")):
        return None
    from backends.driving.local import LocalDriving

    return LocalDriving(order, fleet_names(url, None) if url else None)


def _with_services(outcome: Outcome, driving: LocalDriving | None) -> Outcome:
    """The outcome with what became of the services that were driven from here. That is seen, and not recorded: the
    journal hears of it from the next keeper."""
    if driving is None:
        return outcome
    driven = driving.result()
    if driven.stopped:
        say(f"services seen to have stopped: {clean(', '.join(driven.stopped), 300)}")
    for name, last in driven.left.items():
        say(f"service {name} has NOT been seen to stop: {clean(last, 300)}")
    missing = tuple(dict.fromkeys((*outcome.missing, *(f"service:{name}" for name in driven.left))))
    return replace(outcome, missing=missing)


def _say_why(outcome: Outcome, settings: Settings, token: str) -> None:
    """Say of each service that has not been seen to stop why that is, as far as anybody has said."""
    if outcome.emergency_id is None or not any(name.startswith("service:") for name in outcome.missing):
        return
    from opsconsole.cli.unstopped import unstopped

    for name, why in unstopped(outcome, settings, token).items():
        say(f"service {name} has NOT been seen to stop: {clean(why, 300)}")


def _followed(fired: Fired, settings: Settings, wanted: Wanted) -> Outcome:
    from opsconsole.cli.verifying import followed

    try:
        return followed(fired, settings, wait=not wanted.no_wait)
    except Ended:
        say(f"the waiting ended, {fired.order.stop_id} stays in force: see 'opsconsole status'")
        raise


def _settings(wanted: Wanted) -> Settings:
    """The settings that hold. A broken configuration holds up no stop that says itself where it goes."""
    try:
        return resolve(wanted.flags)
    except ConfigError as error:
        if not wanted.local and "backend" not in wanted.flags:
            raise ConfigError(f"{error}; 'opsconsole stop --local' stops this host without a configuration") from None
        say(f"going on without the configuration: {error}")
        return resolve(wanted.flags, {}, ())


def _token(settings: Settings) -> str:
    """The credential for servers. Where it cannot be read, the stop leaves by the other routes all the same."""
    try:
        return read_token(settings.token_file)
    except ConfigError as error:
        say(f"going on without a token: {error}")
        return ""


def _selectors(wanted: Wanted, url: str | None) -> tuple[Selector, ...]:
    """The work to stop; nothing named means everything. Names are checked as far as they can be read at once."""
    dimensions = {dimension: list(values) for dimension, values in wanted.dimensions.items()}
    dimensions["service"] = [*dimensions.get("service", ()), *wanted.target]
    if wanted.level == "service_specific" and not dimensions["service"]:
        raise SelectorError("service_specific stops named services: name them with --target SERVICE")
    names = None if wanted.local or url is None or not url.startswith("sqlite:") else KnownNames(url)
    everything = wanted.everything or not any(dimensions.values())
    selectors = selectors_of(everything, dimensions, None if names is None else names.of)
    if names is not None and not wanted.create:
        for selector in selectors:
            names.require(selector)
    return selectors


def _routes(fired: Fired) -> list[str]:
    """What became of each route, for the person who watches."""
    latch = "latch: placed on this host" if fired.latched else f"latch: NOT placed, {fired.latch_fault}"
    match fired.keeper:
        case "answered" if fired.durable == "database":
            keeper = f"keeper: told every gate, recorded at revision {fired.revision} as {fired.emergency_id}"
        case "answered":
            keeper = "keeper: told every gate; it could not record the stop yet"
        case "silent":
            keeper = "keeper: there, but did not answer in time"
        case _:
            keeper = "keeper: none is running on this host"
    if fired.servers and fired.keeper == "absent":
        return [latch, *map(_server, fired.servers)]
    return [latch, keeper, *map(_server, fired.servers)]


def _server(told: Told) -> str:
    """What became of it at one server."""
    match told.word:
        case "answered" if told.answer.get("durable") == "database":
            said = f"told every gate, recorded as {told.answer.get('emergency_id', 'a stop')}"
        case "answered":
            said = "told its gates; it could not record the stop yet"
        case "refused":
            said = f"REFUSED it: {told.fault}"
        case "silent":
            said = "there, but did not answer in time"
        case _:
            said = f"NOT reached: {told.fault}"
    return f"server {clean(told.url, 120)}: {clean(said, 200)}"
