"""Triggers: each type by its samples, and what becomes of an edge. No threads, no clock but the one a test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.capabilities.firing import ClearTrigger, FireTrigger
from core.capabilities.triggers import AddTrigger, BoundTriggers, RemoveTrigger, SetTrigger
from core.errors import NotPermitted
from core.messages import command_from
from core.state import Trigger
from core.triggers import TYPES
from core.triggers.clocks import last_due, next_due
from core.triggers.definition import Definition, Schedule, TypeName, from_s1
from core.triggers.evaluator import Evaluator, Fire, Moment, Report
from core.triggers.kinds import Threshold
from core.triggers.rules import compiled, fault_of_rule
from core.triggers.sample import Sample
from core.triggers.watch import Watch
from core.triggers.windows import Window
from opsgate.selector import Selector
from tests.specs.engine import BEGINNING, Engine, on

SITE = (on(site="s1"),)


class Room:
    """A fleet with an evaluator that hears of every event, as the keeper runs it."""

    def __init__(self, *, automatics: bool = True) -> None:
        self.engine = Engine()
        self.evaluator = Evaluator(self.engine.state, automatics, stop_id=self._stop_id)
        self._told = len(self.engine.journal)
        self._stops = 0
        self.fires: list[Fire] = []
        self.recorded = 0

    def _stop_id(self, name: str) -> str:
        self._stops += 1
        return f"S-{name}-{self._stops}"

    @property
    def now(self) -> Moment:
        return Moment(self.engine.now, (self.engine.now - BEGINNING).total_seconds() + 1000)

    def add(self, name: str = "health", **fields: Any) -> None:
        """A trigger of one site's health, unless said otherwise."""
        self.engine.do(trigger(name, **fields))
        self.tell()

    def tell(self) -> None:
        """The evaluator hears of what has happened since."""
        events = self.engine.journal[self._told :]
        self._told = len(self.engine.journal)
        self.evaluator.arrived(self.engine.state, events, self.now)

    def say(self, *values: float, metric: str = "healthScore", every_s: float = 0.0, **of: Any) -> list[str]:
        """Samples arrive, one after the other; the names of the triggers that fired."""
        names = []
        for value in values:
            self.engine.wait(every_s)
            sample = Sample(metric, self.engine.now.timestamp(), value, **of)
            names += self._carry_out(self.evaluator.take([sample], self.now))
        return names

    def sweep(self, after_s: float = 0.0) -> list[str]:
        """Time passes, and the evaluator looks."""
        self.engine.wait(after_s)
        return self._carry_out(self.evaluator.sweep(self.now))

    def _carry_out(self, fires: list[Fire]) -> list[str]:
        """What the keeper does: the stops at once, and what stops nothing in its turn."""
        self.fires += fires
        for edge, order in fires:
            self._record(
                FireTrigger(
                    trigger=edge.trigger,
                    stop_id=order.stop_id,
                    value=edge.value,
                    samples=edge.samples,
                    placed_at=order.ordered_at,
                )
            )
        for report in self.evaluator.reports(self.now):
            self._record(command_of(report))
        self.tell()
        return [fire.edge.trigger for fire in fires]

    def _record(self, command: FireTrigger | ClearTrigger) -> None:
        self.recorded += 1
        self.engine.do(command, by=f"trigger:{command.trigger}", kind="system")

    def recover(self) -> None:
        """A person recovers every emergency."""
        for each in self.engine.state.active_emergencies():
            scope = " or ".join(map(str, each.selectors))
            self.engine.recover(each.emergency_id, confirm=scope)
        self.tell()

    def trigger(self, name: str = "health") -> Trigger:
        return self.engine.state.triggers[name]

    def kinds(self) -> list[str]:
        """What happened to triggers, by kind."""
        return [r.event.kind.removeprefix("trigger.") for r in self.engine.journal if r.event.kind.startswith("trig")]


def command_of(report: Report) -> FireTrigger | ClearTrigger:
    edge = report.edge
    if not edge.crossed:
        return ClearTrigger(trigger=edge.trigger, value=edge.value, sampled=edge.sampled)
    return FireTrigger(trigger=edge.trigger, stop_id="S-none", value=edge.value, edges=report.edges)


def trigger(name: str = "health", **fields: Any) -> AddTrigger:
    said: dict[str, Any] = {"trigger_type": "health_score_critical", "scope": SITE}
    if fields.get("trigger_type", "health_score_critical") == "health_score_critical":
        said["thresholds"] = {"healthScore": 30}
    return AddTrigger(**({"name": name} | said | fields))


@pytest.fixture
def room() -> Room:
    return Room()


# --------------------------------------------------------------------------------- what holds for every type of sample

EVERY_THRESHOLD = [(kind.name, threshold) for kind in TYPES.values() for threshold in kind.thresholds]


