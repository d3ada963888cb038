"""The health of an account has fallen too low."""

from core.triggers.kinds import Threshold, TriggerType

TYPE = TriggerType(
    "health_score_critical",
    "the health score of an account falls below the threshold",
    (Threshold("healthScore", "healthScore", "below", "last", 0, 100, "%", "lowest health score that is healthy"),),
)
