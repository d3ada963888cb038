"""Recoveries that begin by themselves: of which emergencies and when, by the state and the clock alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from core.capabilities.recovery import Recover, why_not_automatic
from core.state import Emergency, State

RETRY_AFTER: Final = timedelta(seconds=60)
"""How long an automatic recovery waits after one that failed, and after the stop."""


def automatic_recoveries(state: State, at: datetime) -> Iterator[Recover]:
    """The recoveries to begin now: where every trigger said so in advance and has come back since."""
    for emergency in state.active_emergencies():
        if not why_not_automatic(state, emergency) and _has_settled(state, emergency, at):
            triggers = {state.stops[stop_id].trigger for stop_id in emergency.stop_ids}
            reason = f"{', '.join(sorted(triggers))} came back"
            yield Recover(emergency_id=emergency.emergency_id, reason=reason[:300], automatic=True)


def _has_settled(state: State, emergency: Emergency, at: datetime) -> bool:
    """Whether all of it has been stopped for a while, and the try before lies a while back."""
    stops = [state.stops[stop_id] for stop_id in emergency.stop_ids]
    ends = [stop.concluded_at for stop in stops]
    if emergency.recovery is not None:
        ends.append(emergency.recovery.ended_at)
    return all(end is not None and end + RETRY_AFTER <= at for end in ends) and all(
        stop.result == "verified" for stop in stops
    )
