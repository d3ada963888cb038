"""What this host has left, as samples: processors, memory, disk, and the memory of this process.

Looked at only where some trigger listens to it. Workers report their own; this is the host that the engine runs on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from backends.keeper.log import NAME
from backends.keeper.roster import Instant
from core.triggers.sample import Sample

_log = logging.getLogger(NAME)

METRICS: Final = ("cpuUsage", "memoryUsage", "memoryPercent", "diskPercent")


class Measuring(threading.Thread):
    """Measures every ``every_s`` seconds until `close`."""

    def __init__(
        self,
        put: Callable[[list[Sample]], object],
        listens: Callable[[str], bool],
        now: Callable[[], Instant],
        *,
        every_s: float,
        place: Path,
    ) -> None:
        """``put`` takes the samples; ``place`` is on the disk that is looked at."""
        super().__init__(name="measuring", daemon=True)
        self._put = put
        self._listens = listens
        self._now = now
        self._every_s = every_s
        self._place = place
        self._process = psutil.Process()
        self._ending = threading.Event()

    def run(self) -> None:
        """The life of the thread."""
        psutil.cpu_percent()  # the next call says how much was used since this one
        while not self._ending.wait(self._every_s):
            try:
                samples = self.measure()
                if samples:
                    self._put(samples)
            except Exception:  # noqa: BLE001 (a host that cannot be measured once is measured the next time)
                _log.exception("this host could not be measured")

    def measure(self) -> list[Sample]:
        """What is listened to, now."""
        at_s, wanted = self._now().at.timestamp(), [metric for metric in METRICS if self._listens(metric)]
        return [Sample(metric, at_s, self._value(metric), source="engine") for metric in wanted]

    def _value(self, metric: str) -> float:
        match metric:
            case "cpuUsage":
                return float(psutil.cpu_percent())
            case "memoryUsage":
                return float(self._process.memory_info().rss)
            case "memoryPercent":
                return float(psutil.virtual_memory().percent)
            case _:
                return float(psutil.disk_usage(str(self._place)).percent)

    def close(self) -> None:
        """End the thread and wait for it."""
        self._ending.set()
        if self.is_alive():
            self.join(timeout=5)
