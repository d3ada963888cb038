"""A burst: what may wait does so for a moment, and is told with what comes right behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from core.notices import Notice

GATHER_S: Final = 2.0
"""Seconds for which it waits."""


class Burst:
    """What one channel gathers, if it does so now."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self.read_to = 0
        """How far the journal was looked at for it."""

    @property
    def gathers(self) -> bool:
        """Whether others are waited for."""
        return self._since_s is not None

    def lasts(self, now_s: float) -> bool:
        """Whether they still are."""
        return self._since_s is not None and now_s - self._since_s < GATHER_S

    def takes(self, notices: Iterable[Notice], now_s: float) -> bool:
        """Whether these wait for others; otherwise they are to be told now, and the burst is over."""
        urgent = [notice.urgent for notice in notices]
        if urgent and not any(urgent) and (self._since_s is None or self.lasts(now_s)):
            self._since_s = now_s if self._since_s is None else self._since_s
            return True
        self._since_s = None
        return False