def crossing(threshold: Threshold, at: float) -> list[dict[str, Any]]:
    """The fewest samples that cross."""
    if threshold.measure == "distinct":
        return [{"value": 1.0, "source": f"p{number}"} for number in range(int(at))]
    if threshold.measure == "percent":
        return [{"value": 1.0}]
    return [{"value": at - 1 if threshold.crosses == "below" else at + 1}]


def harmless(threshold: Threshold) -> float:
    return 100.0 if threshold.crosses == "below" else 0.0


@pytest.mark.parametrize(("type_name", "threshold"), EVERY_THRESHOLD, ids=lambda value: getattr(value, "name", value))
def test_every_threshold_of_every_type_fires_on_the_edge_and_once(type_name: str, threshold: Threshold) -> None:
    room, at = Room(), 3.0
    room.add("t", trigger_type=type_name, thresholds={threshold.name: at})
    assert room.say(harmless(threshold), metric=threshold.metric) == []

    room.sweep(120)
    fired = [
        name
        for sample in crossing(threshold, at)
        for name in room.say(sample.pop("value"), metric=threshold.metric, **sample)
    ]

    assert fired == ["t"]
    assert not room.engine.runs(site="s1")
    assert room.engine.runs(site="s2")
    again = [
        name
        for sample in crossing(threshold, at)
        for name in room.say(sample.pop("value"), metric=threshold.metric, **sample)
    ]
    assert again == []
    assert room.trigger("t").fired == 1
    assert threshold.name in room.trigger("t").value


@pytest.mark.parametrize(("type_name", "threshold"), EVERY_THRESHOLD, ids=lambda value: getattr(value, "name", value))
def test_every_threshold_is_cleared_by_what_is_harmless_or_by_time(type_name: str, threshold: Threshold) -> None:
    room, at = Room(), 3.0
    room.add("t", trigger_type=type_name, thresholds={threshold.name: at}, time_window_ms=60_000)
    for sample in crossing(threshold, at):
        room.say(sample.pop("value"), metric=threshold.metric, **sample)
    assert room.trigger("t").crossed_since is not None

    room.sweep(90)

    assert room.trigger("t").crossed_since is None
    assert room.kinds()[-2:] == ["evaluated", "cleared"]
    assert room.trigger("t").came_back_at is None, "nothing was heard of it: what has stopped sends nothing"

    room.say(harmless(threshold), metric=threshold.metric, every_s=2)

    assert room.trigger("t").came_back_at == room.engine.now
    assert room.kinds()[-3:] == ["cleared", "evaluated", "cleared"]


@pytest.mark.parametrize(("type_name", "threshold"), EVERY_THRESHOLD, ids=lambda value: getattr(value, "name", value))
def test_a_keeper_that_comes_after_another_one_waits_for_a_sample_too(type_name: str, threshold: Threshold) -> None:
    """One that was kept from before it began may be from before it crossed."""
    room, at = Room(), 3.0
    room.add("t", trigger_type=type_name, thresholds={threshold.name: at}, time_window_ms=60_000)
    for sample in crossing(threshold, at):
        room.say(sample.pop("value"), metric=threshold.metric, **sample)
    good = Sample(threshold.metric, room.engine.now.timestamp(), harmless(threshold))
    room.evaluator = Evaluator(room.engine.state)
    room.evaluator.begin(room.now)
    room.evaluator.refill([good], room.now)

    room.sweep(after_s=61)
    assert (room.trigger("t").crossed_since, room.trigger("t").came_back_at) == (None, None)
    room.say(harmless(threshold), metric=threshold.metric, every_s=2)
    assert room.trigger("t").came_back_at == room.engine.now


def test_what_fell_silent_has_come_back_when_a_good_value_of_the_same_account_came(room: Room) -> None:
    room.add(clear={"healthScore": 60}, time_window_ms=60_000)
    room.say(20, account="a1")
    room.sweep(after_s=61)

    room.say(90, account="a2")
    room.say(45, account="a1")
    assert room.trigger().came_back_at is None, "neither another account's, nor one between the two thresholds"

    room.say(60, account="a1", every_s=2)
    assert room.trigger().came_back_at is not None

    room.say(20, account="a1", every_s=2)
    assert room.trigger().came_back_at is None


def test_a_keeper_that_comes_after_another_one_waits_for_whoever_crossed(room: Room) -> None:
    """What was stopped sends nothing, and others are as well as they always were."""
    room.add(time_window_ms=60_000)
    room.say(20, account="a1")
    kept = [Sample("healthScore", room.engine.now.timestamp(), 20, account="a1")]
    room.sweep(after_s=600)
    room.evaluator = Evaluator(room.engine.state)
    room.evaluator.begin(room.now)
    room.evaluator.refill(kept, room.now)

    room.say(90, account="a2")
    assert room.trigger().came_back_at is None

    room.say(90, account="a1", every_s=2)
    assert room.trigger().came_back_at is not None


