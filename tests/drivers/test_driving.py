"""Who does what, when, and what holds up whom: drivers here do what a test says, and hang until it lets them go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Self

import pytest

from backends import drivers
from backends.drivers.base import (
    Action,
    Driver,
    DriverConfigError,
    DriverOrder,
    Host,
    Member,
    Observation,
    Outcome,
    Standing,
)
from backends.drivers.gate import GateConfig, GateDriver
from backends.driving import worker
from backends.driving.driving import Drivers, Driving, Wanted
from backends.driving.reports import Report
from backends.driving.schedule import Slot, Task, due
from backends.keeper import hands
from core.services import Service
from opsgate.clock import elapsed_s
from opsgate.order import Level
from tests.support.fleets import START
from tests.support.waiting import eventually

SOON_S = 0.3
LONG_S = 60.0


@dataclass
class Double:
    """A driver whose service obeys what is in ``obeys``; ``hangs`` is what it never comes back from until it may."""

    kind: ClassVar[str] = "double"
    can: frozenset[Action] = frozenset({"stop", "kill", "drain", "save-state"})
    settle_s: float = 0.0
    obeys: frozenset[Action] = frozenset({"stop", "kill"})
    hangs: frozenset[Action] = frozenset()
    crashes: bool = False
    standing: Standing = "running"
    done: list[Action] = field(default_factory=list)
    may_return: threading.Event = field(default_factory=threading.Event)
    looks: int = 0

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        raise NotImplementedError

    def observe(self, timeout_s: float) -> Observation:
        self.looks += 1
        return Observation(self.standing)

    def _act(self, action: Action) -> Outcome:
        self.done.append(action)
        if self.crashes:
            raise RuntimeError("it fell over")
        if action in self.hangs:
            self.may_return.wait(LONG_S)
        if action in self.obeys:
            self.standing = "stopped"
        return Outcome("done")

    def stop(self, order: DriverOrder, timeout_s: float) -> Outcome:
        return self._act("stop")

    def kill(self, order: DriverOrder, timeout_s: float) -> Outcome:
        return self._act("kill")

    def drain(self, order: DriverOrder, timeout_s: float) -> Outcome:
        return self._act("drain")

    def save_state(self, order: DriverOrder, timeout_s: float) -> Outcome:
        return self._act("save-state")


class Doubles(Drivers):
    """The drivers of a test, by the names of their services."""

    def __init__(self, doubles: Mapping[str, Driver]) -> None:
        super().__init__(Host)
        self.doubles = doubles

    def of(self, service: Service) -> Driver:
        if service.name not in self.doubles:
            raise DriverConfigError("nobody knows how")
        return self.doubles[service.name]


class Desk:
    """A `Driving` over doubles, and what it reported."""

    def __init__(self, most: int = 10, **doubles: Driver) -> None:
        self.doubles, self.reports = doubles, list[Report]()
        services = {name: service(name) for name in (*doubles, "unknown")}
        self.driving = Driving(Doubles(doubles), lambda: services, self.reports.append, most=most)

    def take(
        self, stop_id: str, *tasks: Task, level: Level = "graceful", rank: tuple[int, float] | None = None
    ) -> None:
        self.driving.take(Wanted(stop_id, level, tasks, rank))

    def close(self) -> None:
        self.driving.let_go(self.driving.stops())
        for double in self.doubles.values():
            if isinstance(double, Double):
                double.may_return.set()

    def said(self, name: str) -> list[tuple[str, str, Standing | None]]:
        return [(r.action, r.outcome, r.standing) for r in self.reports if r.service == name]


@pytest.fixture
def desk() -> Iterator[Callable[..., Desk]]:
    """Makes desks, and lets everything go afterwards."""
    made: list[Desk] = []

    def make(**options: Any) -> Desk:
        made.append(Desk(**options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def service(name: str) -> Service:
    return Service(name, "", None, (), (), "double", "{}", "", 2, None, START, START, "ana")


def task(name: str, *slots: tuple[Action, float], stop_id: str = "S-1", begins_s: float = 0.0, tier: int = 0) -> Task:
    """A task whose slots end so many seconds from now."""
    now_s = elapsed_s()
    ends = tuple(Slot(action, now_s + seconds) for action, seconds in slots)
    return Task(DriverOrder(stop_id, stop_id), name, tier, now_s + begins_s, ends)


Make = Callable[..., Desk]


# ----------------------------------------------------------------------------------------------------------- escalation
def test_what_obeys_is_asked_once_and_reported_as_it_was_seen(desk: Make) -> None:
    one = Double()
    made = desk(a=one)
    made.take("S-1", task("a", ("stop", LONG_S), ("kill", 2 * LONG_S)))
    eventually(lambda: made.said("a"))
    assert (one.done, made.said("a")) == (["stop"], [("stop", "done", "stopped")])
    assert made.driving.left("S-1") == ()


def test_that_all_have_stopped_is_told_once_and_after_it_was_reported(desk: Make) -> None:
    """Whoever hears it concludes the stop without waiting for more."""
    room, told = desk(web=Double(), db=Double()), list[set[str]]()
    room.driving.all_stopped = lambda: told.append({report.service for report in room.reports})
    room.take("S-1", task("web", ("kill", LONG_S)), task("db", ("kill", LONG_S)))
    eventually(lambda: told)
    assert told == [{"web", "db"}]


def test_what_does_not_stop_in_time_is_killed_and_not_before(desk: Make) -> None:
    one = Double(obeys=frozenset({"kill"}))
    made = desk(a=one)
    made.take("S-1", task("a", ("stop", SOON_S), ("kill", LONG_S)))
    eventually(lambda: not made.driving.left("S-1"))
    assert one.done == ["stop", "kill"]
    assert made.said("a") == [("stop", "done", "running"), ("kill", "done", "stopped")]


def test_a_driver_that_hangs_is_left_behind_and_the_next_thing_is_done(desk: Make) -> None:
    one, other = Double(hangs=frozenset({"stop"})), Double()
    made = desk(a=one, b=other)
    made.take("S-1", task("a", ("stop", SOON_S), ("kill", LONG_S)), task("b", ("stop", LONG_S)))
    eventually(lambda: not made.driving.left("S-1"))
    assert (one.done, other.done, made.driving.abandoned) == (["stop", "kill"], ["stop"], 1)


def test_a_stronger_stop_does_not_wait_for_what_a_weaker_one_is_doing(desk: Make) -> None:
    """A person's immediate stop of what is just being stopped gracefully, by a driver that takes its time."""
    one = Double(hangs=frozenset({"stop"}))
    made = desk(a=one)
    made.take("S-1", task("a", ("stop", LONG_S), ("kill", 2 * LONG_S)))
    eventually(lambda: one.done == ["stop"])
    made.take("S-2", task("a", ("kill", LONG_S), stop_id="S-2"), level="immediate")
    eventually(lambda: not made.driving.left("S-1") and not made.driving.left("S-2"))
    assert one.done == ["stop", "kill"]
    said = [(r.stop_id, r.action, r.outcome, r.standing) for r in made.reports]
    assert said[0] == ("S-1", "stop", "timed-out", None)
    assert made.reports[0].detail == "asked to stop, and it had not when the next thing was due"
    assert sorted(said[1:]) == [("S-1", "kill", "done", "stopped"), ("S-2", "kill", "done", "stopped")]


