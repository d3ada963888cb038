"""Emergency stop: never refused, never weakened, verified by the stopped themselves, and ended by recovery alone."""

from datetime import timedelta

import pytest

from core.ack_times import AckTimes, ack_times
from core.capabilities.conclusion import StopConcluded
from core.capabilities.emergencies import ConcludeStop, OrderStop
from core.capabilities.explaining import ExplainStop, unexplained
from core.emergency_rules import Rules
from core.engine import Facts, WorkerFact, step
from core.messages import Actor, Envelope
from core.policy import run_state
from opsgate.hold import Mode
from opsgate.order import BUDGET_S, LEVELS, Level
from opsgate.selector import EVERYTHING
from tests.specs.engine import BEGINNING, Engine, Kind, on, said


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.workers("w1", "w2", "w3")
    return engine


def left_s(engine: Engine, stop_id: str) -> float:
    return (engine.stopped(stop_id).deadline_at - engine.now).total_seconds()


# ----------------------------------------------------------------------------------------------------------- ordering


def test_a_stop_opens_an_emergency_holds_first_and_then_lists_who_must_acknowledge(engine: Engine) -> None:
    receipt = engine.stop("S-1", reason="it deletes everything")

    assert engine.kinds(receipt) == ["emergency.opened", "hold.placed", "stop.ordered"]
    assert engine.holds() == {("all", "emergency", receipt.emergency_id, "halt")}
    stop = engine.stopped("S-1")
    assert (stop.of, stop.missing, stop.result) == (("w1", "w2", "w3"), ("w1", "w2", "w3"), "pending")
    assert (stop.reason, stop.ordered_by, stop.ordered_at) == ("it deletes everything", "ana", engine.now)
    assert receipt.stop_id == "S-1"
    assert receipt.hold_ids == stop.hold_ids
    assert not engine.runs(site="s1")


@pytest.mark.parametrize(
    ("level", "mode", "budget_s"),
    [
        ("immediate", "halt", 5.0),
        ("graceful", "drain", 60.0),
        ("service_specific", "halt", 60.0),
        ("cascading", "drain", 60.0),
        ("maintenance", "drain", 60.0),
    ],
)
def test_each_level_has_its_mode_and_its_budget(engine: Engine, level: Level, mode: Mode, budget_s: float) -> None:
    receipt = engine.stop("S-1", level=level)

    assert engine.hold(receipt.hold_ids[0]).mode == mode
    assert left_s(engine, "S-1") == budget_s
    assert engine.emergency(receipt).level == level


def test_a_stop_works_without_any_worker_and_is_verified_at_once(engine: Engine) -> None:
    engine.live = ()

    receipt = engine.stop("S-1")

    assert engine.kinds(receipt)[-1] == "stop.concluded"
    assert engine.stopped("S-1").result == "verified"
    assert run_state(engine.state) == "stopped"


def test_the_same_stop_again_changes_nothing_and_answers_the_same(engine: Engine) -> None:
    first = engine.stop("S-1")
    engine.live = ()

    again = engine.stop("S-1", on(site="s2"), level="maintenance", by="ben")

    assert not again.changed
    assert (again.hold_ids, again.stop_id, again.emergency_id) == (first.hold_ids, "S-1", first.emergency_id)
    assert said(again) == "stop S-1 is in force already"
    assert engine.stopped("S-1").of == ("w1", "w2", "w3")


def test_the_list_is_frozen_a_worker_that_comes_later_is_not_on_it(engine: Engine) -> None:
    engine.stop("S-1")
    engine.workers("w4")

    assert engine.stopped("S-1").of == ("w1", "w2", "w3")


def test_the_list_has_those_who_may_do_what_is_stopped() -> None:
    engine = Engine()
    engine.workers("anything")
    engine.workers("only-s1", site="s1")
    engine.workers("only-s2", site="s2")
    engine.workers("in-dev", env="dev")

    engine.stop("S-1", on(site="s1"))
    engine.stop("S-2", on(site="s2", env="prod"), on(operation="ab_testing", env="prod"))

    assert engine.stopped("S-1").of == ("anything", "in-dev", "only-s1")
    assert engine.stopped("S-2").of == ("anything", "only-s1", "only-s2")


def test_a_stop_is_never_refused_for_a_stale_revision(engine: Engine) -> None:
    looked_at = engine.state.revision
    engine.pause()

    assert engine.do(OrderStop(stop_id="S-1", selectors=(EVERYTHING,)), looked_at=looked_at).changed


