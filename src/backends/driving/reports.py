"""Reports: what was done about services, and how they were seen to stand. Kept in order until somebody takes them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from backends.drivers.base import Action, Result, Standing

KEPT_MAX: Final = 20_000
"""Reports kept while nobody takes them; the oldest go first. What a service is doing now is reported again."""


@dataclass(frozen=True, slots=True)
class Report:
    """One thing about one service. ``standing`` is None where nobody looked or could see."""

    service: str
    stop_id: str
    action: Action | Literal["observe"]
    outcome: Result
    standing: Standing | None
    detail: str = ""
    took_s: float = 0.0
    saved: str = ""


class Reports:
    """A queue of them, for any thread."""

    def __init__(self) -> None:
        self.told: Callable[[], None] = lambda: None
        """Called when there is a new one; must return at once."""
        self._waiting: deque[Report] = deque(maxlen=KEPT_MAX)
        self._lock = threading.Lock()

    def put(self, report: Report) -> None:
        """Keep it."""
        with self._lock:
            self._waiting.append(report)
        self.told()

    def of(self, stop_id: str, most: int) -> tuple[Report, ...]:
        """The oldest of one stop."""
        with self._lock:
            return tuple(report for report in self._waiting if report.stop_id == stop_id)[:most]

    def stops(self) -> tuple[str, ...]:
        """The stops that something waits for, the oldest first."""
        with self._lock:
            return tuple(dict.fromkeys(report.stop_id for report in self._waiting))

    def taken(self, reports: tuple[Report, ...]) -> None:
        """Let go of these: somebody has them for good."""
        gone = {id(report) for report in reports}
        with self._lock:
            left = [report for report in self._waiting if id(report) not in gone]
            self._waiting.clear()
            self._waiting.extend(left)
