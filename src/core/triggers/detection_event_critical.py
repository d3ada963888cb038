"""Somebody has noticed that the fleet is a fleet."""

from core.triggers.kinds import Threshold, TriggerType

TYPE = TriggerType(
    "detection_event_critical",
    "so many detection events, or one so severe, come within the window",
    (
        Threshold("detectionEvents", "detectionEvents", "from", "sum", 1, 1e9, "events", "events that are too many"),
        Threshold("severity", "detectionSeverity", "from", "last", 0, 100, "%", "severity of one that is too many"),
    ),
)
