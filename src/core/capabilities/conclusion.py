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
    seen = replace(stop, acked=acked)
    draft.emit(
        StopConcluded(stop_id=stop.stop_id, result=_result(seen), acked=acked, missing=seen.missing, times=times)
    )


def conclude_anew(draft: Draft, stop: Stop) -> None:
    """Say it where an observation of a service has changed it: the last one has stopped, or one that had runs again.

    While a stop has its time and workers are still to acknowledge, whoever counts those says it.
    """
    result = _result(stop)
    if result != stop.result and (stop.result != "pending" or result == "verified"):
        conclude(draft, stop, stop.acked)


def _result(stop: Stop) -> StopResult:
    if not stop.missing:
        return "verified"
    return "partial" if stop.acked or any(step.has_stopped for step in stop.services) else "unverified"