def test_a_stop_that_escalates_goes_on_by_its_new_plan(desk: Make) -> None:
    one = Double(obeys=frozenset({"kill"}))
    made = desk(a=one)
    made.take("S-1", task("a", ("stop", LONG_S), ("kill", 2 * LONG_S)))
    eventually(lambda: one.done == ["stop"])
    made.take("S-1", task("a", ("kill", LONG_S)), level="immediate")
    eventually(lambda: not made.driving.left("S-1"))
    assert one.done[-1] == "kill"


def test_the_same_stop_again_begins_nothing_anew(desk: Make) -> None:
    """It comes from the desk first and from the journal afterwards."""
    one = Double(hangs=frozenset({"stop"}))
    made = desk(a=one)
    for _ in range(3):
        made.take("S-1", task("a", ("stop", LONG_S), ("kill", 2 * LONG_S)))
    eventually(lambda: one.done == ["stop"])
    one.may_return.set()
    eventually(lambda: not made.driving.left("S-1"))
    assert one.done == ["stop"]


def test_a_service_whose_name_means_something_else_by_now_is_stopped_anew(desk: Make) -> None:
    one = Double()
    made = desk(a=one)
    made.take("S-1", task("a", ("stop", LONG_S), ("kill", 2 * LONG_S)))
    eventually(lambda: not made.driving.left("S-1"))
    one.standing = "running"

    changed = replace(task("a", ("stop", LONG_S), ("kill", 2 * LONG_S)), about=("double", "{}"))
    for _ in range(3):
        made.take("S-1", changed)

    eventually(lambda: made.said("a") == [("stop", "done", "stopped")] * 2)
    assert one.done == ["stop", "stop"]


