"""Gauges, as Prometheus reads them: what the fleet is doing now, read when it is asked for.

A state is a set of samples of which exactly one is 1, named by a label that is called as the family is.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, StateSetMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from backends.keeper.room import EngineRoom
from backends.server.certificate import Certificate
from backends.server.instances import Instances
from core.figures import figures
from core.policy import run_state
from core.state import State
from opsgate.clock import elapsed_s
from opsgate.hold import Hold
from opsgate.view import View

SHOWN_MAX: Final = 1000
"""Single scopes or workers that one family lists at most: a page of metrics is read every few seconds."""


class Gauges(Collector):
    """What is so now, read when it is asked for."""

    def __init__(
        self,
        room: EngineRoom,
        view: Callable[[], View],
        streams: Callable[[], Mapping[str, int]],
        instances: Instances,
        certificate: Certificate | None,
    ) -> None:
        """``view`` is what decides now, ``streams`` says how many listen, by the name of their stream."""
        self._room = room
        self._view = view
        self._streams = streams
        self._instances = instances
        self._certificate = certificate

    def describe(self) -> list[Metric]:
        """Nothing: the families are known when they are collected."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        room = self._room
        state, table = room.runtime.latest(), self._view().table
        yield InfoMetricFamily("opsconsole_fleet", "The fleet behind this server.", {"fleet": state.fleet})
        yield _states("opsconsole_fleet_state", "What the journal says of the fleet.", run_state(state), _RUN)
        yield _number("opsconsole_revision", "The last event of the journal that this server knows.", state.revision)
        yield _holds(table.holds)
        yield _paused(table.holds)
        yield from self._workers(state)
        yield from _figures(state)
        yield _number("opsconsole_stops_unrecorded", "Stops in force that no journal has.", len(room.desk.unrecorded))
        yield _states("opsconsole_database_state", "The database, as this server finds it.", room.database_word, _DATA)
        contact = room.runtime.contact()
        yield _number("opsconsole_database_contact_age_seconds", "Since the database last answered.", contact.age_s)
        yield _number("opsconsole_leader", "Whether this server runs the loops.", float(room.leads()))
        streams = GaugeMetricFamily("opsconsole_streams", "Open streams.", labels=["stream"])
        for name, number in self._streams().items():
            streams.add_metric([name], number)
        yield streams
        if self._certificate is not None:
            left = self._certificate.days_left()
            yield _number("opsconsole_certificate_days_left", "Until the certificate of this server expires.", left)
        yield _told(self._room.notifying.outcomes)
        yield from self._instances.collect()

    def _workers(self, state: State) -> Iterator[Metric]:
        now_s, entries = elapsed_s(), self._room.roster.entries
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


def _figures(state: State) -> Iterator[Metric]:
    """S1's: of all emergencies that are active, and of the latest that have ended."""
    found = figures(state)
    yield _number("opsconsole_triggers_active", "Triggers that are switched on.", found.active_triggers)
    yield _number("opsconsole_emergencies_active", "Emergencies that are active.", found.active_emergencies)
    yield _number("opsconsole_triggers_fired", "How often the triggers there are have fired.", found.total_triggers)
    yield _results("opsconsole_stops", "Stops with a result.", found.successful_stops, found.failed_stops)
    recoveries = (found.successful_recoveries, found.failed_recoveries)
    yield _results("opsconsole_recoveries", "Recoveries that are over.", *recoveries)
    if found.average_stop_time_ms is not None:
        average_s = found.average_stop_time_ms / 1000
        yield _number("opsconsole_stop_time_average_seconds", "From the order of a stop to its result.", average_s)
    if found.recovery_success_rate is not None:
        rate = found.recovery_success_rate
        yield _number("opsconsole_recovery_success_ratio", "Recoveries that ended their emergency.", rate)


def _results(name: str, help_text: str, successful: int, failed: int) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=["result"])
    family.add_metric(["successful"], successful)
    family.add_metric(["failed"], failed)
    return family


def _told(outcomes: Tally[tuple[str, str]]) -> Metric:
    family = CounterMetricFamily(
        "opsconsole_notifications", "What became of messages to channels.", labels=["channel", "outcome"]
    )
    for (channel, outcome), number in sorted(outcomes.copy().items()):
        family.add_metric([channel, outcome], number)
    return family


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
