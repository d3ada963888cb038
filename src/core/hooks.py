"""Events as programs outside are told of them, by the five names and the fields that S1 gave them.

Every event has a type; those that S1 names have its name for one: ``emergencyStarted``, ``emergencyCompleted``,
``recoveryCompleted``, ``triggerEvaluated`` and ``serviceStopAttempted``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from core import facts
from core.messages import EmergencyEvent, Recorded, ServiceEvent, StopEvent
from core.state import Emergency, State, Stop

NAMES: Final[Mapping[str, str]] = {
    "emergency.opened": "emergencyStarted",
    "stop.concluded": "emergencyCompleted",
    "emergency.ended": "recoveryCompleted",
    "recovery.rolled-back": "recoveryCompleted",
    "trigger.evaluated": "triggerEvaluated",
    "service.stop-attempted": "serviceStopAttempted",
}
"""Kind of event → S1's name."""

_PREFIX: Final = "opsconsole."


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is told: ``name`` is S1's, or the kind; ``subject`` is what it is about."""

    name: str
    subject: str
    data: Mapping[str, Any]
    recorded: Recorded

    @property
    def type(self) -> str:
        """Its type, as CloudEvents call it."""
        return f"{_PREFIX}{self.name}"


def told_of(recorded: Recorded, state: State) -> Told:
    """An event for programs. ``state`` is one that has it, this or any later one."""
    row = facts.event(recorded)
    kind = row["kind"]
    name = NAMES.get(kind, kind)
    return Told(name, _subject(recorded), row | _s1(name, row, recorded, state), recorded)


def _subject(recorded: Recorded) -> str:
    match recorded.event:
        case StopEvent(stop_id=subject) | EmergencyEvent(emergency_id=subject) | ServiceEvent(service=subject):
            return subject
    fields = recorded.event.model_dump(include={"hold_id", "name", "worker_id", "trigger", "token_id"})
    return str(next(iter(fields.values()), ""))


def _s1(name: str, row: Mapping[str, Any], recorded: Recorded, state: State) -> dict[str, Any]:
    """S1's own fields of an event that it names."""
    data = row["data"]
    stop = state.stops.get(data.get("stop_id", ""))
    emergency = state.emergencies.get(data.get("emergency_id") or (stop.emergency_id if stop else ""))
    own: dict[str, Any] = {}
    match name:
        case "emergencyStarted":
            own = {"stopLevel": data["level"], "reason": data["reason"]}
        case "emergencyCompleted":
            own = {"success": data["result"] == "verified", "executionDuration": _took_ms(recorded, stop)}
        case "recoveryCompleted":
            own = {"success": row["kind"] == "emergency.ended"}
        case "triggerEvaluated":
            own = {"triggerId": data.get("trigger"), "result": row["kind"].partition(".")[2]}
        case "serviceStopAttempted":
            own = {"serviceName": data["service"], "success": data["outcome"] == "done"}
        case _:
            return {}
    if emergency is not None:
        own |= {
            "emergencyId": emergency.emergency_id,
            "triggerType": trigger_type(emergency, state),
        }
        own |= {"accountId": emergency.account}
    return own | {"correlationId": row["correlation_id"]}


def trigger_type(emergency: Emergency, state: State) -> str:
    """S1's type of what began an emergency; of a trigger that is gone, its name."""
    trigger = state.triggers.get(emergency.trigger)
    return trigger.definition.trigger_type if trigger is not None else emergency.trigger or "manual_trigger"


def _took_ms(recorded: Recorded, stop: Stop | None) -> int | None:
    """From the order of a stop to what it came to; None where it was counted anew."""
    if stop is None or stop.recounted_revision:
        return None
    return round((recorded.header.at - stop.ordered_at).total_seconds() * 1000)
