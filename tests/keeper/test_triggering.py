"""Samples on their way to the keeper's triggers: from a gate, from the host, and what a gate counts by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backends.keeper.cases import Answered
from backends.keeper.measuring import METRICS, Measuring, Most
from backends.keeper.room import EngineRoom, now
from backends.keeper.triggering import Clerk
from core.capabilities.triggers import AddTrigger, RemoveTrigger
from core.messages import Actor, Envelope
from core.triggers.sample import Sample
from opsgate import Gate
from opsgate.order import Order
from opsgate.samples import Tally, sample_of
from opsgate.selector import Selector
from tests.support.fleets import say
from tests.support.waiting import eventually


@pytest.fixture
def room(tmp_path: Path) -> Iterator[EngineRoom]:
    made = EngineRoom(f"sqlite:///{tmp_path / 'fleet.db'}", create=True)
    made.start()
    yield made
    made.close("the test is over")


def add(room: EngineRoom, command: AddTrigger) -> None:
    actor = Actor(name="ana")
    room.runtime.submit(Envelope(command_id=f"c-{command.name}", actor=actor, door="test", command=command))
    eventually(lambda: command.name in room.runtime.latest().triggers)


HEALTH = AddTrigger(
    name="health",
    trigger_type="health_score_critical",
    thresholds={"healthScore": 30},
    account_id="a1",
    stop_level="immediate",
)


def test_what_a_gate_measures_stops_the_work_that_it_is_asked_for(room: EngineRoom) -> None:
    add(room, HEALTH)
    with Gate.open(room.runtime.url, worker="w1") as gate:
        eventually(lambda: gate.sample("healthScore", 12.5, account="a1") and not gate.allowed(account="a1"))
        assert gate.allowed(account="a2")
    eventually(lambda: room.runtime.latest().triggers["health"].fired == 1)


def test_a_stop_that_a_trigger_fired_is_that_triggers_from_the_first(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is told that the emergency began is told what fired it: nobody puts it right afterwards."""
    add(room, HEALTH)
    eventually(lambda: room.triggers.listens("healthScore"))
    monkeypatch.setattr(Clerk, "put", lambda _clerk, _envelope: None)  # it comes too late

    room.triggers.put([Sample("healthScore", now().at.timestamp(), 12.5, "a1")])

    eventually(lambda: room.runtime.latest().active_emergencies())
    (emergency,) = room.runtime.latest().active_emergencies()
    assert (emergency.trigger, emergency.account) == ("health", "a1")
    eventually(lambda: room.runtime.latest().triggers["health"].fired == 1)


def test_a_stop_is_recorded_though_the_trigger_that_fired_it_is_gone(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(room, HEALTH)
    eventually(lambda: room.triggers.listens("healthScore"))
    take = room.desk.take

    def removed_first(order: Order, answered: Answered) -> None:
        room.runtime.submit(say(RemoveTrigger(trigger="health")))
        take(order, answered)

    monkeypatch.setattr(room.desk, "take", removed_first)

    room.triggers.put([Sample("healthScore", now().at.timestamp(), 12.5, "a1")])

    eventually(lambda: room.runtime.latest().active_stops())
    (stop,) = room.runtime.latest().active_stops()
    assert (stop.ordered_by, stop.level) == ("trigger:health", "immediate")


def measuring_of(listens: Callable[[str], bool], most: Most) -> Measuring:
    return Measuring(lambda _samples: None, listens, now, every_s=1, place=Path("/"), most=most)


def test_what_the_host_has_left_is_a_sample_where_somebody_listens() -> None:
    measuring = measuring_of(lambda metric: metric != "cpuUsage", Most(1e15, 100))

    samples = measuring.measure()

    assert [sample.metric for sample in samples] == [metric for metric in METRICS if metric != "cpuUsage"]
    assert all(sample.value > 0 for sample in samples)


def test_what_is_used_beyond_what_was_set_is_said_as_it_begins_and_as_it_ends(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at its edge is not said again and again: a strain is over well below what was set."""
    measuring, used = measuring_of(lambda _metric: False, Most(100.0, 80.0)), {"memoryUsage": 90.0, "cpuUsage": 10.0}
    monkeypatch.setattr(measuring, "_value", used.__getitem__)
    said = []
    with caplog.at_level("INFO"):
        for memory in (90.0, 101.0, 99.0, 102.0, 80.0):
            used["memoryUsage"] = memory
            assert measuring.measure() == []
            said.append(measuring.strains)

    assert said == [
        (),
        ("memoryUsage is 101, and was to stay below 100",),
        ("memoryUsage is 99, and was to stay below 100",),
        ("memoryUsage is 102, and was to stay below 100",),
        (),
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_refusals_are_counted_and_told_as_a_sum() -> None:
    told: list[tuple[str, float]] = []
    tally = Tally(lambda metric, number: told.append((metric, number)))
    for _ in range(5):
        tally.count("refusals")
    assert told == []

    tally._told_s -= 10
    tally.count("refusals")
    assert told == [("refusals", 6)]


@pytest.mark.parametrize(("metric", "value", "account"), [("a b", 1, None), ("a", float("nan"), None), ("a", 1, "b c")])
def test_what_is_no_sample_is_the_callers_fault(metric: str, value: float, account: str | None) -> None:
    with pytest.raises(ValueError, match=r"no name of a metric|ends|not a valid account"):
        sample_of(metric, value, account, None)


def test_a_limit_that_is_used_up_is_a_violation_that_triggers_see(room: EngineRoom) -> None:
    violated = AddTrigger(
        name="violated",
        trigger_type="rate_limit_violation",
        thresholds={"violations": 2},
        scope=(Selector.of(account="a1"),),
    )
    add(room, violated)

    eventually(lambda: room.triggers.listens("rateLimitViolations"))
    for _ in range(2):
        room.used_up("sites")

    eventually(lambda: room.runtime.latest().triggers["violated"].fired == 1)
    assert "violations 2" in room.runtime.latest().triggers["violated"].value
