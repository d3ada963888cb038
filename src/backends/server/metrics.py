"""Metrics, as Prometheus reads them: what the fleet is doing, and how this server does.

A state is a set of samples of which exactly one is 1, named by a label that is called as the family is. What is read
from the fleet is read when it is asked for; only events and requests are counted as they happen.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, StateSetMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core.capabilities.conclusion import StopConcluded
from core.capabilities.course import EmergencyEnded
from core.engine import CommandRefused
from core.messages import Recorded
from core.policy import run_state
from core.ports import Arrival
from core.state import State
from opsgate.clock import elapsed_s
from opsgate.evaluate import Verdict
from opsgate.hold import Hold

if TYPE_CHECKING:
    from backends.server.engine import Engine

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

SHOWN_MAX: Final = 1000
"""Single scopes or workers that one family lists at most: a page of metrics is read every few seconds."""

_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_REQUEST_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """All that one server counts."""

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Fleet(engine))
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


class _Fleet(Collector):
    """What is so now, read when it is asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list[Metric]:
        """Nothing: the families are known when they are collected."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        engine = self._engine
        state, room = engine.runtime.latest(), engine.room
        table = engine.view().table
        yield InfoMetricFamily("opsconsole_fleet", "The fleet behind this server.", {"fleet": state.fleet})
        yield _states("opsconsole_fleet_state", "What the journal says of the fleet.", run_state(state), _RUN)
        yield _number("opsconsole_revision", "The last event of the journal that this server knows.", state.revision)
        yield _holds(table.holds)
        yield _paused(table.holds)
        yield from self._workers(state)
        yield _number("opsconsole_stops_unrecorded", "Stops in force that no journal has.", len(room.desk.unrecorded))
        yield _states("opsconsole_database_state", "The database, as this server finds it.", room.database_word, _DATA)
        contact = engine.runtime.contact()
        yield _number("opsconsole_database_contact_age_seconds", "Since the database last answered.", contact.age_s)
        yield _number("opsconsole_leader", "Whether this server runs the loops.", float(room.leads()))
        streams = GaugeMetricFamily("opsconsole_streams", "Open streams.", labels=["stream"])
        streams.add_metric(["gate"], len(engine.gates.hub))
        streams.add_metric(["events"], len(engine.journal.hub))
        streams.add_metric(["flags"], len(engine.refetch.hub))
        yield streams
        yield from engine.instances.collect()

    def _workers(self, state: State) -> Iterator[Metric]:
        now_s, entries = elapsed_s(), self._engine.room.roster.entries
        lost = sum(worker.lost_at is not None for worker in state.workers.values())
        counted = GaugeMetricFamily("opsconsole_workers", "Workers of the fleet, by the journal.", labels=["state"])
        counted.add_metric(["live"], len(state.workers) - lost)
        counted.add_metric(["lost"], lost)
        yield counted
        unacked = GaugeMetricFamily(
            "opsconsole_workers_unacked", "Workers that have not acknowledged a stop in force.", labels=["stop_id"]
        )
        for stop in state.active_stops():
            unacked.add_metric([stop.stop_id], len(stop.unacked))
        yield unacked
        ages = GaugeMetricFamily(
            "opsconsole_state_age_seconds", "Since a worker was last heard of here.", labels=["worker"]
        )
        for worker_id, entry in sorted(entries.items())[:SHOWN_MAX]:
            if entry.is_live(now_s):
                ages.add_metric([worker_id], max(0.0, now_s - entry.heard_s))
        yield ages


_RUN: Final = ("running", "partly", "stopped")
_DATA: Final = ("here", "away", "gone")


def _holds(holds: Iterable[Hold]) -> Metric:
    tally = Tally((_scope_type(hold), hold.source) for hold in holds)
    family = GaugeMetricFamily("opsconsole_holds", "Holds in force.", labels=["scope", "source"])
    for (scope, source), number in sorted(tally.items()):
        family.add_metric([scope, source], number)
    return family


def _paused(holds: Iterable[Hold]) -> Metric:
    """The scopes that are held whole, the widest ones first."""
    held = {(_scope_type(hold), str(hold.selector)): len(hold.selector.items) for hold in holds if hold.admit <= 0.0}
    family = GaugeMetricFamily("opsconsole_paused", "What is held.", labels=["scope_type", "scope"])
    for scope_type, scope in sorted(held, key=lambda key: (held[key], key))[:SHOWN_MAX]:
        family.add_metric([scope_type, scope], 1)
    return family


def _scope_type(hold: Hold) -> str:
    return ",".join(hold.selector.dimensions) or "all"


def _number(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value)


def _states(name: str, help_text: str, word: str, words: Iterable[str]) -> Metric:
    return StateSetMetricFamily(name, help_text, {each: each == word for each in words})
