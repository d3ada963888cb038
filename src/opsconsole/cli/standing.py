"""The status of a fleet that is not an SQLite file here: the same answer as `opsgate.status`, from the engine."""

from __future__ import annotations

from core.errors import BackendUnavailable
from core.facts import standing
from core.policy import run_state
from core.ports import Backend
from core.state import State
from opsgate.known import Known
from opsgate.status import FleetStatus, StopStatus


def status_of(backend: Backend, timeout_s: float) -> FleetStatus:
    """What can be said of the fleet now; unknown with a sentence where it cannot be reached."""
    try:
        state, seen = backend.state(timeout_s=timeout_s), backend.observe(timeout_s=timeout_s)
    except BackendUnavailable as error:
        return FleetStatus("unknown", fault=str(error))
    standings = [standing(row, seen.at) for row in seen.workers]
    return FleetStatus(
        state=run_state(state),
        revision=state.revision,
        age_s=0.0,
        holds=len(state.holds),
        live=standings.count("live"),
        lost=standings.count("lost"),
        stops=_stops(state),
        fleet=state.fleet,
        known=Known().read(state.snapshot()),
    )


def _stops(state: State) -> tuple[StopStatus, ...]:
    return tuple(
        StopStatus(stop.stop_id, stop.emergency_id, stop.level, stop.result, stop.listed, stop.missing)
        for stop in state.active_stops()
    )
