"""Metric gates: what has to be true of what is measured before a recovery goes on, and while it is watched.

A gate looks at the samples that came since its step began, and no further back than its window: what was measured
while everything stood still says nothing about what has come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Final, Literal, NamedTuple

Comparison = Literal["<", "<=", ">", ">="]

Measured = Literal["mean", "last", "least", "most"]
"""What is compared of the values that a gate looks at."""

Missing = Literal["wait", "pass"]
"""What a gate says where there are fewer samples than it takes: that the step waits, for its time at most and then for
a person, or that it may go on."""

MISSING_MAX_S: Final = 600.0
"""Seconds without enough samples after which a gate has waited long enough, where nothing else is said."""

LOOKED_AT_MAX: Final = 1000
"""The latest samples that one gate looks at."""

_COMPARES: Final = {"<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass(frozen=True, slots=True)
class MetricGate:
    """``metric`` has to compare so with ``bound``, by at least ``min_samples`` samples of the last ``window_s``
    seconds; of one account, or of whomever. After ``timeout_s`` without enough of them a person has to say what next.
    """

    metric: str
    comparison: Comparison
    bound: float
    measure: Measured = "mean"
    window_s: float = 60.0
    min_samples: int = 1
    missing: Missing = "wait"
    account: str | None = None
    timeout_s: float = MISSING_MAX_S

    @property
    def name(self) -> str:
        """How it is called among the things that are looked at: ``err_rate < 0.01``."""
        of = "" if self.account is None else f" of {self.account}"
        measure = "" if self.measure == "mean" else f"{self.measure} "
        return f"{measure}{self.metric}{of} {self.comparison} {self.bound:g}"

    def since_s(self, step_at_s: float, now_s: float) -> float:
        """From when on samples count, where its step began at ``step_at_s``: seconds since the epoch, both."""
        return max(step_at_s, now_s - self.window_s)


class Found(NamedTuple):
    """What a gate found: None where there is too little to tell. ``value`` is what was compared."""

    is_well: bool | None
    value: float | None
    detail: str


def judged(gate: MetricGate, values: Sequence[float]) -> Found:
    """What these values, the latest last, say to a gate."""
    if len(values) < max(1, gate.min_samples):
        some = f"{len(values)} of {max(1, gate.min_samples)} samples"
        return Found(True, None, f"{some}, and may pass") if gate.missing == "pass" else Found(None, None, some)
    value = _measured(gate.measure, values)
    return Found(_COMPARES[gate.comparison](value, gate.bound), value, f"{value:g} by {len(values)} samples")


def _measured(measure: Measured, values: Sequence[float]) -> float:
    match measure:
        case "mean":
            return sum(values) / len(values)
        case "last":
            return values[-1]
        case "least":
            return min(values)
        case "most":
            return max(values)