def test_few_samples_do_not_say_that_it_is_over(room: Room) -> None:
    metric = next(each.metric for each in TYPES["external_api_failure"].thresholds if each.measure == "percent")
    room.add(trigger_type="external_api_failure", thresholds={"failureRate": 50}, min_samples=3, time_window_ms=60_000)
    room.say(1, 1, 1, metric=metric)
    room.sweep(after_s=61)

    room.say(0, 0, metric=metric)
    assert room.trigger().came_back_at is None
    room.say(0, metric=metric, every_s=2)
    assert room.trigger().came_back_at is not None


def test_who_fell_silent_in_an_incident_that_a_person_ended_is_not_waited_for_in_the_next(room: Room) -> None:
    room.add(time_window_ms=60_000, cooldown_period_ms=0)
    room.say(20, account="a1")
    room.sweep(after_s=61)
    room.recover()

    assert room.say(20, account="a2") == ["health"]
    room.say(90, account="a2", every_s=2)

    assert room.trigger().came_back_at is not None


@pytest.mark.parametrize(("type_name", "threshold"), EVERY_THRESHOLD, ids=lambda value: getattr(value, "name", value))
def test_a_threshold_out_of_its_bounds_is_refused_and_one_within_them_is_not(
    type_name: str, threshold: Threshold
) -> None:
    engine = Engine()
    for value in (threshold.least - 1, threshold.most * 2 + 1):
        wrong = trigger("t", trigger_type=type_name, thresholds={threshold.name: value})
        assert engine.refused(wrong) == "bad-trigger"
    for value in (threshold.least, threshold.most):
        engine.do(trigger("t", trigger_type=type_name, thresholds={threshold.name: value}))


@pytest.mark.parametrize("measured_late", [False, True])
@pytest.mark.parametrize(("type_name", "threshold"), EVERY_THRESHOLD, ids=lambda value: getattr(value, "name", value))
def test_what_lies_outside_of_the_window_does_not_count(
    type_name: str, threshold: Threshold, measured_late: bool
) -> None:
    room, at = Room(), 3.0
    room.add("t", trigger_type=type_name, thresholds={threshold.name: at}, time_window_ms=10_000, min_samples=3)
    if measured_late:
        room.engine.wait(20)
    old = [
        Sample(threshold.metric, room.engine.now.timestamp() - 20, s.pop("value"), None, {}, **s)
        for s in crossing(threshold, at)
    ]

    assert room.evaluator.take(old * 3, room.now) == []


def test_the_registry_has_s1s_twelve_types_by_their_names() -> None:
    assert set(TYPES) == set(get_args(TypeName))
    assert len(TYPES) == 12
    assert all(kind.says and all(each.says and each.unit for each in kind.thresholds) for kind in TYPES.values())


# ----------------------------------------------------------------------------------------- hysteresis, samples, windows


def test_a_value_between_the_two_thresholds_neither_clears_nor_fires_again(room: Room) -> None:
    room.add(clear={"healthScore": 50}, cooldown_period_ms=0)
    assert room.say(20) == ["health"]

    room.say(40)
    assert room.trigger().crossed_since is not None
    room.say(50)
    assert room.trigger().crossed_since is None


def test_a_threshold_clears_on_its_own_side_only() -> None:
    engine = Engine()
    assert engine.refused(trigger(clear={"healthScore": 20})) == "bad-trigger"
    assert engine.refused(trigger(clear={"riskScore": 20})) == "bad-trigger"
    engine.do(trigger(clear={"healthScore": 30}))


def test_with_a_minimum_of_samples_all_of_the_latest_have_to_cross(room: Room) -> None:
    room.add(min_samples=3)

    assert room.say(20, 20, 80, 20, 20) == []
    assert room.say(20) == ["health"]


def test_a_minimum_of_samples_has_to_come_within_the_window(room: Room) -> None:
    room.add(min_samples=3, time_window_ms=10_000)

    assert room.say(20, 20, 20, every_s=6) == []
    assert room.say(20, 20, every_s=1) == ["health"]


def test_a_share_of_few_calls_says_nothing(room: Room) -> None:
    room.add("api", trigger_type="external_api_failure", thresholds={"failureRate": 50}, min_samples=10)

    assert room.say(*[1.0] * 9, metric="apiFailures") == []
    assert room.say(0.0, metric="apiFailures") == ["api"]


def test_a_share_rises_when_good_answers_leave_the_window(room: Room) -> None:
    room.add("api", trigger_type="external_api_failure", thresholds={"failureRate": 50}, time_window_ms=60_000)
    room.say(*[0.0] * 9, metric="apiFailures")
    assert room.say(1.0, metric="apiFailures", every_s=50) == []

    assert room.sweep(after_s=20) == ["api"]


