"""A sample: one number that somebody measured, and of whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple

from pydantic import Field, StringConstraints

from core.messages import Identifier, Message, Moment

METRIC_NAME: Final = "[A-Za-z_][A-Za-z0-9_.:-]{0,127}"

Metric = Annotated[str, StringConstraints(pattern=f"^{METRIC_NAME}$")]
"""The name of what is measured, as S1 spells it (``healthScore``) or as a monitoring system does."""

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]

_NO_LABELS: Final[Mapping[str, str]] = {}

AGE_MAX_S: Final = 86_400.0
"""Seconds after which a sample that was kept back says nothing any more."""


class Sample(NamedTuple):
    """One value of a metric, at ``at_s`` seconds since the epoch. ``account`` is whom it is about and ``source`` who
    measured it; either may be unknown.

    A tuple, because ten thousand of them may come within a second.
    """

    metric: str
    at_s: float
    value: float
    account: str | None = None
    labels: Mapping[str, str] = _NO_LABELS
    source: str = ""


class Reported(Message):
    """A sample as it is reported: how old it is instead of when it was, because the engine's clock decides."""

    metric: Metric
    value: Number
    account: Identifier | None = None
    source: Identifier | None = None
    age_s: Annotated[float, Field(ge=0, le=AGE_MAX_S)] = 0.0


class Input(Message):
    """A sample as the journal keeps it, with the evaluation that it mattered to."""

    metric: str
    value: float
    at: Moment
    account: str | None = None
    source: str = ""

    @classmethod
    def of(cls, sample: Sample) -> Input:
        """The same sample."""
        at = datetime.fromtimestamp(sample.at_s, UTC)
        return cls(metric=sample.metric, value=sample.value, at=at, account=sample.account, source=sample.source)
