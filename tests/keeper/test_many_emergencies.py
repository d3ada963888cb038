"""What a keeper does at each event while hundreds of emergencies are in force: no more than while a few are.

Each sample that fires is an event. Work is counted as calls of functions, so that a busy machine changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType

import pytest

from backends.keeper.conclusions import Conclusions
from backends.keeper.health_rounds import at_rest
from backends.keeper.service_stops import ServiceStops
from core.capabilities.emergencies import OrderStop
from core.messages import Envelope
from core.triggers.evaluator import Evaluator
from opsgate.selector import Selector
from tests.keeper.parts import Parts
from tests.support.fleets import say

FEW, MANY = 10, 500
SPARE = 20
"""What a tree of so many more may be deeper; a walk over all of them is 490 calls or more."""


class Keeper:
    """The parts that look at every event, over a fleet in which so many accounts are stopped."""

    def __init__(self, emergencies: int) -> None:
        self.parts = Parts()
        self.parts.runtime.submit_together([(order(f"account{number}"), None) for number in range(emergencies)])
        self.services = ServiceStops(self.parts.office, self.parts.state.fleet, frozenset, lambda: True)
        self.conclusions = Conclusions(self.parts.office, lambda _deaf: None)
        self.evaluator = Evaluator(self.parts.state)
        self.look()

    def look(self) -> None:
        """What follows on an event."""
        state = self.evaluator.state = self.parts.runtime.latest()
        self.evaluator.counts()
        self.services.look()
        self.conclusions.turn(self.parts.now(), state)
        at_rest(state)


def order(account: str) -> Envelope:
    return say(OrderStop(stop_id=f"S-{account}", selectors=(Selector.of(account=account),), level="immediate"))


def calls(act: Callable[[], object]) -> int:
    """How many functions are called, in Python or from it."""
    count = 0

    def called(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture
def keepers(home: object) -> Iterator[tuple[Keeper, Keeper]]:
    few, many = Keeper(FEW), Keeper(MANY)
    yield few, many
    few.parts.close()
    many.parts.close()


def test_an_event_costs_a_keeper_the_same_however_many_emergencies_are_in_force(
    keepers: tuple[Keeper, Keeper],
) -> None:
    few, many = (
        (calls(partial(keeper.parts.runtime.submit, order("another"))), calls(keeper.look)) for keeper in keepers
    )
    assert many[0] < few[0] + SPARE
    assert many[1] < few[1] + SPARE
