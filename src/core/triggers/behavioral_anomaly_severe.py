"""An account behaves as it never did."""

from core.triggers.kinds import Threshold, TriggerType

TYPE = TriggerType(
    "behavioral_anomaly_severe",
    "the anomaly score of an account exceeds the threshold",
    (Threshold("anomalyScore", "anomalyScore", "above", "last", 0, 100, "%", "highest score that is ordinary"),),
)
