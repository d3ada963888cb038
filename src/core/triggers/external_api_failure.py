"""Somebody whom the fleet depends on does not answer."""

from core.triggers.kinds import Threshold, TriggerType

TYPE = TriggerType(
    "external_api_failure",
    "so many calls fail within the window, so large a share of them, or they take so long",
    (
        Threshold("failures", "apiFailures", "from", "sum", 1, 1e9, "failures", "failures too many"),
        Threshold("failureRate", "apiFailures", "from", "percent", 0, 100, "%", "share of failures"),
        Threshold("responseTime", "apiResponseTime", "above", "mean", 0, 1e9, "ms", "mean time of an answer"),
    ),
)
