"""What this host has left, as samples: processors, memory, disk, and the memory of this process.

A sample only where some trigger listens to it. Workers report their own; this is the host that the engine runs on.
What is above what was set for it is logged as it begins and as it ends, and shown by `opsconsole doctor`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from backends.keeper.log import NAME
from backends.keeper.roster import Instant
from core.triggers.sample import Sample

_log = logging.getLogger(NAME)

METRICS: Final = ("cpuUsage", "memoryUsage", "memoryPercent", "diskPercent")

_WATCHED: Final = ("memoryUsage", "cpuUsage")
"""Those that are looked at always, in the order of `Most`."""


_AGAIN: Final = 0.9
"""The share of what was set at which a strain is over, so that one at its edge is not said again and again."""


class Most(NamedTuple):
    """Above what to warn: the memory of this process, and the processors of the host."""

    memory_bytes: float
    cpu_percent: float


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
        most: Most,
    ) -> None:
        """``put`` takes the samples; ``place`` is on the disk that is looked at; above ``most`` it warns."""
        super().__init__(name="measuring", daemon=True)
        self.strains: tuple[str, ...] = ()
        """What is used beyond what was set, each with how much that is."""
        self._put = put
        self._listens = listens
        self._now = now
        self._every_s = every_s
        self._place = place
        self._most = most
        self._strained: frozenset[str] = frozenset()
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
        """What is listened to, now. Warns."""
        at_s = self._now().at.timestamp()
        measured = {metric: self._value(metric) for metric in METRICS if metric in _WATCHED or self._listens(metric)}
        self._warn(measured)
        wanted = [metric for metric in measured if self._listens(metric)]
        return [Sample(metric, at_s, measured[metric], source="engine") for metric in wanted]

    def _warn(self, measured: Mapping[str, float]) -> None:
        most = dict(zip(_WATCHED, self._most, strict=True))
        over = {name for name in _WATCHED if measured[name] > most[name] * (_AGAIN if name in self._strained else 1.0)}
        for name in sorted(over ^ self._strained):
            log, says = (_log.warning, "is above") if name in over else (_log.info, "is below again")
            log(f"{name} {says} what was set for it", extra={"value": measured[name], "most": most[name]})
        self._strained = frozenset(over)
        self.strains = tuple(
            f"{name} is {measured[name]:.0f}, and was to stay below {most[name]:.0f}" for name in sorted(over)
        )

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