def test_a_good_value_of_one_account_does_not_clear_anothers(room: Room) -> None:
    room.add()
    assert room.say(20, account="a1") == ["health"]

    room.say(90, account="a2")
    assert room.trigger().crossed_since is not None
    room.say(90, account="a1")
    assert room.trigger().crossed_since is None


def test_a_trigger_of_one_account_looks_at_that_one_alone(room: Room) -> None:
    room.add(account_id="a1", scope=())

    assert room.say(20, account="a2") == []
    assert room.say(20) == []
    assert room.say(20, account="a1") == ["health"]
    assert not room.engine.runs(account="a1")
    assert room.engine.runs(account="a2")


def test_silence_fires_where_it_was_asked_for(room: Room) -> None:
    room.add(thresholds={}, absent_after_ms=30_000)

    assert room.sweep(after_s=29) == []
    room.say(90)
    assert room.sweep(after_s=29) == []
    assert room.sweep(after_s=2) == ["health"]
    room.say(90)
    assert room.trigger().crossed_since is None
    assert room.trigger().came_back_at == room.engine.now, "its cause was silence: that one came is all there is to see"


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 30), st.floats(-5, 5)), max_size=60), st.floats(1, 100))
def test_a_window_is_what_lies_within_it_give_or_take_one_slot(steps: list[tuple[float, float]], length: float) -> None:
    window, now, taken = Window(length), 0.0, list[tuple[float, float]]()
    for wait, value in steps:
        now += wait
        window.add(value, now)
        window.drop(now)
        taken.append((now, value))
    surely = sum(at > now - length for at, _ in taken)
    perhaps = sum(at > now - length * (1 + 1 / 60) for at, _ in taken)

    assert min(surely, window.count) >= surely - sum(
        at > now - length and at <= now - length * 59 / 60 for at, _ in taken
    )
    assert window.count <= perhaps


# --------------------------------------------------------------------------------------------------- what becomes of it


def test_what_fires_stops_at_its_level_and_says_for_what(room: Room) -> None:
    room.add(stop_level="graceful", priority=3)
    room.say(12.5)

    (stop,) = room.engine.state.active_stops()
    assert (stop.level, stop.ordered_by) == ("graceful", "trigger:health")
    assert stop.reason == "trigger health: healthScore 12.5 (threshold 30, last)"
    assert room.kinds() == ["added", "evaluated", "fired"]
    assert (room.trigger().stop_id, room.trigger().emergency_id) == (stop.stop_id, stop.emergency_id)


def test_the_stop_stands_in_the_order_before_the_journal_has_it(room: Room) -> None:
    room.add(stop_level="immediate")
    sample = Sample("healthScore", room.engine.now.timestamp(), 1.0)

    (fire,) = room.evaluator.take([sample], room.now)

    assert (fire.order.actor, fire.order.door, fire.order.level) == ("trigger:health", "trigger", "immediate")
    assert fire.order.selectors == SITE
    assert room.engine.runs(site="s1")


def test_the_same_cause_joins_the_running_emergency(room: Room) -> None:
    room.add()
    room.say(20)
    room.say(90)

    assert room.say(20, every_s=5) == []
    assert (room.trigger().suppressed, room.trigger().why) == (1, "joined")
    assert len(room.engine.state.stops) == 1


def test_a_wider_or_harder_trigger_does_not_join_but_escalates(room: Room) -> None:
    room.add("narrow", thresholds={"healthScore": 30}, stop_level="graceful")
    room.add("harder", thresholds={"healthScore": 20}, stop_level="immediate")
    room.add("wider", thresholds={"healthScore": 10}, stop_level="graceful", scope=())

    assert room.say(25) == ["narrow"]
    assert room.say(15) == ["harder"]
    assert room.say(5) == ["wider"]
    (emergency,) = room.engine.state.active_emergencies()
    assert (emergency.level, emergency.selectors) == ("immediate", (on(),))


def test_the_cooldown_is_counted_from_the_end_of_the_stop(room: Room) -> None:
    room.add(cooldown_period_ms=300_000)
    room.say(20)
    room.sweep(after_s=3600)  # the stop lasts for an hour, twelve times the cooldown
    room.say(90)
    room.recover()

    assert room.say(20, every_s=299) == []
    assert (room.trigger().why, room.engine.runs(site="s1")) == ("cooldown", True)
    room.say(90)
    assert room.say(20, every_s=2) == ["health"]


def test_what_crossed_in_the_cooldown_fires_at_the_end_of_it(room: Room) -> None:
    room.add(cooldown_period_ms=300_000, time_window_ms=600_000)
    room.say(20)
    room.recover()

    room.say(20, every_s=1)
    assert room.trigger().why == "cooldown"
    assert room.sweep(after_s=298) == []
    assert room.sweep(after_s=2) == ["health"]


