"""What a worker measures, on its way to the triggers: told without waiting, and lost where nobody takes it in a minute.

What is counted here is told now and then, as sums: how often the gate refused, and how often a piece of work failed.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable
from typing import Any, Final

from opsgate.clock import elapsed_s
from opsgate.selector import checked_identifier

REFUSALS: Final = "refusals"
"""The metric of pieces of work that the gate refused."""

FAILURES: Final = "workFailures"
"""The metric of pieces of work that ended by an exception."""

WAITING_MAX: Final = 1000
"""Samples of a worker that wait at most until somebody takes them; of more the oldest are lost."""

AGE_MAX_S: Final = 60.0
"""Seconds after which a sample that nobody took says nothing any more."""

TOLD_EVERY_S: Final = 5.0
_METRIC: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")


def sample_of(metric: str, value: float, account: str | None, source: str | None) -> dict[str, Any]:
    """A sample as it is told. Raises ValueError for what is none: the caller's fault."""
    if not _METRIC.fullmatch(metric):
        raise ValueError(f"{metric[:60]!a} is no name of a metric")
    if not math.isfinite(value):
        raise ValueError(f"{metric} is {value}: give a number that ends")
    said: dict[str, Any] = {"metric": metric, "value": float(value)}
    for name, of in (("account", account), ("source", source)):
        if of is not None:
            said[name] = checked_identifier(of, name)
    return said


class Tally:
    """Counts what happens, and has the sums told every few seconds, by whoever counts next."""

    def __init__(self, tell: Callable[[str, float], object]) -> None:
        self._tell = tell
        self._counts: dict[str, int] = {}
        self._told_s = elapsed_s()
        self._lock = threading.Lock()

    def count(self, metric: str) -> None:
        """One more."""
        with self._lock:
            self._counts[metric] = self._counts.get(metric, 0) + 1
            if elapsed_s() - self._told_s < TOLD_EVERY_S:
                return
            counts, self._counts, self._told_s = self._counts, {}, elapsed_s()
        for name, number in counts.items():
            self._tell(name, number)
