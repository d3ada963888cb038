"""What a trigger is told: S1's configuration, by our names or by S1's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from core.messages import FreeText, Identifier, Message, SelectorField
from core.triggers.sample import Metric, Number
from opsgate.order import Level
from opsgate.selector import IDENTIFIER, Selector

TypeName = Literal[
    "health_score_critical",
    "account_suspension_risk",
    "detection_event_critical",
    "rate_limit_violation",
    "behavioral_anomaly_severe",
    "authentication_failure",
    "proxy_failure_cascade",
    "manual_trigger",
    "time_based_trigger",
    "custom_rule_trigger",
    "system_resource_critical",
    "external_api_failure",
]

ALL_SERVICES: Final = "all"
"""S1's word for a trigger that stops whatever there is."""

_S1: Final[Mapping[str, str]] = {
    "triggerType": "trigger_type",
    "accountId": "account_id",
    "isActive": "is_active",
    "timeWindow": "time_window_ms",
    "cooldownPeriod": "cooldown_period_ms",
    "stopLevel": "stop_level",
    "targetServices": "target_services",
    "notificationChannels": "notification_channels",
}
"""S1's spelling of a field, and ours."""


class Schedule(Message):
    """A time that comes again: five fields of cron in an IANA time zone."""

    cron: Annotated[str, StringConstraints(max_length=100)]
    zone: Annotated[str, StringConstraints(max_length=64)] = "UTC"


class TriggerFields(Message):
    """What both the command and the journal say of a trigger.

    ``clear`` is where each threshold lets go again (hysteresis); one that is left out lets go where it fires. ``scope``
    narrows what is stopped to this work, ``metrics`` is what a rule listens to, ``absent_after_ms`` fires when no
    sample has come for so long.
    """

    name: Identifier
    trigger_type: TypeName
    title: FreeText = ""
    description: FreeText = ""
    account_id: Identifier | None = None
    is_active: bool = True
    thresholds: Annotated[dict[Identifier, Number], Field(max_length=20)] = Field(default_factory=dict)
    clear: Annotated[dict[Identifier, Number], Field(max_length=20)] = Field(default_factory=dict)
    time_window_ms: Annotated[int, Field(ge=1_000, le=86_400_000)] = 60_000
    cooldown_period_ms: Annotated[int, Field(ge=0, le=7 * 86_400_000)] = 300_000
    priority: Annotated[int, Field(ge=1, le=4)] = 2
    stop_level: Level = "graceful"
    target_services: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=1000)] = (ALL_SERVICES,)
    scope: Annotated[tuple[SelectorField, ...], Field(max_length=1000)] = ()
    notification_channels: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    min_samples: Annotated[int, Field(ge=1, le=1000)] = 1
    absent_after_ms: Annotated[int, Field(ge=1_000, le=86_400_000)] | None = None
    auto_recover: bool = False
    shadow: bool = False
    rule: Annotated[str, StringConstraints(max_length=500)] = ""
    metrics: Annotated[tuple[Metric, ...], Field(max_length=20)] = ()
    schedule: Schedule | None = None


class Definition(TriggerFields):
    """A trigger as it stands in the journal and in the state."""

    def selectors(self) -> tuple[Selector, ...]:
        """The work that it stops: the scope, of its account, of each of its services."""
        account = {} if self.account_id is None else {"account": self.account_id}
        services: tuple[dict[str, str], ...] = ({},)
        if ALL_SERVICES not in self.target_services:
            services = tuple({"service": name} for name in self.target_services)
        scopes = [selector.as_dict() for selector in self.scope] or [{}]
        pairs = [scope | account | service for scope in scopes for service in services]
        return tuple(dict.fromkeys(map(Selector.from_mapping, pairs)))


def from_s1(said: Mapping[str, Any]) -> dict[str, Any]:
    """S1's spelling of a trigger in ours. A name that is free text becomes its title, and the name is made from it."""
    ours = {_S1.get(key, key): value for key, value in said.items()}
    name = ours.get("name")
    if isinstance(name, str) and not IDENTIFIER.fullmatch(name):
        ours.setdefault("title", name)
        ours["name"] = "-".join(re.findall(r"[A-Za-z0-9]+", name)).lower()[:128]
    return ours