def test_maintenance_drains_and_saves_before_it_stops_and_what_cannot_be_done_is_passed_over(desk: Make) -> None:
    slots: tuple[tuple[Action, float], ...] = (("drain", LONG_S), ("save-state", LONG_S + 1), ("stop", LONG_S + 2))
    whole, poor = Double(), Double(can=frozenset({"stop"}))
    made = desk(a=whole, b=poor)
    made.take("S-1", task("a", *slots), task("b", *slots), level="maintenance")
    eventually(lambda: not made.driving.left("S-1"))
    assert (whole.done, poor.done) == (["drain", "save-state", "stop"], ["stop"])
    assert made.said("b")[0] == ("drain", "refused", None)


def test_what_can_only_be_killed_is_not_waited_for_and_what_can_only_be_asked_is_asked(desk: Make) -> None:
    hard, soft = Double(can=frozenset({"kill"})), Double(can=frozenset({"stop"}))
    made = desk(a=hard, b=soft)
    made.take("S-1", task("a", ("stop", LONG_S), ("kill", 2 * LONG_S)))
    made.take("S-2", task("b", ("kill", LONG_S), stop_id="S-2"), level="immediate")
    eventually(lambda: not made.driving.left("S-1") and not made.driving.left("S-2"))
    assert (hard.done, soft.done) == (["kill"], ["stop"])


# ------------------------------------------------------------------------------------------------------- never believed
def test_one_that_says_it_stopped_and_runs_is_tried_again_and_shown_as_not_stopped(desk: Make) -> None:
    one = Double(obeys=frozenset())
    made = desk(a=one)
    made.take("S-1", task("a", ("kill", SOON_S)), level="immediate")
    eventually(lambda: ("kill", "done", "not-stopped") in made.said("a"))
    one.obeys = frozenset({"kill"})
    eventually(lambda: made.said("a")[-1] == ("kill", "done", "stopped"))


def test_a_driver_that_crashes_is_an_attempt_that_failed(desk: Make) -> None:
    one = Double(crashes=True)
    made = desk(a=one)
    made.take("S-1", task("a", ("kill", SOON_S)), level="immediate")
    eventually(lambda: ("kill", "failed", "running") in made.said("a"))
    assert "it fell over" in made.reports[0].detail
    one.crashes = False
    eventually(lambda: not made.driving.left("S-1"))


def test_a_service_without_a_driver_stays_missing_and_holds_up_nobody(desk: Make) -> None:
    one = Double()
    made = desk(a=one)
    made.take("S-1", task("unknown", ("kill", LONG_S)), task("a", ("kill", LONG_S)), level="immediate")
    eventually(lambda: made.said("a") and made.said("unknown"))
    assert (made.said("unknown")[0], made.driving.left("S-1")) == (("kill", "refused", None), ("unknown",))


