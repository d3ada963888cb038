"""Metrics, as Prometheus reads them: what is counted as it happens. What is so now is read by `gauges.py`."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.registry import Collector

from backends.server.propagation import Leg
from core.capabilities.conclusion import StopConcluded
from core.capabilities.course import EmergencyEnded
from core.engine import CommandRefused
from core.messages import Recorded
from core.ports import Arrival
from core.state import State
from opsgate.evaluate import Verdict

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_PROPAGATION_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_REQUEST_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """All that one server counts."""

    def __init__(self, gauges: Collector) -> None:
        """``gauges`` reads what is so now."""
        self._registry = CollectorRegistry()
        self._registry.register(gauges)
        requests = Histogram(
            "opsconsole_http_request_duration_seconds",
            "Requests by route and status; streams are not among them.",
            ("method", "route", "status"),
            buckets=_REQUEST_SECONDS,
            registry=self._registry,
        )
        self._series = lru_cache(maxsize=1024)(requests.labels)
        self.checks = Counter(
            "opsconsole_check",
            "Decisions that this server was asked for.",
            ("result", "blocked_by"),
            registry=self._registry,
        )
        self._stops = Histogram(
            "opsconsole_stop_duration_seconds",
            "From the order of a stop to its result.",
            ("level", "result"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._propagation = Histogram(
            "opsconsole_propagation_seconds",
            "From a decision until all streams were sent it, a worker said that it knows, or obeys, it.",
            ("leg",),
            buckets=_PROPAGATION_SECONDS,
            registry=self._registry,
        )
        self._recoveries = Counter(
            "opsconsole_recovery",
            "Emergencies that were ended, and recoveries that were refused.",
            ("result",),
            registry=self._registry,
        )
        self._refused = Counter(
            "opsconsole_refused", "Commands that the engine refused.", ("command", "code"), registry=self._registry
        )

    def arrived(self, arrival: Arrival) -> None:
        """Count what has happened in the fleet."""
        for recorded in arrival.events:
            self._count(recorded, arrival.state)

    def requested(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count one request."""
        self._series(method, route, status).observe(took_s)

    def decided(self, verdict: Verdict) -> None:
        """Count one decision."""
        by = verdict.blockers[0].source if verdict.blockers else ""
        self.checks.labels(verdict.outcome, by).inc()

    def propagated(self, leg: Leg, took_s: float) -> None:
        """Count how long one piece of news took."""
        self._propagation.labels(leg).observe(took_s)

    def page(self) -> bytes:
        """All of it as text."""
        return generate_latest(self._registry)

    def _count(self, recorded: Recorded, state: State) -> None:
        match recorded.event:
            case StopConcluded(stop_id=stop_id, result=result) if stop_id in state.stops:
                stop = state.stops[stop_id]
                took_s = (recorded.header.at - stop.ordered_at).total_seconds()
                self._stops.labels(stop.level, result).observe(max(0.0, took_s))
            case EmergencyEnded():
                self._recoveries.labels("ended").inc()
            case CommandRefused(command=command, code=code):
                self._refused.labels(command, code).inc()
                if command == "recover":
                    self._recoveries.labels("refused").inc()