@pytest.mark.parametrize("kind", ["person", "automation", "system"])
def test_anybody_may_stop(engine: Engine, kind: Kind) -> None:
    assert engine.do(OrderStop(stop_id="S-1", selectors=(EVERYTHING,)), kind=kind).changed


def test_a_stop_on_an_unknown_name_is_refused_unless_it_says_create(engine: Engine) -> None:
    wanted = OrderStop(stop_id="S-1", selectors=(on(site="s9"),))

    assert engine.refused(wanted) == "unknown-name"
    assert engine.do(wanted.model_copy(update={"create": True})).changed


def test_a_stop_ordered_while_nobody_could_record_it_keeps_the_time_of_its_order(engine: Engine) -> None:
    ordered_at = engine.now - timedelta(minutes=10)

    engine.stop("S-1", ordered_at=ordered_at)

    assert engine.stopped("S-1").ordered_at == ordered_at
    assert left_s(engine, "S-1") == 5.0  # but its budget begins when its list is frozen


def test_the_reason_may_come_after_the_stop_and_reaches_all_that_had_none(engine: Engine) -> None:
    engine.stop("S-0", on(site="s1"), reason="first things first")
    receipt = engine.stop("S-1", on(site="s1"), on(site="s2"))

    explained = engine.do(ExplainStop(stop_id="S-1", reason="price list is wrong"))

    assert explained.stop_id == "S-1"
    assert engine.stopped("S-1").reason == "price list is wrong"
    assert engine.emergency(receipt).reason == "first things first"
    assert [engine.hold(hold_id).reason for hold_id in receipt.hold_ids] == [
        "first things first",
        "price list is wrong",
    ]
    assert not engine.do(ExplainStop(stop_id="S-1", reason="price list is wrong")).changed


def test_an_emergency_that_was_opened_in_silence_is_explained_with_its_stop(engine: Engine) -> None:
    receipt = engine.stop("S-1")

    engine.do(ExplainStop(stop_id="S-1", reason="why"))

    assert engine.emergency(receipt).reason == "why"


def test_of_an_emergency_the_stops_are_known_that_nobody_has_explained(engine: Engine) -> None:
    receipt = engine.stop("S-1")
    engine.stop("S-2", reason="told at once")
    engine.stop("S-3")
    engine.do(ExplainStop(stop_id="S-3", reason="told later"))

    assert [stop.stop_id for stop in unexplained(engine.state, engine.emergency(receipt))] == ["S-1"]


def test_a_stop_that_nobody_ordered_cannot_be_explained(engine: Engine) -> None:
    assert engine.refused(ExplainStop(stop_id="S-9", reason="x")) == "unknown-stop"


# --------------------------------------------------------------------------------------------------- verified or not


def test_a_stop_is_verified_as_soon_as_all_have_acknowledged(engine: Engine) -> None:
    engine.stop("S-1")
    engine.wait(1)

    assert not engine.count("S-1", "w1", "w2").changed
    assert engine.kinds(engine.count("S-1", "w1", "w2", "w3", "a-stranger")) == ["stop.concluded"]
    stop = engine.stopped("S-1")
    assert (stop.result, stop.acked, stop.missing, stop.concluded_at) == (
        "verified",
        ("w1", "w2", "w3"),
        (),
        engine.now,
    )
    assert not engine.count("S-1", "w1", "w2", "w3").changed


def test_when_time_is_up_the_missing_are_named(engine: Engine) -> None:
    engine.stop("S-1")
    engine.wait(4.9)
    assert not engine.count("S-1", "w2").changed

    engine.wait(0.1)
    engine.count("S-1", "w2")

    happened = engine.last()
    assert isinstance(happened, StopConcluded)
    assert (happened.result, happened.acked, happened.missing) == ("partial", ("w2",), ("w1", "w3"))
    assert run_state(engine.state) == "partly"


def test_of_the_times_that_acknowledgements_took_the_middle_and_the_slow_end_are_told() -> None:
    assert ack_times({}) is None
    assert ack_times({"w1": 0.5}) == AckTimes(1, 0.5, 0.5, 0.5, "w1")
    assert ack_times({f"w{n}": float(n) for n in range(1, 101)}) == AckTimes(100, 50.0, 95.0, 100.0, "w100")


