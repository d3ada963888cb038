"""Follow a stop to its result: record it where nobody has, then look until its time is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from backends.stop_lane import Fired
from core.errors import OpsError
from opsconsole.cli.outcome import Outcome, age_s, unfollowed
from opsconsole.cli.output import say
from opsconsole.config import Settings
from opsconsole.credential import read_token
from opsgate.clock import elapsed_s
from opsgate.hold import DRAIN
from opsgate.order import BUDGET_S
from opsgate.status import FleetStatus, StopStatus

if TYPE_CHECKING:
    from core.ports import Backend

_POLL_S: Final = 0.05
_QUIET_S: Final = 1.0
"""Seconds that a stop may take before its progress is narrated."""

_CONCLUDING_S: Final = 1.0
"""Seconds behind the budget within which the keeper says what the stop came to."""


def followed(fired: Fired, settings: Settings, *, wait: bool) -> Outcome:
    """Record the stop if no keeper did, and look until it has a result or its budget is over.

    Where a keeper has it and cannot record it, the database is away or locked: whoever does not wait is not kept
    waiting for that either."""
    if fired.durable == "database" and settings.backend.startswith("sqlite:"):
        return _watch(fired, "database", _reader(settings.backend), wait=wait)
    if not wait and fired.keeper == "answered" and fired.durable != "database":
        say("journal: not recorded yet, the keeper goes on trying")
        return unfollowed(fired)
    from backends import open_backend

    try:
        unnamed = settings.origins["backend"] == "default"  # a typing error in a URL must not begin an empty fleet
        token = read_token(settings.token_file)
        backend = open_backend(settings.backend, create=unnamed, timeout_s=settings.timeout_s, token=token)
    except OpsError as error:
        say(f"journal: not recorded yet, {error}")
        return unfollowed(fired)
    try:
        durable = fired.durable if fired.durable == "database" else _recorded(fired, backend, settings.timeout_s)
        look = _reader(settings.backend) if settings.backend.startswith("sqlite:") else _asker(backend, settings)
        return _watch(fired, durable, look, wait=wait)
    finally:
        backend.close()


def _recorded(fired: Fired, backend: Backend, timeout_s: float) -> str:
    """Record the order ourselves; what it is durable in afterwards."""
    from backends.spool import record

    try:
        recorded = record(fired.order, backend, timeout_s=timeout_s)
    except OpsError as error:
        say(f"journal: not recorded yet, {error}")
        return fired.durable
    emergency = f" as {recorded.stop.emergency_id}" if recorded.stop else ""
    say(f"journal: recorded at revision {recorded.revision}{emergency}")
    return "database"


def _reader(url: str) -> Callable[[], FleetStatus]:
    from opsgate.status import read_status

    return lambda: read_status(url)


def _asker(backend: Backend, settings: Settings) -> Callable[[], FleetStatus]:
    from opsconsole.cli.standing import status_of

    return lambda: status_of(backend, settings.timeout_s)


def _watch(fired: Fired, durable: str, look: Callable[[], FleetStatus], *, wait: bool) -> Outcome:
    """Look again and again, until the keeper has said what the stop came to or nobody will any more."""
    wait = wait and (durable == "database" or fired.heard)  # else nobody would ever say more
    began_s = elapsed_s()
    told = -1
    while True:
        status = look()
        stop = next((stop for stop in status.stops if stop.stop_id == fired.order.stop_id), None)
        over = elapsed_s() >= began_s + (patience_s(fired, stop) if wait else 0.0)
        if over or (stop is not None and stop.result != "pending"):
            return _outcome(fired, durable, status, stop, over=over and wait)
        acked = len(stop.of) - len(stop.missing) if stop else 0
        if stop is not None and acked != told and age_s(fired) > _QUIET_S:
            say(f"{acked}/{len(stop.of)} acknowledged")
            told = acked
        time.sleep(_POLL_S)  # it is looked at, in a database or at a server: neither tells


def _outcome(fired: Fired, durable: str, status: FleetStatus, stop: StopStatus | None, *, over: bool) -> Outcome:
    scopes = fired.order.selectors
    holds = tuple(
        hold for hold in status.known.table().by_id.values() if any(hold.selector.overlaps(scope) for scope in scopes)
    )
    if stop is None or not stop.emergency_id:  # not recorded, so there is no frozen list to be verified against
        return Outcome(fired, durable, "unverified", age_s(fired), revision=status.revision or None, holds=holds)
    return Outcome(
        fired,
        "database",
        _result(fired, status, stop, over=over),
        age_s(fired),
        len(stop.of) - len(stop.missing),
        len(stop.of),
        stop.missing,
        stop.emergency_id,
        status.revision,
        holds,
    )


def _result(fired: Fired, status: FleetStatus, stop: StopStatus, *, over: bool) -> str:
    if not fired.heard and not stop.of and status.lost:
        say(f"no keeper hears the workers here: {status.lost} were last heard of too long ago to be asked")
        return "unverified"
    if not fired.heard and not stop.of:  # verified by the letter, and no more than this was observed
        say("no worker was on the list: none is known here, and without a keeper none can make itself known")
    if stop.result == "pending" and over:
        say("no keeper concluded it in time: this is what was seen")
        return "verified" if not stop.missing else "partial" if len(stop.missing) < len(stop.of) else "unverified"
    return stop.result


def patience_s(fired: Fired, stop: StopStatus | None) -> float:
    """How long to wait: as long as the stop has by its own record, or, until that is known, by its level. A drain that
    has used it up halts, and then has what its record says by then."""
    order, recorded_s = fired.order, stop.budget_s if stop else None
    is_draining = order.mode == DRAIN and (stop is None or stop.level == order.level)
    halting_s = BUDGET_S["immediate"] if is_draining else 0.0
    return (BUDGET_S[order.level] if recorded_s is None else recorded_s) + halting_s + _CONCLUDING_S