def test_what_goes_on_when_its_emergency_has_ended_stops_again_after_the_cooldown(room: Room) -> None:
    room.add(cooldown_period_ms=0, time_window_ms=600_000)
    room.say(20)
    room.recover()

    assert room.sweep(after_s=1) == ["health"]


def test_a_recovery_that_lets_work_through_is_nothing_to_join(room: Room) -> None:
    room.add()
    room.say(20)
    (stop,) = room.engine.state.active_stops()
    hold = room.engine.hold(stop.hold_ids[0])
    ramped = room.engine.state.with_hold(
        type(hold)(**{name: getattr(hold, name) for name in hold.__slots__} | {"admit": 0.25})
    )
    room.engine.state = ramped
    room.evaluator.arrived(ramped, (), room.now)
    room.say(90)

    assert room.say(20, every_s=5) == ["health"]


def test_of_several_at_once_the_highest_priority_is_first(room: Room) -> None:
    for name, priority in (("low", 1), ("critical", 4), ("medium", 2), ("high", 3)):
        room.add(name, priority=priority, scope=(on(site="s1"),), target_services=("all",), account_id=None)
    sample = Sample("healthScore", room.engine.now.timestamp(), 1.0)

    fires = room.evaluator.take([sample], room.now)

    assert [fire.edge.trigger for fire in fires] == ["critical"]
    suppressed = [report.edge.trigger for report in room.evaluator.reports(room.now)]
    assert suppressed == ["high", "medium", "low"]


def test_disjoint_ones_fire_side_by_side_the_most_urgent_first(room: Room) -> None:
    room.add("a", priority=1, scope=(on(site="s1"),))
    room.add("b", priority=4, scope=(on(site="s2"),))

    assert room.say(1) == ["b", "a"]


def test_a_storm_of_ten_thousand_samples_is_one_emergency_and_a_handful_of_events(room: Room) -> None:
    room.add()
    room.add("failures", trigger_type="authentication_failure", thresholds={"failures": 100})
    before = len(room.engine.journal)

    for number in range(10_000):  # within a second: every other one crosses
        room.say(20.0 if number % 2 else 90.0, every_s=0.0001, account="a1")
        room.say(1.0, metric="authenticationFailures")

    assert len(room.engine.state.active_emergencies()) == 1
    assert len(room.engine.state.stops) == 1
    assert len(room.engine.journal) - before < 30
    room.sweep(after_s=2)
    assert room.trigger().suppressed > 0


