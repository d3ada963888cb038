"""The plan of a stop: what drivers do and when, by level, tier and budget."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.services import Service, in_stop_order, tiers, touched
from core.stop_plan import CATEGORY, Step, plan, plan_of
from opsgate.order import BUDGET_S, LEVELS, Level
from tests.specs.engine import BEGINNING, Engine, on


def fleet() -> dict[str, Service]:
    """web and api depend on db, db on disk; mail stands alone and may be missed longest."""
    engine = Engine()
    engine.service("disk", criticality=4)
    engine.service("db", "disk", criticality=4)
    engine.service("api", "db", criticality=3)
    engine.service("web", "api", "db", criticality=2)
    engine.service("mail", criticality=1)
    return dict(engine.state.services)


FLEET = fleet()
ALL = tuple(FLEET)


def steps_of(level: Level, *names: str, budget_s: float | None = None) -> dict[str, Step]:
    ends_at = BEGINNING + timedelta(seconds=budget_s or BUDGET_S[level])
    return {step.service: step for step in plan(level, FLEET, names or ALL, BEGINNING, ends_at)}


def timed(step: Step) -> list[tuple[str, float, float]]:
    """Its actions with seconds from the order."""
    return [
        (deed.action, (deed.from_at - BEGINNING).total_seconds(), (deed.until_at - BEGINNING).total_seconds())
        for deed in step.deeds
    ]


def test_dependants_stop_first_and_within_a_tier_what_may_be_missed_longest() -> None:
    assert in_stop_order(FLEET, ALL) == ("mail", "web", "api", "db", "disk")
    assert tiers(FLEET, ALL) == {"mail": 0, "web": 0, "api": 1, "db": 2, "disk": 3}


def test_what_is_not_stopped_itself_still_orders_what_lies_around_it() -> None:
    assert tiers(FLEET, ["disk", "web"]) == {"web": 0, "disk": 1}


def test_immediate_kills_everything_at_once() -> None:
    steps = steps_of("immediate")

    assert all(timed(step) == [("kill", 0.0, 5.0)] for step in steps.values())
    assert {step.begins_at for step in steps.values()} == {BEGINNING}


@pytest.mark.parametrize("level", ["graceful", "service_specific"])
def test_a_graceful_stop_asks_first_and_kills_after_the_soft_budget(level: Level) -> None:
    for step in steps_of(level).values():
        assert timed(step) == [("stop", 0.0, 30.0), ("kill", 30.0, 60.0)]


def test_a_soft_budget_that_is_longer_than_the_whole_one_leaves_time_to_kill() -> None:
    assert timed(steps_of("graceful", "web", budget_s=20.0)["web"]) == [("stop", 0.0, 18.0), ("kill", 18.0, 20.0)]


def test_a_cascade_goes_tier_by_tier_within_one_budget_that_is_shared_out() -> None:
    steps = steps_of("cascading")

    assert timed(steps["mail"]) == timed(steps["web"]) == [("stop", 0.0, 7.5), ("kill", 7.5, 15.0)]
    assert timed(steps["disk"]) == [("stop", 45.0, 52.5), ("kill", 52.5, 60.0)]
    assert {name: step.tier for name, step in steps.items()} == {"mail": 0, "web": 0, "api": 1, "db": 2, "disk": 3}


def test_a_tier_waits_for_one_that_hangs_no_longer_than_its_slice() -> None:
    assert steps_of("cascading")["api"].begins_at == BEGINNING + timedelta(seconds=15)


def test_maintenance_drains_and_saves_before_anything_stops() -> None:
    assert timed(steps_of("maintenance")["db"]) == [
        ("drain", 0.0, 24.0),
        ("save-state", 24.0, 36.0),
        ("stop", 36.0, 60.0),
    ]


def test_a_stop_that_escalates_gets_the_plan_of_its_new_level_for_what_still_runs() -> None:
    engine = Engine()
    engine.service("db")
    engine.service("web", "db")
    engine.stop("S-1", level="cascading")
    engine.report("web", "stopped", stop_id="S-1")
    assert left(engine) == ["db"]

    engine.wait(60)
    engine.count("S-1")

    assert left(engine) == ["db"]
    (step,) = (step for step in plan_of(engine.stopped("S-1"), engine.state.services, engine.now) if not step.watches)
    assert (step.service, [deed.action for deed in step.deeds]) == ("db", ["kill"])
    assert step.deeds[0].from_at == engine.now
    assert step.ends_at == engine.stopped("S-1").deadline_at


def left(engine: Engine) -> list[str]:
    """What S-1 still has to stop."""
    steps = plan_of(engine.stopped("S-1"), engine.state.services, engine.now)
    return [step.service for step in steps if not step.watches]


def test_what_has_been_seen_to_stop_is_watched_and_stopped_at_once_should_it_run_again() -> None:
    """Whatever its turn was, and also when the time of its stop is long over."""
    engine = Engine()
    engine.service("db")
    engine.service("web", "db")
    engine.stop("S-1", level="cascading")
    engine.report("db", "stopped", stop_id="S-1")

    for _ in range(2):
        web, db = plan_of(engine.stopped("S-1"), engine.state.services, engine.now)

        assert (web.service, web.watches) == ("web", False)
        assert (db.service, db.watches, db.begins_at <= engine.now) == ("db", True, True)
        assert [deed.action for deed in db.deeds] == ["stop", "kill"]
        engine.wait(3600)


@pytest.mark.parametrize("level", ["graceful", "cascading", "maintenance"])
@pytest.mark.parametrize("ahead_s", [3600, -3600])
def test_a_clock_that_is_wrong_neither_puts_a_stop_off_nor_draws_it_out(level: Level, ahead_s: int) -> None:
    """That of whoever ordered it, or ours, which has gone back since."""
    engine = Engine()
    engine.service("db")
    engine.stop("S-1", level=level, ordered_at=engine.now + timedelta(seconds=ahead_s))
    if ahead_s < 0:
        engine.wait(ahead_s)

    (step,) = plan_of(engine.stopped("S-1"), engine.state.services, engine.now)

    assert step.begins_at <= engine.now
    assert step.deeds[0].until_at > engine.now
    assert step.ends_at <= engine.now + timedelta(seconds=BUDGET_S[level])


def test_a_name_that_nobody_can_drive_has_no_step() -> None:
    assert steps_of("immediate", "web", "gone").keys() == {"web"}


@given(
    level=st.sampled_from(LEVELS),
    names=st.lists(st.sampled_from(ALL), min_size=1, unique=True),
    budget_s=st.floats(0.1, 600),
    soft_s=st.floats(0.1, 600),
)
def test_every_plan_lies_within_its_budget_and_never_goes_back(
    level: Level, names: list[str], budget_s: float, soft_s: float
) -> None:
    ends_at = BEGINNING + timedelta(seconds=budget_s)
    steps = plan(level, FLEET, names, BEGINNING, ends_at, soft_s)

    assert {step.service for step in steps} == set(names)
    for step in steps:
        times = [step.deeds[0].from_at, *(deed.until_at for deed in step.deeds)]
        assert times == sorted(times)
        assert step.begins_at >= BEGINNING
        assert abs((step.ends_at - ends_at).total_seconds()) < 0.001 or level == "cascading"
        assert step.ends_at <= ends_at + timedelta(milliseconds=1)
        assert [deed.action for deed in step.deeds] == sorted(
            (deed.action for deed in step.deeds), key=("drain", "save-state", "stop", "kill").index
        )


def test_every_level_has_a_category() -> None:
    assert set(CATEGORY) == set(get_args(Level))


def test_a_stop_drives_what_declares_its_work_and_what_it_names() -> None:
    engine = Engine()
    engine.service("plain")
    engine.service("ours", account="a1", labels={"site": "s1"})
    engine.service("theirs", account="a2")
    services = engine.state.services

    assert set(touched(services, [on()], "immediate")) == {"plain", "ours", "theirs"}
    assert touched(services, [on(account="a1")], "graceful") == ("ours",)
    assert touched(services, [on(site="s1")], "immediate") == ("ours",)
    assert touched(services, [on(site="s2")], "immediate") == ()
    assert touched(services, [on(service="plain", site="s1")], "immediate") == ("plain",)
    assert touched(services, [on(service="theirs", account="a1")], "immediate") == ()
    assert touched(services, [on(operation="payout")], "immediate") == ()


def test_a_service_specific_stop_drives_only_what_it_names() -> None:
    assert touched(FLEET, [on()], "service_specific") == ()
    assert touched(FLEET, [on(), on(service="db")], "service_specific") == ("db",)