def test_what_seems_to_have_stopped_must_stay_so_for_as_long_as_its_driver_asks(desk: Make) -> None:
    """Something starts it again in between: that is not stopped."""
    one = Double(settle_s=0.2)
    made = desk(a=one)

    def again(_timeout_s: float) -> Observation:
        one.looks += 1
        return Observation("running" if one.looks == 3 else one.standing)

    one.observe = again  # type: ignore[method-assign, assignment]  # this one flickers
    made.take("S-1", task("a", ("stop", LONG_S)))
    eventually(lambda: not made.driving.left("S-1"))
    assert one.looks >= 5, "the third look began the waiting anew"


@dataclass
class Slow(Double):
    """One at which the first look takes until it may return."""

    looking: threading.Event = field(default_factory=threading.Event)

    def observe(self, timeout_s: float) -> Observation:
        seen = super().observe(timeout_s)
        if self.looks == 1:
            self.looking.set()
            self.may_return.wait(LONG_S)
        return seen


def test_a_look_that_began_before_a_stop_was_ordered_proves_nothing_to_it(desk: Make) -> None:
    """What was seen then may have been started again before the order."""
    one = Slow()
    made = desk(a=one)
    made.take("S-1", task("a", ("stop", LONG_S)))
    assert one.looking.wait(LONG_S)

    made.take("S-2", task("a", ("stop", LONG_S), stop_id="S-2"))
    one.may_return.set()

    eventually(lambda: not made.driving.left("S-1") and not made.driving.left("S-2"))
    assert one.looks >= 2, "the first one is the first stop's alone"


def test_a_look_at_what_a_name_meant_before_proves_nothing_of_what_it_means_now(desk: Make) -> None:
    before, now = Slow(), Double(obeys=frozenset())
    made = desk(a=before)
    made.take("S-1", task("a", ("stop", LONG_S)))
    assert before.looking.wait(LONG_S)

    made.doubles["a"] = now
    made.take("S-1", replace(task("a", ("stop", LONG_S)), about=("double", "another")))
    before.may_return.set()

    eventually(lambda: now.looks)
    assert made.driving.left("S-1") == ("a",)
    assert ("stop", "done", "stopped") not in made.said("a")