def test_a_stop_keeps_how_long_its_acknowledgements_took_until_it_is_known_better(engine: Engine) -> None:
    engine.stop("S-1")
    engine.wait(5)
    times = ack_times({"w2": 0.4})
    engine.do(ConcludeStop(stop_id="S-1", acked=("w2",), times=times), by="keeper", kind="system")
    assert engine.state.stops["S-1"].ack_times == times

    engine.count("S-1", "w1")
    assert engine.state.stops["S-1"].ack_times == times, "a keeper that came later timed nobody"


def test_when_nobody_answers_the_stop_is_unverified_and_never_a_success(engine: Engine) -> None:
    engine.stop("S-1")
    engine.wait(5)
    engine.count("S-1")

    assert engine.stopped("S-1").result == "unverified"


def test_who_stops_late_is_still_counted_and_once_acknowledged_stays_so(engine: Engine) -> None:
    engine.stop("S-1")
    engine.wait(5)
    engine.count("S-1", "w1")

    assert not engine.count("S-1", "w1").changed
    assert not engine.count("S-1").changed
    engine.count("S-1", "w2")
    assert (engine.stopped("S-1").result, engine.stopped("S-1").missing) == ("partial", ("w3",))
    engine.count("S-1", "w3")
    assert engine.stopped("S-1").result == "verified"


def test_a_drain_that_uses_up_its_budget_halts_and_has_five_more_seconds(engine: Engine) -> None:
    hold_id = engine.stop("S-1", level="graceful").hold_ids[0]
    engine.wait(59.9)
    assert not engine.count("S-1", "w1").changed
    assert engine.hold(hold_id).mode == "drain"

    engine.wait(0.1)
    assert engine.kinds(engine.count("S-1", "w1")) == ["hold.changed", "stop.escalated"]
    assert engine.hold(hold_id).mode == "halt"
    assert engine.stopped("S-1").level == "immediate"
    assert left_s(engine, "S-1") == BUDGET_S["immediate"]

    engine.wait(5)
    engine.count("S-1", "w1")
    assert engine.stopped("S-1").result == "partial"


def test_only_the_keeper_counts(engine: Engine) -> None:
    engine.stop("S-1")

    assert engine.refused(ConcludeStop(stop_id="S-1", acked=("w1", "w2", "w3"))) == "system-only"


def test_counting_a_stop_that_is_not_in_force_changes_nothing(engine: Engine) -> None:
    receipt = engine.stop("S-1")
    engine.count("S-1", "w1", "w2", "w3")
    engine.recover(str(receipt.emergency_id))

    assert said(engine.count("S-1")) == "stop S-1 is not in force"
    assert said(engine.count("S-9")) == "stop S-9 is not in force"


# ---------------------------------------------------------------------------------------------- when emergencies meet


def test_a_stop_that_overlaps_joins_with_the_wider_scope_the_higher_level_and_the_same_correlation(
    engine: Engine,
) -> None:
    first = engine.stop("S-1", on(site="s1"), level="graceful")
    second = engine.stop("S-2", EVERYTHING, level="immediate", by="ben")

    assert second.emergency_id == first.emergency_id
    emergency = engine.emergency(second)
    assert (emergency.level, emergency.selectors, emergency.stop_ids) == ("immediate", (EVERYTHING,), ("S-1", "S-2"))
    assert {r.header.correlation_id for r in engine.journal[-second.revision + first.revision :]} == {
        emergency.correlation_id
    }


def test_a_stop_of_disjoint_work_is_an_emergency_of_its_own(engine: Engine) -> None:
    first = engine.stop("S-1", on(site="s1"))
    second = engine.stop("S-2", on(site="s2"))

    assert first.emergency_id != second.emergency_id
    assert set(engine.state.holds) == {*first.hold_ids, *second.hold_ids}
    engine.count("S-1", "w1", "w2", "w3")
    engine.recover(str(first.emergency_id), confirm="site=s1")
    assert engine.runs(site="s1")
    assert not engine.runs(site="s2")


