"""Instances of Unleash clients: which were heard of, and what they found their toggles to be.

They are no workers: nobody of them acknowledges a stop, and none is waited for. Their counts are proof of who asked for
what, kept by the server that was told, and shown by its metrics and beside the workers.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from core.ports import AskingClient
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


class _Heard(NamedTuple):
    at_s: float
    on: int
    off: int


class Instances:
    """What clients said of themselves. From any thread."""

    def __init__(self) -> None:
        self._heard: OrderedDict[tuple[str, str], _Heard] = OrderedDict()
        self._counts: Counter[_Counted] = Counter()
        self._lock = threading.Lock()

    def heard(self, app: str, instance: str, found: Mapping[str, tuple[int, int]] | None = None) -> None:
        """An instance registered, or says of each flag how often it was found on and off."""
        app, instance = app[:_NAME_MAX], instance[:_NAME_MAX]
        with self._lock:
            before = self._heard.get((app, instance), _Heard(0.0, 0, 0))
            on, off = (sum(counts) for counts in zip((0, 0), *(found or {}).values(), strict=True))
            self._heard[app, instance] = _Heard(elapsed_s(), before.on + on, before.off + off)
            self._heard.move_to_end((app, instance))
            if len(self._heard) > INSTANCES_MAX:
                self._heard.popitem(last=False)
            for flag, (on, off) in (found or {}).items():
                self._count(_Counted(app, flag, "on"), on)
                self._count(_Counted(app, flag, "off"), off)

    def rows(self, now: datetime) -> tuple[AskingClient, ...]:
        """Each instance, by name."""
        now_s = elapsed_s()
        with self._lock:
            heard = sorted(self._heard.items())
        return tuple(
            AskingClient(app, instance, now - timedelta(seconds=max(0.0, now_s - said.at_s)), said.on, said.off)
            for (app, instance), said in heard
        )

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
            heard, counts = tuple(self._heard.items()), tuple(self._counts.items())
        for labels, said in heard:
            ages.add_metric(labels, max(0.0, now_s - said.at_s))
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
