"""The status of a fleet that is not an SQLite file here: the same answer as `opsgate.status`, from the engine."""

from __future__ import annotations

from backends.spool import names_of, pending
from core.errors import BackendUnavailable
from core.facts import standing
from core.policy import run_state
from core.ports import Backend
from core.state import State
from opsgate.known import Known
from opsgate.order import Order
from opsgate.status import FleetStatus, StopStatus
from opsgate.tables import ChannelRow, failing


def status_of(backend: Backend, timeout_s: float) -> FleetStatus:
    """What can be said of the fleet now; unknown with a sentence where it cannot be reached."""
    try:
        state, seen = backend.state(timeout_s=timeout_s), backend.observe(timeout_s=timeout_s)
        fails = _failing(backend)
    except BackendUnavailable as error:
        return FleetStatus("unknown", fault=str(error))
    standings = [standing(row, seen.at) for row in seen.workers]
    waiting = pending(names_of(state, backend.url), state)
    known, word = Known().read(state.snapshot()), run_state(state)
    for order in waiting:
        known = known.ordered(order)
    return FleetStatus(
        state="partly" if waiting and word == "running" else word,
        revision=state.revision,
        age_s=0.0,
        holds=len(state.holds) + sum(len(order.selectors) for order in waiting),
        live=standings.count("live"),
        lost=standings.count("lost"),
        stops=(*_stops(state), *_latched(waiting)),
        fleet=state.fleet,
        failing=fails,
        known=known,
    )


def _latched(waiting: tuple[Order, ...]) -> tuple[StopStatus, ...]:
    """The stops that lie latched on this host and in no journal: in force here, and nobody has counted them."""
    return tuple(StopStatus(order.stop_id, "", order.level, "pending", (), ()) for order in waiting)


def _stops(state: State) -> tuple[StopStatus, ...]:
    return tuple(
        StopStatus(
            stop.stop_id,
            stop.emergency_id,
            stop.level,
            stop.result,
            stop.listed,
            stop.missing,
            stop.ordered_at,
            stop.deadline_at,
        )
        for stop in state.active_stops()
    )


def _failing(backend: Backend) -> tuple[ChannelRow, ...]:
    """The channels that fail, where the database is at hand; a server does not tell."""
    if backend.url.startswith("http"):
        return ()
    from backends.runtime import Runtime

    cursors = backend.store.cursors() if isinstance(backend, Runtime) else ()
    return tuple(filter(None, (failing(cursor.name, cursor.detail) for cursor in cursors)))
