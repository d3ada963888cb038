"""Instances of Unleash clients: which were heard of, and what they found their toggles to be.

They are no workers: nobody of them acknowledges a stop, and none is waited for. Their counts are proof of who asked for
what, kept by the server that was told and shown by its metrics.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from opsgate.clock import elapsed_s

INSTANCES_MAX: Final = 1000
"""Instances that are remembered; who was not heard of for longest is forgotten first."""

_COUNTS_MAX: Final = 2000
"""Counts by application, flag and result. What comes beyond is counted without its names."""

_NAME_MAX: Final = 100


class _Counted(NamedTuple):
    app: str
    flag: str
    result: str


class Instances:
    """What clients said of themselves. From any thread."""

    def __init__(self) -> None:
        self._heard_s: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._counts: Counter[_Counted] = Counter()
        self._lock = threading.Lock()

    def heard(self, app: str, instance: str, found: Mapping[str, tuple[int, int]] | None = None) -> None:
        """An instance registered, or says of each flag how often it was found on and off."""
        app, instance = app[:_NAME_MAX], instance[:_NAME_MAX]
        with self._lock:
            self._heard_s[app, instance] = elapsed_s()
            self._heard_s.move_to_end((app, instance))
            if len(self._heard_s) > INSTANCES_MAX:
                self._heard_s.popitem(last=False)
            for flag, (on, off) in (found or {}).items():
                self._count(_Counted(app, flag, "on"), on)
                self._count(_Counted(app, flag, "off"), off)

    def collect(self) -> Iterator[Metric]:
        """The families of metrics."""
        now_s = elapsed_s()
        ages = GaugeMetricFamily(
            "opsconsole_client_age_seconds", "Since an Unleash client was last heard of.", labels=["app", "instance"]
        )
        counted = CounterMetricFamily(
            "opsconsole_client_evaluations", "What Unleash clients found.", labels=["app", "flag", "result"]
        )
        with self._lock:
            heard, counts = tuple(self._heard_s.items()), tuple(self._counts.items())
        for labels, heard_s in heard:
            ages.add_metric(labels, max(0.0, now_s - heard_s))
        for counter, number in counts:
            counted.add_metric(counter, number)
        yield ages
        yield counted

    def _count(self, counter: _Counted, number: int) -> None:
        if not number:
            return
        if counter not in self._counts and len(self._counts) >= _COUNTS_MAX:
            counter = counter._replace(app="", flag="")
        self._counts[counter] += number
