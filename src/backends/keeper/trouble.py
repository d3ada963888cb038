"""How often in a row a channel did not take what it was told, and when that is tried again: later and later."""

from __future__ import annotations

import random
from typing import Final

_BACKOFF_S: Final = (1.0, 300.0)
"""Seconds to the next try: the first, and the longest. Each is twice the one before, and less by chance."""


class Trouble:
    """Of one channel. ``failures`` is 0 where it takes what it is told, and ``why`` empty."""

    def __init__(self) -> None:
        self.failures = 0
        self.why = ""
        self._again_at_s = 0.0

    def grows(self, why: str, now_s: float) -> float:
        """It failed once more; returns the seconds until it is tried again."""
        shortest_s, longest_s = _BACKOFF_S
        wait_s = min(longest_s, shortest_s * 2.0 ** min(self.failures, 20))
        wait_s *= random.uniform(0.5, 1.0)  # noqa: S311 (spread, no secret)
        self.failures, self.why, self._again_at_s = self.failures + 1, why, now_s + wait_s
        return wait_s

    def rest_s(self, now_s: float) -> float:
        """Seconds for which it is still left alone; 0 or less where it is not."""
        return self._again_at_s - now_s if self.failures else 0.0

    def ends(self) -> bool:
        """It took something; returns whether there was trouble before."""
        was, self.failures, self.why = bool(self.failures), 0, ""
        return was
