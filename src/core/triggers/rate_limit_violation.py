"""Work runs against a rate limit, ours or another's."""

from core.triggers.kinds import Threshold, TriggerType

TYPE = TriggerType(
    "rate_limit_violation",
    "so many violations of rate limits come within the window",
    (Threshold("violations", "rateLimitViolations", "from", "sum", 1, 1e9, "violations", "violations too many"),),
)
