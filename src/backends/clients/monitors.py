"""Events of S1's monitors, by their own names: ``healthAlert``, ``preventiveMeasureTriggered``, ``ACCOUNT_SUSPENSION``.

The first two carry scores, which are samples; the third stops the account at once. Whatever else an event holds is
theirs.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, ConfigDict, Field

from core.capabilities.emergencies import OrderStop
from core.messages import Identifier, Message
from core.triggers import TYPES
from core.triggers.sample import Sample
from opsgate.selector import Selector

SUSPENSION: Final = "ACCOUNT_SUSPENSION"
_MEASURES: Final = "preventiveMeasures"

_METRICS: Final = frozenset(threshold.metric for kind in TYPES.values() for threshold in kind.thresholds)


class MonitorEvent(Message):
    """One event, by ``event`` or, as the realtime stream calls it, ``event_type``."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    event: Annotated[
        Literal["healthAlert", "preventiveMeasureTriggered", "ACCOUNT_SUSPENSION"],
        Field(validation_alias=AliasChoices("event", "event_type", "eventType")),
    ]
    account: Annotated[Identifier, Field(validation_alias=AliasChoices("accountId", "account_id", "account"))]
    event_id: Annotated[
        str | None, Field(max_length=200, validation_alias=AliasChoices("eventId", "event_id", "id"))
    ] = None
    data: dict[str, Any] = Field(default_factory=dict)


def samples_of(told: MonitorEvent, at_s: float) -> list[Sample]:
    """The scores that an event carries, at its top or in ``data``. ValueError where there are none to look at."""
    found = [Sample(metric, at_s, value, told.account) for metric, value in _scores(told)]
    if told.event == "preventiveMeasureTriggered":
        found.append(Sample(_MEASURES, at_s, 1.0, told.account))
    if not found:
        raise ValueError(f"{told.event} carries none of {', '.join(sorted(_METRICS))}")
    return found


def stop_of(told: MonitorEvent) -> OrderStop:
    """The stop of an account that was suspended: the same one for the same event."""
    known = hashlib.sha256(told.event_id.encode("utf-8", "replace")).hexdigest() if told.event_id else uuid.uuid4().hex
    return OrderStop(
        stop_id=f"S-suspension-{known[:32]}",
        selectors=(Selector.of(account=told.account),),
        reason="Account suspension detected",
        account=told.account,
    )


def _scores(told: MonitorEvent) -> Iterator[tuple[str, float]]:
    extra: Mapping[str, Any] = told.model_extra or {}
    for metric, value in {**extra, **told.data}.items():
        if metric in _METRICS and isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
            yield metric, float(value)