def test_what_no_thread_is_left_for_is_stopped_when_there_is_one_again(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def none_left(thread: threading.Thread) -> None:
        if thread.name.startswith("drive-"):
            raise RuntimeError("can't start new thread")
        start(thread)

    made = desk(a=Double(), b=Double())
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", none_left)
        made.take("S-1", task("a", ("stop", LONG_S)), task("b", ("stop", LONG_S)))
    assert made.driving.left("S-1") == ("a", "b")

    made.driving.look()

    eventually(lambda: not made.driving.left("S-1"))


def test_calls_that_hang_for_ever_are_not_piled_up(desk: Make) -> None:
    one = Double(hangs=frozenset({"kill"}))
    made = desk(a=one)
    made.take("S-1", task("a", ("kill", 0.05)), level="immediate")
    eventually(lambda: made.driving.abandoned == 3, within_s=60.0)
    eventually(lambda: "never comes back" in made.reports[-1].detail or len(made.said("a")) == 1)
    assert made.driving.abandoned == 3


# ----------------------------------------------------------------------------------------------------- tiers and queues
def test_a_tier_begins_when_the_one_before_has_stopped_or_when_its_slice_is_over(desk: Make) -> None:
    first, second, third = Double(), Double(hangs=frozenset({"stop", "kill"})), Double()
    made = desk(a=first, b=second, c=third)
    made.take(
        "S-1",
        task("a", ("stop", LONG_S), tier=0),
        task("b", ("stop", LONG_S), tier=1, begins_s=LONG_S),
        task("c", ("stop", LONG_S), tier=2, begins_s=1.0),
        level="cascading",
    )
    eventually(lambda: second.done == ["stop"])
    assert first.done == ["stop"], "the second one began as soon as the first had stopped"
    eventually(lambda: third.done == ["stop"])  # one that hangs holds up nobody beyond its slice
    eventually(lambda: made.driving.left("S-1") == ("b",))


def test_a_keeper_that_takes_over_begins_with_the_first_tier_that_still_runs(desk: Make) -> None:
    first, second, third = Double(), Double(hangs=frozenset({"stop"})), Double()
    first.standing = "stopped"  # the keeper before saw it stop
    made = desk(a=first, b=second, c=third)
    made.take(
        "S-1",
        watching(task("a", ("stop", LONG_S), tier=0)),
        task("b", ("stop", LONG_S), tier=1, begins_s=LONG_S),
        task("c", ("stop", LONG_S), tier=2, begins_s=LONG_S),
        level="cascading",
    )
    eventually(lambda: second.done == ["stop"])
    assert third.done == [], "it waits for the one before it"


def test_only_so_many_stops_of_triggers_drive_at_once_and_a_persons_never_waits(desk: Make) -> None:
    """Their holds are in force all the while. Of those that wait, the more important one goes first."""
    names = ("a", "b", "c", "d")
    doubles = {name: Double(hangs=frozenset({"stop"})) for name in names}
    made = desk(most=1, **doubles)
    made.take("S-a", task("a", ("stop", LONG_S), stop_id="S-a"), rank=(2, 0.0))
    made.take("S-b", task("b", ("stop", LONG_S), stop_id="S-b"), rank=(4, 1.0))
    made.take("S-c", task("c", ("stop", LONG_S), stop_id="S-c"), rank=(1, 2.0))
    made.take("S-d", task("d", ("stop", LONG_S), stop_id="S-d"))
    eventually(lambda: doubles["a"].done and doubles["d"].done)
    assert (doubles["b"].done, doubles["c"].done) == ([], [])
    doubles["a"].may_return.set()
    eventually(lambda: doubles["c"].done)
    assert doubles["b"].done == []
    made.driving.let_go(["S-c"])
    eventually(lambda: doubles["b"].done)


def test_a_stop_that_is_over_asks_for_nothing_any_more(desk: Make) -> None:
    one = Double(obeys=frozenset())
    made = desk(a=one)
    made.take("S-1", task("a", ("stop", SOON_S), ("kill", LONG_S)))
    eventually(lambda: one.done == ["stop"])
    made.driving.let_go(["S-1"])
    assert (made.driving.stops(), made.driving.left("S-1")) == ((), ())
    looks = one.looks
    threading.Event().wait(2 * SOON_S)  # what must not happen could only happen now
    assert (one.done, one.looks <= looks + 1) == (["stop"], True)


def test_what_has_stopped_is_watched_as_long_as_its_stop_is_in_force_and_may_run_again_afterwards(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts it: what a recovery brings back must not be stopped by the stop that it recovers from."""
    monkeypatch.setattr(worker, "_WATCH_S", 0.01)
    over, held = Double(), Double()
    made = desk(over=over, held=held)
    made.take("S-1", task("over", ("stop", LONG_S)))
    made.take("S-2", task("held", ("stop", LONG_S), stop_id="S-2"))
    eventually(lambda: not made.driving.left("S-1") and not made.driving.left("S-2"))
    made.driving.let_go(["S-1"])

    over.standing = "running"

    def seen(times: int) -> bool:
        return made.said("held").count(("stop", "done", "stopped")) >= times

    for times in (2, 3, 4):
        held.standing = "running"
        eventually(partial(seen, times))
    assert (over.done, over.standing) == (["stop"], "running")


@dataclass
class Blinks(Double):
    """One of which nobody can say anything at some of the looks."""

    unseen: list[int] = field(default_factory=list)

    def observe(self, timeout_s: float) -> Observation:
        seen = super().observe(timeout_s)
        return Observation("unknown", "no file names it") if self.looks in self.unseen else seen


def test_what_had_stopped_and_cannot_be_seen_any_more_is_said_and_so_is_that_it_is_seen_again(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that fails says nothing yet; the next one that does says that nobody knows. Nothing is done about it."""
    monkeypatch.setattr(worker, "_WATCH_S", 0.01)
    one = Blinks(unseen=[3, 5, 6, 7, 8])
    made = desk(a=one)
    made.take("S-1", task("a", ("stop", LONG_S)))

    eventually(lambda: one.looks > 10)
    assert made.said("a") == [
        ("stop", "done", "stopped"),
        ("observe", "done", "unknown"),
        ("observe", "done", "stopped"),
    ]
    assert [report.detail for report in made.reports][1] == "no file names it"
    assert one.done == ["stop"]


def test_what_had_stopped_and_has_no_driver_any_more_is_seen_by_nobody(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_WATCH_S", 0.01)
    made = desk(a=Double())
    made.take("S-1", task("a", ("stop", LONG_S)))
    eventually(lambda: not made.driving.left("S-1"))
    del made.doubles["a"]

    eventually(lambda: made.said("a")[1:] == [("observe", "done", "unknown")])
    assert made.reports[-1].detail == "nobody knows how"


def test_what_a_recovery_takes_over_is_let_go_of_alone_and_the_rest_is_watched(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_WATCH_S", 0.01)
    taken, kept, late = Double(), Double(), Double(obeys=frozenset())
    made = desk(taken=taken, kept=kept, late=late)
    made.take("S-1", *(task(name, ("stop", LONG_S)) for name in ("taken", "kept", "late")))
    eventually(lambda: made.driving.left("S-1") == ("late",))

    made.driving.hand_over("S-1", ["taken", "late"])

    eventually(lambda: not made.driving.holds(["S-1"], "taken") and not made.driving.holds(["S-1"], "late"))
    assert made.driving.holds(["S-1"], "kept")
    assert (made.driving.left("S-1"), made.driving.stops()) == ((), ("S-1",))
    taken.standing = kept.standing = "running"
    eventually(lambda: kept.done == ["stop", "stop"])
    assert (taken.done, taken.standing) == (["stop"], "running")


def test_what_an_earlier_keeper_saw_stopped_is_left_alone_until_it_runs_again(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the same one went on."""
    monkeypatch.setattr(worker, "_WATCH_S", 0.01)
    rests, ran = Double(standing="stopped"), Double()
    made = desk(rests=rests, ran=ran)
    made.take("S-1", *(watching(task(name, ("stop", LONG_S), ("kill", 2 * LONG_S))) for name in ("rests", "ran")))

    eventually(lambda: made.said("ran") == [("observe", "done", "running"), ("stop", "done", "stopped")])
    eventually(lambda: rests.looks > 1)
    assert (rests.done, made.said("rests"), made.driving.left("S-1")) == ([], [], ())

    made.driving.let_go(["S-1"])
    eventually(lambda: not any(worker.name.startswith("drive-r") for worker in threading.enumerate()))


def test_a_group_that_stopped_for_an_earlier_keeper_is_asked_about_that_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does other work, which that stop does not cover."""
    monkeypatch.setattr(worker, "_WATCH_S", 0.01)
    looks: list[int] = []

    def members() -> tuple[Member, ...]:
        looks.append(1)
        return (Member("w1", {"site": ("s1",)}, True, False, frozenset({"S-1"}), in_flight=1),)

    made = Desk(a=GateDriver(GateConfig(scope={"site": "s1"}), Host(members=members)))
    made.take("S-1", watching(task("a", ("stop", LONG_S))))

    eventually(lambda: len(looks) > 1)
    assert made.reports == []
    made.close()


def test_a_stop_that_only_watches_neither_waits_nor_holds_up_another(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_WATCH_S", 0.01)
    watched, busy, other = Double(), Double(hangs=frozenset({"stop"})), Double()
    made = desk(most=1, watched=watched, busy=busy, other=other)
    made.take("S-1", watching(task("other", ("stop", LONG_S))), rank=(0, 0.0))
    made.take("S-2", task("busy", ("stop", LONG_S), stop_id="S-2"), rank=(1, 0.0))
    eventually(lambda: busy.done == ["stop"])

    made.take("S-3", watching(task("watched", ("stop", LONG_S), stop_id="S-3")), rank=(2, 0.0))

    eventually(lambda: watched.done == ["stop"])


def test_a_stop_that_waits_has_its_turn_when_the_time_of_those_before_it_is_up(desk: Make) -> None:
    """Of which nobody hears anything, and nothing is recorded either while the database is away."""
    busy, other = Double(hangs=frozenset({"stop"})), Double()
    made = desk(most=1, busy=busy, other=other)
    made.take("S-1", task("busy", ("stop", SOON_S)), rank=(0, 0.0))
    made.take("S-2", task("other", ("stop", LONG_S), stop_id="S-2"), rank=(1, 0.0))
    assert other.done == []

    def is_done() -> bool:
        made.driving.look()
        return other.done == ["stop"]

    eventually(is_done)


def test_what_had_stopped_before_a_stop_escalated_is_held_to_the_stronger_plan(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Maintenance kills nothing; what is started again under an immediate stop is killed."""
    monkeypatch.setattr(worker, "_WATCH_S", 0.01)
    one, other = Double(), Double(obeys=frozenset())
    made = desk(a=one, b=other)
    made.take("S-1", task("a", ("stop", LONG_S)), task("b", ("stop", LONG_S)), level="maintenance")
    eventually(lambda: made.driving.left("S-1") == ("b",))

    made.take("S-1", task("a", ("kill", LONG_S)), task("b", ("kill", LONG_S)), level="immediate")
    eventually(lambda: "kill" in other.done)
    assert one.done == ["stop"], "it has stopped: nothing is done about it"

    one.standing = "running"
    eventually(lambda: one.standing == "stopped")
    assert one.done == ["stop", "kill"]


def test_what_an_escalated_stop_does_not_list_any_more_is_let_go_with_it(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that has moved to another host runs again after the recovery, and nobody here stops it."""
    monkeypatch.setattr(worker, "_WATCH_S", 0.01)
    stays, moves = Double(), Double()
    made = desk(stays=stays, moves=moves)
    made.take("S-1", task("stays", ("stop", LONG_S)), task("moves", ("stop", LONG_S)))
    eventually(lambda: not made.driving.left("S-1"))
    made.take("S-1", task("stays", ("kill", LONG_S)), level="immediate")

    made.driving.let_go(["S-1"])

    eventually(lambda: not {"drive-stays", "drive-moves"} & {thread.name for thread in threading.enumerate()})


def watching(of: Task) -> Task:
    """One whose service has been seen to stop already."""
    return replace(of, watches=True)


def test_of_what_is_due_the_strongest_is_done_and_what_is_not_due_waits() -> None:
    weak, strong, later = task("a", ("drain", 9)), task("a", ("stop", 9)), task("a", ("kill", 9), begins_s=5)
    assert due([weak, strong, later], elapsed_s()) is strong
    assert due([later], elapsed_s()) is None
    assert strong.as_of(elapsed_s() + 20).slot.action == "stop", "the last slot never ends"


# ------------------------------------------------------------------------------------------- drivers of other packages
class Installed:
    """An entry point, as an installed package has one."""

    def __init__(self, name: str, load: Callable[[], object]) -> None:
        self.name = name
        self.load = load


def test_a_driver_that_answers_just_as_its_time_is_up_has_not_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that failed would turn the whole recovery back."""

    class JustNow:
        """Its result is read a moment before it is there."""

        result, fault, has_ended = None, None, True

    monkeypatch.setattr(hands, "Call", lambda _act, _told: JustNow())
    found = hands.DriverHands(Doubles({"a": Double()}), Host).look([service("a")])

    assert found["a"].detail == hands.NO_ANSWER


def test_a_package_adds_a_kind_of_its_own_and_one_that_is_broken_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> object:
        raise ImportError("half of it is missing")

    entries = [Installed("lamp", lambda: Lamp), Installed("broken", broken)]
    monkeypatch.setattr(drivers, "_theirs", lambda: entries)
    assert {"lamp", "process"} <= set(drivers.kinds())
    assert drivers.driver_of("hall", "lamp", "{}", Host()).observe(1.0).standing == "running"
    for kind, said in (("broken", "half of it is missing"), ("nothing", "no driver of the kind")):
        with pytest.raises(DriverConfigError, match=said):
            drivers.driver_of("hall", kind, "{}", Host())


class Lamp(Double):
    """A kind that somebody else wrote."""

    kind = "lamp"

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        return cls()
