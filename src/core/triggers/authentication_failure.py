"""Nobody gets in any more."""

from core.triggers.kinds import Threshold, TriggerType

TYPE = TriggerType(
    "authentication_failure",
    "so many attempts to authenticate fail within the window, or so large a share of them",
    (
        Threshold("failures", "authenticationFailures", "from", "sum", 1, 1e9, "failures", "failures too many"),
        Threshold("failureRate", "authenticationFailures", "from", "percent", 0, 100, "%", "share of failures"),
    ),
)
