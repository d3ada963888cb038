"""How long the workers of a stop took to stop, from the order to the acknowledgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class AckTimes:
    """Half of ``of`` workers had acknowledged after ``p50_s`` seconds, 95 % of them after ``p95_s``, and ``slowest``
    was the last. Those of whom nobody can say when they did are not among them."""

    of: int
    p50_s: float
    p95_s: float
    slowest_s: float
    slowest: str


def ack_times(took_s: Mapping[str, float]) -> AckTimes | None:
    """The distribution of the seconds that each worker took; None of nobody."""
    if not took_s:
        return None
    ranked = sorted((seconds, worker) for worker, seconds in took_s.items())
    p50_s, p95_s = (ranked[ceil(len(ranked) * share) - 1][0] for share in (0.5, 0.95))
    return AckTimes(len(ranked), p50_s, p95_s, *ranked[-1])