def test_a_stop_that_overlaps_two_emergencies_joins_the_older_and_the_other_keeps_its_own_recovery(
    engine: Engine,
) -> None:
    older = engine.stop("S-1", on(site="s1"), level="graceful")
    newer = engine.stop("S-2", on(site="s2"), level="graceful")

    wide = engine.stop("S-3", EVERYTHING)
    assert wide.emergency_id == older.emergency_id
    assert engine.emergency(newer).selectors == (on(site="s2"),)
    for stop_id in ("S-1", "S-2", "S-3"):
        engine.count(stop_id, "w1", "w2", "w3")
    engine.recover(str(older.emergency_id), confirm="all")

    assert engine.runs(site="s1")
    assert not engine.runs(site="s2"), "its own case goes on"


def test_an_emergency_is_never_downgraded(engine: Engine) -> None:
    engine.stop("S-1", on(site="s1"), level="immediate")
    receipt = engine.stop("S-2", on(site="s1"), level="maintenance")

    assert engine.emergency(receipt).level == "immediate"
    assert engine.hold(receipt.hold_ids[0]).mode == "halt"
    assert engine.kinds(receipt) == ["stop.ordered"]  # the same hold, stronger already


@pytest.mark.parametrize("running", LEVELS)
@pytest.mark.parametrize("joining", LEVELS)
def test_whichever_levels_meet_the_higher_one_stands(engine: Engine, running: Level, joining: Level) -> None:
    strength = {"maintenance": 0, "service_specific": 1, "graceful": 2, "cascading": 2, "immediate": 3}
    engine.stop("S-1", level=running)
    receipt = engine.stop("S-2", level=joining)

    after = engine.emergency(receipt).level
    assert strength[after] == max(strength[running], strength[joining])


def test_a_harder_stop_of_everything_hardens_and_hastens_what_it_covers(engine: Engine) -> None:
    gentle = engine.stop("S-1", on(site="s1"), level="graceful")
    engine.wait(10)
    engine.stop("S-2", EVERYTHING)

    stop = engine.stopped("S-1")
    assert (stop.level, left_s(engine, "S-1")) == ("immediate", 5.0)
    assert engine.hold(gentle.hold_ids[0]).mode == "halt"


def test_a_harder_stop_never_puts_a_deadline_off(engine: Engine) -> None:
    engine.stop("S-1", level="maintenance")
    engine.wait(59)
    engine.stop("S-2", level="graceful")

    assert engine.stopped("S-1").level == "graceful"
    assert left_s(engine, "S-1") == 1.0
    assert {mode for *_, mode in engine.holds()} == {"drain"}  # harder, and still a drain


def test_a_harder_stop_of_a_part_leaves_the_rest_to_drain(engine: Engine) -> None:
    everything = engine.stop("S-1", EVERYTHING, level="graceful")
    part = engine.stop("S-2", on(site="s1"), level="immediate")

    assert engine.hold(everything.hold_ids[0]).mode == "drain"
    assert engine.hold(part.hold_ids[0]).mode == "halt"
    assert engine.stopped("S-1").level == "graceful"
    assert engine.emergency(part).level == "immediate"


def test_a_gentler_stop_that_joins_asks_for_no_more_than_it_said(engine: Engine) -> None:
    engine.stop("S-1", on(site="s1"), level="immediate")
    wider = engine.stop("S-2", EVERYTHING, level="graceful")

    assert engine.emergency(wider).selectors == (EVERYTHING,)
    assert engine.hold(wider.hold_ids[0]).mode == "drain"


def test_a_stop_that_is_verified_is_not_touched_by_a_later_one(engine: Engine) -> None:
    engine.stop("S-1", on(site="s1"), level="graceful")
    engine.count("S-1", "w1", "w2", "w3")
    engine.stop("S-2", EVERYTHING)

    assert engine.stopped("S-1").level == "graceful"


def test_the_deadline_of_a_stop_is_what_is_set_for_its_level_where_it_is_decided() -> None:
    state = Engine().state
    rules = Rules(budgets_s={**BUDGET_S, "immediate": 2.5, "graceful": 45.0})
    deadlines = {}
    levels: tuple[Level, ...] = ("immediate", "graceful")
    for level in levels:
        command = OrderStop(stop_id=level, selectors=(EVERYTHING,), level=level)
        envelope = Envelope(command_id=level, actor=Actor(name="ana"), door="test", command=command)
        stop = step(state, envelope, BEGINNING, Facts(live=(WorkerFact("w1"),), rules=rules)).state.stops[level]
        deadlines[level] = (stop.deadline_at - BEGINNING).total_seconds()

    assert deadlines == {"immediate": 2.5, "graceful": 45.0}