def test_an_edge_is_compared_with_the_emergencies_that_it_meets_however_many_others_there_are(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = 0

    def counted(compare: Callable[[Selector, Selector], bool]) -> Callable[[Selector, Selector], bool]:
        def comparing(mine: Selector, theirs: Selector) -> bool:
            nonlocal compared
            compared += 1
            return compare(mine, theirs)

        return comparing

    for name in ("contains", "overlaps"):
        monkeypatch.setattr(Selector, name, counted(getattr(Selector, name)))
    costs = []
    for round_, others in enumerate((1, 50)):
        for number in range(others):
            account = f"other-{round_}-{number}"
            room.engine.stop(f"S-{account}", on(account=account), create=True)
        room.tell()
        room.add(f"t{round_}", account_id=f"mine-{round_}", scope=())
        compared = 0
        assert room.say(1.0, account=f"mine-{round_}") == [f"t{round_}"]
        costs.append(compared)
    assert costs[1] <= costs[0]


def test_shadow_never_stops_and_says_what_it_would_have_done(room: Room) -> None:
    room.add(shadow=True)

    assert room.say(20) == []
    assert room.engine.runs(site="s1")
    assert (room.trigger().why, room.trigger().suppressed, room.trigger().fired) == ("shadow", 1, 0)


def test_one_that_is_off_sees_nothing_and_stops_nothing(room: Room) -> None:
    room.add()
    room.engine.do(SetTrigger(trigger="health", active=False))
    room.tell()

    assert room.say(1) == []
    receipt = room.engine.do(
        FireTrigger(trigger="health", stop_id="S-1", value="late"), by="trigger:health", kind="system"
    )
    assert (room.trigger().why, receipt.stop_id) == ("inactive", None)
    assert room.engine.runs(site="s1")


def test_where_automatic_stops_are_switched_off_it_is_recorded_and_stops_nothing() -> None:
    room = Room(automatics=False)
    room.add()

    assert room.say(20) == []
    assert room.evaluator.reports(room.now) == [] or room.engine.runs(site="s1")


def test_automatic_stops_take_no_more_than_their_share_of_the_sites(room: Room) -> None:
    room.engine.do(BoundTriggers(share=0.5))
    room.add("one", thresholds={"healthScore": 30}, scope=(on(site="s1"),))
    room.add("two", thresholds={"healthScore": 20}, scope=(on(site="s2"),))
    room.add("all", thresholds={"healthScore": 10}, scope=())

    assert room.say(25, 15, 5) == ["one"]
    assert room.trigger("two").why == "share-exceeded"
    assert room.trigger("all").why == "share-exceeded"
    assert room.engine.runs(site="s2")


def test_a_persons_stop_is_not_bounded_by_the_share_of_automatic_ones(room: Room) -> None:
    room.engine.do(BoundTriggers(share=0))
    room.add("button", trigger_type="manual_trigger", scope=(), thresholds={})

    room.engine.stop("S-1")
    assert not room.engine.runs(site="s2")


def test_a_manual_trigger_waits_for_a_person_and_no_other_does(room: Room) -> None:
    room.add("button", trigger_type="manual_trigger")
    room.add()
    fire = FireTrigger(trigger="button", stop_id="S-1", value="smoke")

    assert room.engine.refused(fire, by="keeper", kind="system") == "person-only"
    with pytest.raises(NotPermitted, match=r"'opsconsole triggers test health' says .* 'opsconsole stop'") as refused:
        room.engine.do(FireTrigger(trigger="health", stop_id="S-1"))
    assert refused.value.code == "system-only"
    receipt = room.engine.do(fire)
    assert receipt.stop_id == "S-1"
    assert not room.engine.runs(site="s1")


def test_a_stop_that_is_in_force_is_recorded_whatever_the_state_says_of_it(room: Room) -> None:
    room.add(shadow=True)
    placed = FireTrigger(trigger="health", stop_id="S-1", value="v", placed_at=room.engine.now)

    room.engine.do(placed, by="trigger:health", kind="system")

    assert room.trigger().stop_id == "S-1"
    assert not room.engine.runs(site="s1")
    again = room.engine.do(placed, by="trigger:health", kind="system")
    assert not again.changed


def test_an_order_that_no_journal_has_yet_is_joined_too(room: Room) -> None:
    room.add(cooldown_period_ms=0)
    stamp = room.engine.now.timestamp()
    (fire,) = room.evaluator.take([Sample("healthScore", stamp, 1.0)], room.now)

    flicker = [Sample("healthScore", stamp, value) for value in (90.0, 1.0, 90.0, 1.0)]
    assert room.evaluator.take(flicker, room.now, [fire.order]) == []


# ------------------------------------------------------------------------------------------------------------ the clock


def test_a_time_that_comes_stops_once_and_by_the_same_id_wherever_it_is_seen(room: Room) -> None:
    room.add("night", trigger_type="time_based_trigger", schedule=Schedule(cron="0 22 * * *", zone="Europe/Berlin"))

    assert room.sweep(after_s=3600 * 8) == []
    assert room.sweep(after_s=3600 * 2) == ["night"]
    assert room.fires[-1].order.stop_id == "S-night-20260301T2100Z"
    assert room.sweep(after_s=60) == []


def test_a_time_that_was_missed_is_applied_once_by_whoever_comes_up(room: Room) -> None:
    room.add("night", trigger_type="time_based_trigger", schedule=Schedule(cron="0 22 * * *"))
    room.engine.wait(3 * 86_400)
    late = Evaluator(room.engine.state)
    late.begin(room.now)

    assert [fire.order.stop_id for fire in late.sweep(room.now)] == ["S-night-20260303T2200Z"]


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Tehran")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 0 * * *", "15 1 * * *", "*/20 2 * * *"])
def test_a_time_of_day_is_due_once_a_day_through_every_change_of_the_clocks(zone: str, cron: str) -> None:
    schedule, days = Schedule(cron=cron, zone=zone), 400
    after, seen = datetime(2016, 1, 1, 12, tzinfo=UTC), list[datetime]()
    end = after + timedelta(days=days)
    while (after := next_due(schedule, after)) < end:
        seen.append(after)

    a_day = 3 if cron.startswith("*") else 1
    assert days * a_day - 2 * a_day <= len(seen) <= days * a_day + a_day
    assert len(set(seen)) == len(seen)


def test_the_gap_in_spring_runs_once_and_the_overlap_in_autumn_once() -> None:
    schedule = Schedule(cron="30 2 * * *", zone="Europe/Berlin")
    spring = next_due(schedule, datetime(2026, 3, 28, 12, tzinfo=UTC))
    autumn = next_due(schedule, datetime(2026, 10, 24, 12, tzinfo=UTC))

    assert spring == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert autumn == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_due(schedule, autumn) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    assert last_due(schedule, autumn, autumn + timedelta(hours=12)) is None


# --------------------------------------------------------------------------------------------------------------- rules


