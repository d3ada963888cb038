"""How long news takes is counted from the decision, and by nobody who was not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backends.server.propagation import Propagation
from core.capabilities.emergencies import OrderStop
from core.engine import step
from core.messages import Recorded
from core.ports import Arrival
from core.state import State
from opsgate.order import Order
from opsgate.selector import EVERYTHING
from tests.support.fleets import START, Clock, say, worker
from tests.support.serving import Served
from tests.support.waiting import eventually


class Counted:
    """A fleet with one stop, and what was counted of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.legs: list[tuple[str, float]] = []
        self.orders: dict[str, Order] = {}
        outcome = step(State(), say(OrderStop(stop_id="S-1", selectors=(EVERYTHING,))), START)
        self.state, self.events = outcome.state, outcome.events
        self.told = Propagation(
            lambda leg, took_s: self.legs.append((leg, took_s)),
            lambda: self.state,
            lambda: self.orders,
            now=self.clock,
        )
        self.told.arrived(Arrival(self.state, self.events))

    @property
    def last(self) -> Recorded:
        """The last event."""
        return self.events[-1]


def test_each_leg_is_counted_from_the_decision() -> None:
    counted = Counted()
    row = worker("w1", START)
    counted.clock.pass_(0.25)
    counted.told.sent(counted.last.revision)
    counted.clock.pass_(0.25)
    counted.told.heard(row, counted.last.revision, ())
    counted.told.heard(replace(row, revision=counted.last.revision), counted.last.revision, ("S-1",))

    assert counted.legs == [("sent", 0.25), ("known", 0.5), ("obeyed", 0.5)]


def test_a_stop_counts_from_its_order_while_no_journal_has_it() -> None:
    counted = Counted()
    counted.orders["S-2"] = Order("S-2", START - timedelta(seconds=1))
    counted.told.heard(worker("w1", START), 0, ("S-2", "S-unknown"))

    assert counted.legs == [("obeyed", 1.0)]


@pytest.mark.parametrize("late_s", [61.0, 3600.0])
def test_whoever_comes_later_counts_for_nothing(late_s: float) -> None:
    counted = Counted()
    counted.clock.pass_(late_s)
    counted.told.sent(counted.last.revision)
    counted.told.heard(worker("w1", START), counted.last.revision, ("S-1",))
    counted.told.heard(None, counted.last.revision, ("S-1",))

    assert not counted.legs


def test_a_clock_that_is_ahead_counts_as_no_time() -> None:
    counted = Counted()
    counted.clock.pass_(-1.0)
    counted.told.sent(counted.last.revision)

    assert counted.legs == [("sent", 0.0)]


def test_a_server_says_how_long_its_news_take(served: Served) -> None:
    beat = {"env": "", "pid": 7, "started": "a", "revision": 0, "stops": []}
    served.http.put("/v1/workers/w1", json=beat)
    with served.stream("/v1/gate/events") as events:
        next(events)
        served.command("place-hold", selectors=[{"account": "a1"}])
        eventually(lambda: 'opsconsole_propagation_seconds_count{leg="sent"}' in served.get("/metrics").text)
    served.http.put("/v1/workers/w1", json=beat | {"revision": served.revision})

    assert 'opsconsole_propagation_seconds_count{leg="known"} 1.0' in served.get("/metrics").text
