"""An account is about to be suspended."""

from core.triggers.kinds import Threshold, TriggerType

TYPE = TriggerType(
    "account_suspension_risk",
    "the risk that an account is suspended exceeds the threshold",
    (Threshold("riskScore", "riskScore", "above", "last", 0, 100, "%", "highest risk that is taken"),),
)