def test_a_rule_looks_at_samples_and_state(room: Room) -> None:
    rule = "metric == 'queue' && value > thresholds.most && state.emergencies == 0 && count >= 2"
    room.add("queue", trigger_type="custom_rule_trigger", rule=rule, metrics=("queue",), thresholds={"most": 100})

    assert room.say(150, metric="queue") == []
    assert room.say(99, metric="queue") == []
    assert room.say(150, metric="queue") == ["queue"]

    room.sweep(after_s=61)
    assert (room.trigger("queue").crossed_since, room.trigger("queue").came_back_at) == (None, None)
    room.say(99, metric="queue")
    assert room.trigger("queue").came_back_at is None, "it asks for two"
    room.say(99, metric="queue", every_s=2)
    assert room.trigger("queue").came_back_at is not None


def test_a_rule_over_state_alone_is_looked_at_by_the_sweep(room: Room) -> None:
    room.add("held", trigger_type="custom_rule_trigger", rule="state.holds > 0")
    assert room.sweep() == []

    room.engine.pause(on(site="s2"))
    room.tell()
    assert room.sweep() == ["held"]


def test_a_rule_over_state_alone_has_come_back_when_the_state_says_so(room: Room) -> None:
    """Of this nobody sends samples."""
    room.add("held", trigger_type="custom_rule_trigger", rule="state.holds == 1")
    room.engine.pause(on(site="s2"))
    room.tell()
    assert room.sweep() == ["held"]

    room.sweep(after_s=2)

    assert room.trigger("held").came_back_at == room.engine.now


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("value >", "cannot be read"),
        ("nonsense > 1", "nothing that a rule can look at"),
        ("[1, 2].all(x, x > 0)", "goes through no lists"),
        ("[1].map(value, [1].map(count, 1)) == []", "goes through no lists"),
        ("[1].all // hidden\n(value, true)", "no comments"),
        ("(" * 250 + ")" * 250, "cannot be read"),
    ],
)
def test_a_rule_that_cannot_be_read_or_may_take_long_is_refused_in_words(rule: str, said: str) -> None:
    assert said in fault_of_rule(rule)
    assert Engine().refused(trigger("r", trigger_type="custom_rule_trigger", rule=rule)) == "bad-trigger"


def test_a_rule_that_cannot_be_evaluated_fires_nothing_and_says_why(room: Room) -> None:
    room.add("odd", trigger_type="custom_rule_trigger", rule="last.other > 1.0", metrics=("queue",))

    assert room.say(5, metric="queue") == []
    assert "other" in room.evaluator.watch.watchers["odd"].fault
    with pytest.raises(ValueError, match="neither true nor false"):
        compiled("1 + 1").holds({})


# ------------------------------------------------------------------------------------------------------- configuration


def test_s1s_own_spelling_is_taken() -> None:
    said = {
        "kind": "add-trigger",
        "triggerType": "account_suspension_risk",
        "accountId": "account-123",
        "name": "Suspension Risk Critical",
        "description": "Triggers when suspension risk exceeds 85%",
        "isActive": True,
        "thresholds": {"riskScore": 85},
        "timeWindow": 30000,
        "cooldownPeriod": 600000,
        "stopLevel": "immediate",
        "targetServices": ["all"],
        "priority": 4,
    }
    engine = Engine()

    engine.do(command_from(said))

    known = engine.state.triggers["suspension-risk-critical"].definition
    assert (known.title, known.time_window_ms, known.cooldown_period_ms) == (said["name"], 30_000, 600_000)
    assert known.selectors() == (on(account="account-123"),)


def test_services_that_it_names_have_to_be_there_or_to_be_created() -> None:
    engine = Engine()
    wanted = trigger(target_services=("sessionManager", "behavioralEngine"), scope=())

    assert engine.refused(wanted) == "unknown-name"
    engine.do(wanted.model_copy(update={"create": True}))
    assert engine.state.triggers["health"].definition.selectors() == (
        on(service="sessionManager"),
        on(service="behavioralEngine"),
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"thresholds": {}},
        {"thresholds": {"riskScore": 5}},
        {"target_services": ("all", "x")},
        {"stop_level": "service_specific"},
        {"auto_recover": True, "stop_level": "immediate"},
        {"rule": "value > 1.0"},
        {"schedule": Schedule(cron="0 1 * * *")},
        {"metrics": ("queue",)},
        {"account_id": "a1", "scope": (on(account="a2"),)},
        {"trigger_type": "time_based_trigger"},
        {"trigger_type": "time_based_trigger", "schedule": Schedule(cron="0 1 * *")},
        {"trigger_type": "time_based_trigger", "schedule": Schedule(cron="0 1 30 2 *")},
        {"trigger_type": "time_based_trigger", "schedule": Schedule(cron="0 1 * * *", zone="../etc/passwd")},
        {"trigger_type": "time_based_trigger", "schedule": Schedule(cron="0 1 * * *"), "auto_recover": True},
        {"trigger_type": "manual_trigger", "thresholds": {"x": 1}},
        {"trigger_type": "manual_trigger", "absent_after_ms": 5000},
        {"trigger_type": "custom_rule_trigger"},
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_configured(fields: dict[str, Any]) -> None:
    assert Engine().refused(trigger(**fields)) == "bad-trigger"


