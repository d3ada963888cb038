"""S1's figures of how stops and recoveries went: what its ``getSystemStatus().metrics`` says, from the state alone.

They are about the emergencies that the state has: all that are active, and the latest that have ended.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from core.state import State


@dataclass(frozen=True, slots=True)
class Figures:
    """``total_triggers`` is how often triggers fired; a stop is successful when it was verified, and failed when it was
    not; a recovery is successful when it ended its emergency, and failed when a step of it did, or when it was turned
    back and left something running. One that a person or a stop turned back is neither."""

    active_triggers: int
    active_emergencies: int
    total_triggers: int
    successful_stops: int
    failed_stops: int
    average_stop_time_ms: float | None
    successful_recoveries: int
    failed_recoveries: int

    @property
    def recovery_success_rate(self) -> float | None:
        """The share of recoveries that were successful; None where there was none."""
        tried = self.successful_recoveries + self.failed_recoveries
        return self.successful_recoveries / tried if tried else None

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        rate = self.recovery_success_rate
        return asdict(self) | {"recovery_success_rate": None if rate is None else round(rate, 4)}


def figures(state: State) -> Figures:
    """The figures of a state. The average is over every stop that has a result: an unverified one took its time too."""
    concluded = [stop for stop in state.stops.values() if stop.result != "pending"]
    verified = sum(stop.result == "verified" for stop in concluded)
    took = [stop.took_ms for stop in concluded if stop.took_ms is not None]
    cases = state.emergencies.values()
    return Figures(
        active_triggers=sum(trigger.definition.is_active for trigger in state.triggers.values()),
        active_emergencies=len(state.active),
        total_triggers=sum(trigger.fired for trigger in state.triggers.values()),
        successful_stops=verified,
        failed_stops=len(concluded) - verified,
        average_stop_time_ms=round(sum(took) / len(took), 1) if took else None,
        successful_recoveries=sum(case.status == "ended" for case in cases),
        failed_recoveries=sum(case.failed_recoveries for case in cases),
    )
