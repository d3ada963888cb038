"""What a stop has come to: said when its whole list has stopped or its time is up, and again when that changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from core.ack_times import AckTimes
from core.engine import Draft, evolves
from core.messages import Header, StopEvent, StopResult, event
from core.state import State, Stop


@event
class StopConcluded(StopEvent):
    """What a stop came to, as far as it was observed. May follow again, when a missing worker stops late."""

    version = 2
    kind: Literal["stop.concluded"] = "stop.concluded"
    result: StopResult
    acked: tuple[str, ...]
    missing: tuple[str, ...]
    times: AckTimes | None = None


@evolves(StopConcluded)
def stop_concluded(state: State, happened: StopConcluded, header: Header) -> State:
    """Fold."""
    known = state.stops[happened.stop_id]
    stop = replace(
        known,
        result=happened.result,
        acked=happened.acked,
        concluded_at=header.at,
        ack_times=happened.times or known.ack_times,
    )
    return state._replace(stops=state.stops.set(stop.stop_id, stop))


def conclude(draft: Draft, stop: Stop, acked: tuple[str, ...], times: AckTimes | None = None) -> None:
    """Say what a stop has come to, by who of its list has acknowledged and which of its services were seen to stop."""
    missing = replace(stop, acked=acked).missing
    some = bool(acked) or any(step.has_stopped for step in stop.services)
    result: StopResult = "verified" if not missing else "partial" if some else "unverified"
    draft.emit(StopConcluded(stop_id=stop.stop_id, result=result, acked=acked, missing=missing, times=times))


def conclude_anew(draft: Draft, stop: Stop) -> None:
    """Say it where an observation of a service has changed it: the last one has stopped, or one that had runs again.

    While workers are still to acknowledge, whoever counts those says it.
    """
    if (stop.result == "verified") == bool(stop.missing):
        conclude(draft, stop, stop.acked)