@pytest.mark.parametrize(
    "fields",
    [{"priority": 0}, {"priority": 5}, {"time_window_ms": 0}, {"min_samples": 0}, {"cooldown_period_ms": -1},
     {"thresholds": {"healthScore": float("nan")}}, {"thresholds": {"healthScore": float("inf")}}, {"name": "a b"}],
)  # fmt: skip
def test_what_is_out_of_bounds_is_no_command(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        trigger(**fields)


def test_the_same_again_changes_nothing_and_another_one_replaces_it(room: Room) -> None:
    room.add()
    assert not room.engine.do(trigger()).changed
    room.say(20)
    room.recover()
    room.add(thresholds={"healthScore": 10})

    assert room.say(20) == []
    assert room.trigger().fired == 1


def test_removing_or_switching_off_releases_nothing(room: Room) -> None:
    room.add()
    room.say(20)
    room.engine.do(SetTrigger(trigger="health", active=False))
    room.engine.do(RemoveTrigger(trigger="health"))
    room.tell()

    assert not room.engine.runs(site="s1")
    assert room.say(1) == []


@pytest.mark.parametrize("command", [RemoveTrigger(trigger="x"), SetTrigger(trigger="x", active=True)])
def test_a_trigger_that_is_not_there_is_said_so(command: RemoveTrigger | SetTrigger) -> None:
    assert Engine().refused(command) == "unknown-trigger"


def test_what_was_crossed_before_a_restart_and_is_no_more_is_cleared_after_its_window(room: Room) -> None:
    room.add(time_window_ms=60_000)
    room.say(20)
    fresh = Evaluator(room.engine.state)
    fresh.begin(room.now)
    room.evaluator = fresh

    room.sweep(after_s=30)
    assert room.trigger().crossed_since is not None
    room.sweep(after_s=31)
    assert room.trigger().crossed_since is None


# ----------------------------------------------------------------------------------------------------------- properties

steps = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(["a1", "a2", None]), st.floats(0, 100)),
        st.tuples(st.just("wait"), st.just(None), st.floats(0.1, 700)),
        st.tuples(st.just("recover"), st.just(None), st.just(0.0)),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_whatever_comes_no_stop_is_made_within_a_cooldown_and_none_is_lost(
    said: Iterable[tuple[str, Any, float]],
) -> None:
    room = Room()
    room.add(cooldown_period_ms=300_000, time_window_ms=86_400_000)
    ended_at: datetime | None = None
    last: dict[str | None, float] = {}
    for what, account, value in said:
        fired: list[str] = []
        if what == "say":
            last[account] = value
            fired = room.say(value, account=account)
        elif what == "wait":
            fired = room.sweep(after_s=value)
        else:
            active = bool(room.engine.state.active_emergencies())
            room.recover()
            ended_at = room.engine.now if active else ended_at
        if fired and ended_at is not None:
            assert room.engine.now >= ended_at + timedelta(seconds=300)
        room.sweep()
        bad = any(each < 30 for each in last.values())
        cooling = ended_at is not None and room.engine.now < ended_at + timedelta(seconds=300)
        assert not bad or cooling or not room.engine.runs(site="s1")
        assert len(room.engine.state.active_emergencies()) <= 1


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(["m1", "m2"]), st.sampled_from(["a1", "a2", None])), max_size=20))
def test_a_sample_is_looked_at_by_those_alone_that_listen_to_its_metric_and_account(
    heard: list[tuple[str, str | None]],
) -> None:
    watch, asked = Watch(), list[str]()
    for metric in ("m1", "m2"):
        for account in ("a1", "a2", None):
            watch.put(rule_of(f"{metric}.{account}", metric, account), 0.0)
    for metric, account in heard:
        edges = watch.take(Sample(metric, 0.0, 1.0, account), 0.0, 0.0)
        asked += [edge.trigger for edge in edges]

    expected = {f"{metric}.{of}" for metric, account in heard for of in {account, None}}
    assert set(asked) == expected


def rule_of(name: str, metric: str, account: str | None) -> Definition:
    return Definition(
        name=name, trigger_type="custom_rule_trigger", rule="value > 0.0", metrics=(metric,), account_id=account
    )


def test_s1s_names_are_made_into_names_of_ours() -> None:
    assert from_s1({"triggerType": "manual_trigger", "name": "  Über all! 24/7 "})["name"] == "ber-all-24-7"
    with pytest.raises(ValidationError):
        command_from({"kind": "add-trigger", "triggerType": "manual_trigger", "name": "☃"})
