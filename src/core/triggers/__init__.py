"""Triggers: what stops work by itself, and when. Pure: samples and times go in, edges come out.

One small value for each of S1's twelve types stands in a module of its name; this registry is all that knows them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.triggers import (
    account_suspension_risk,
    authentication_failure,
    behavioral_anomaly_severe,
    custom_rule_trigger,
    detection_event_critical,
    external_api_failure,
    health_score_critical,
    manual_trigger,
    proxy_failure_cascade,
    rate_limit_violation,
    system_resource_critical,
    time_based_trigger,
)
from core.triggers.kinds import TriggerType

TYPES: Final[Mapping[str, TriggerType]] = {
    module.TYPE.name: module.TYPE
    for module in (
        health_score_critical,
        account_suspension_risk,
        detection_event_critical,
        rate_limit_violation,
        behavioral_anomaly_severe,
        authentication_failure,
        proxy_failure_cascade,
        manual_trigger,
        time_based_trigger,
        custom_rule_trigger,
        system_resource_critical,
        external_api_failure,
    )
}
"""The types of trigger, by S1's names and in its order."""
