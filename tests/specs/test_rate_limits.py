"""Rate limits: at most so much within any window, whatever the clock does."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.capabilities.rate_limits import AddLimit, Grant, ResetLimit, SetLimit, limit_named, reserve
from core.errors import CommandRejected, RevisionConflict, UnknownName
from core.state import Limit
from tests.specs.engine import Engine, Kind, on, said

HOUR = 3600.0
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at_most(limit: int, window_s: float = HOUR) -> Limit:
    return Limit("pages", limit, window_s, "content_generation", None, NOON, "ana")


@pytest.fixture
def engine() -> Engine:
    return Engine()


# --------------------------------------------------------------------------------------------------------- arithmetic


def test_costs_are_granted_until_the_window_is_full() -> None:
    assert reserve(at_most(3), 1, [], 0.0) == Grant(granted=True, used=1, limit=3)
    assert reserve(at_most(3), 2, [(0.0, 1)], 1.0) == Grant(granted=True, used=3, limit=3)
    assert reserve(at_most(3), 1, [(0.0, 1), (1.0, 2)], 2.0) == Grant(False, used=3, limit=3, retry_after_s=HOUR - 2.0)


def test_the_window_slides_with_each_reservation_and_not_by_the_hour() -> None:
    used = [(0.0, 1), (1800.0, 1)]

    assert not reserve(at_most(2), 1, used, 3599.9).granted
    assert reserve(at_most(2), 1, used, 3600.0).granted
    assert not reserve(at_most(2), 2, used, 3600.0).granted


def test_retry_after_waits_for_as_many_as_the_cost_needs() -> None:
    used = [(10.0, 1), (20.0, 1), (30.0, 3)]

    assert reserve(at_most(5, 100.0), 1, used, 40.0).retry_after_s == 70.0
    assert reserve(at_most(5, 100.0), 2, used, 40.0).retry_after_s == 80.0
    assert reserve(at_most(5, 100.0), 3, used, 40.0).retry_after_s == 90.0


def test_what_costs_more_than_the_limit_is_never_granted() -> None:
    assert reserve(at_most(5), 6, [], 0.0) == Grant(granted=False, used=0, limit=5, retry_after_s=None)


def test_a_limit_of_zero_grants_nothing_ever() -> None:
    assert reserve(at_most(0), 1, [], 0.0) == Grant(granted=False, used=0, limit=0, retry_after_s=None)


def test_a_lowered_limit_acts_on_what_is_used_already() -> None:
    used = [(float(second), 1) for second in range(8)]

    refused = reserve(at_most(3), 1, used, 8.0)

    assert refused == Grant(granted=False, used=8, limit=3, retry_after_s=5 + HOUR - 8.0)  # when only two count


def test_a_refund_is_a_row_less_and_frees_at_once() -> None:
    used = [(0.0, 2), (1.0, 1)]

    assert not reserve(at_most(3), 1, used, 2.0).granted
    assert reserve(at_most(3), 1, used[1:], 2.0).granted


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    used = [(5_000.0, 3)]

    assert not reserve(at_most(3), 1, used, 1_000.0).granted  # an hour and more before they were made


@pytest.mark.parametrize("cost", [0, -1, -100])
def test_a_cost_below_one_is_refused_for_it_would_hand_out_what_nobody_had(cost: int) -> None:
    with pytest.raises(CommandRejected, match="at least 1"):
        reserve(at_most(3), cost, [], 0.0)


USAGE = st.lists(st.tuples(st.floats(1.7e9, 1.7e9 + 10_000), st.integers(1, 5)), max_size=30).map(sorted)


@given(st.integers(1, 40), st.integers(1, 10), USAGE, st.floats(1.7e9, 1.7e9 + 20_000))
def test_retry_after_is_the_first_moment_at_which_the_same_reservation_succeeds(
    limit: int, cost: int, usage: list[tuple[float, int]], now_s: float
) -> None:
    asked = reserve(at_most(limit), cost, usage, now_s)

    assert asked.granted == (asked.used <= limit and asked.retry_after_s is None and cost <= limit)
    if asked.retry_after_s is not None:
        then = now_s + asked.retry_after_s
        assert then > now_s
        assert reserve(at_most(limit), cost, usage, then).granted
        assert not reserve(at_most(limit), cost, usage, then - 1e-3).granted or asked.retry_after_s < 1e-3


@given(st.integers(1, 20), st.lists(st.tuples(st.floats(-60, 600), st.integers(1, 6)), max_size=60))
def test_no_window_ever_holds_more_than_the_limit_even_when_the_clock_jumps(
    limit: int, tries: list[tuple[float, int]]
) -> None:
    now_s, granted = 1.7e9, list[tuple[float, int]]()
    for step_s, cost in tries:
        now_s += step_s
        if reserve(at_most(limit, 100.0), cost, sorted(granted), now_s).granted:
            granted.append((now_s, cost))

    for start, _ in granted:
        assert sum(cost for at_s, cost in granted if start <= at_s < start + 100.0) <= limit


# -------------------------------------------------------------------------------------------------------- definitions


def test_a_limit_is_known_by_its_own_name_and_by_that_of_the_settings_it_comes_from(engine: Engine) -> None:
    assert limit_named(engine.state, "maxSitesPerHour") is limit_named(engine.state, "sites")
    with pytest.raises(UnknownName, match="no limit is called nonesuch"):
        limit_named(engine.state, "nonesuch")


def test_a_limit_is_changed_by_either_name(engine: Engine) -> None:
    engine.do(SetLimit(name="maxSitesPerHour", limit=3))
    engine.do(SetLimit(name="sites", limit=3, window_s=60))

    limit = engine.state.limits["sites"]
    assert (limit.limit, limit.window_s, limit.operation, limit.changed_by) == (3, 60.0, "site_creation", "ana")


def test_setting_a_limit_to_what_it_is_changes_nothing(engine: Engine) -> None:
    receipt = engine.do(SetLimit(name="sites", limit=10))

    assert not receipt.changed
    assert said(receipt) == "limit sites is 10 already"


def test_a_custom_limit_has_any_window_and_charges_an_operation_under_either_name(engine: Engine) -> None:
    engine.do(AddLimit(name="tests", limit=7, window_s=90.5, operation="enableABTesting"))

    limit = engine.state.limits["tests"]
    assert (limit.limit, limit.window_s, limit.operation) == (7, 90.5, "ab_testing")


def test_the_same_definition_again_changes_nothing_and_another_under_that_name_is_refused(engine: Engine) -> None:
    engine.do(AddLimit(name="tests", limit=7))

    assert not engine.do(AddLimit(name="tests", limit=7)).changed
    assert engine.refused(AddLimit(name="tests", limit=8)) == "limit-exists"
    assert engine.refused(AddLimit(name="maxSitesPerHour", limit=8)) == "limit-exists"


def test_a_limit_on_an_operation_that_nobody_registered_is_refused_unless_it_says_create(engine: Engine) -> None:
    wanted = AddLimit(name="pay", limit=1, operation="payout")

    assert engine.refused(wanted) == "unknown-name"
    receipt = engine.do(wanted.model_copy(update={"create": True}))
    assert engine.kinds(receipt) == ["name.added", "limit.defined"]


@pytest.mark.parametrize(
    "fields", [{"limit": -1}, {"limit": 2_000_000_000}, {"limit": 1.5}, {"limit": True}, {"limit": "7"}]
)
def test_a_limit_is_a_whole_number_from_zero_up(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="limit"):
        AddLimit.model_validate({"name": "x", **fields})


@pytest.mark.parametrize("window_s", [0.0, -1.0, float("inf"), float("nan"), 1e9])
def test_a_window_is_longer_than_nothing_and_at_most_a_month(window_s: float) -> None:
    with pytest.raises(ValueError, match="window_s"):
        AddLimit(name="x", limit=1, window_s=window_s)


def test_a_used_up_limit_holds_nothing(engine: Engine) -> None:
    assert engine.runs(operation="site_creation")
    assert not reserve(engine.state.limits["sites"], 1, [(0.0, 10)], 1.0).granted
    assert engine.runs(operation="site_creation")


# --------------------------------------------------------------------------------------------------------------- zero


def test_a_limit_of_zero_stops_the_operation_it_charges_and_shows_as_a_blocker(engine: Engine) -> None:
    engine.do(SetLimit(name="sites", limit=0), by="ben")

    blocker = engine.verdict(operation="enableSiteCreation", site="s1").blockers[0]
    assert (blocker.hold_id, blocker.source, blocker.owner) == ("limit:sites", "limit", "maxSitesPerHour")
    assert engine.runs(operation="content_generation")


def test_a_zero_limit_that_charges_nothing_stops_nothing(engine: Engine) -> None:
    engine.do(AddLimit(name="spare", limit=0))

    assert engine.state.snapshot().holds == ()


def test_raising_a_limit_from_zero_is_a_release_and_lowering_it_is_not(engine: Engine) -> None:
    looked_at = engine.state.revision
    engine.do(SetLimit(name="sites", limit=0))

    assert engine.do(SetLimit(name="content_pages", limit=1), looked_at=looked_at).changed
    with pytest.raises(RevisionConflict):
        engine.do(SetLimit(name="sites", limit=10), looked_at=looked_at)
    assert engine.do(SetLimit(name="sites", limit=10), looked_at=engine.state.revision).changed
    assert engine.runs(operation="site_creation")


@pytest.mark.parametrize("kind", ["automation", "system"])
def test_no_program_raises_a_limit_from_zero(engine: Engine, kind: Kind) -> None:
    engine.do(SetLimit(name="sites", limit=0))

    assert engine.refused(SetLimit(name="sites", limit=1), kind=kind) == "person-only"


def test_becoming_and_leaving_zero_move_what_a_release_looks_at_and_other_numbers_do_not(engine: Engine) -> None:
    def moved() -> bool:
        return engine.state.control_revision == engine.state.revision

    engine.do(SetLimit(name="sites", limit=5))
    assert not moved()
    engine.do(SetLimit(name="sites", limit=0))
    assert moved()
    engine.do(SetLimit(name="sites", limit=3))
    assert moved()
    engine.do(AddLimit(name="some", limit=9, operation="ab_testing"))
    assert not moved()
    engine.do(AddLimit(name="none", limit=0, operation="ab_testing"))
    assert moved()


def test_forgetting_what_was_used_is_an_event_and_leaves_the_limit_as_it_was(engine: Engine) -> None:
    before = engine.state.limits["sites"]
    engine.wait(5)

    assert engine.kinds(engine.do(ResetLimit(name="maxSitesPerHour"))) == ["limit.reset"]
    assert engine.state.limits["sites"] == before


def test_why_an_operation_is_held_by_a_zero_limit_is_said_in_words(engine: Engine) -> None:
    engine.do(SetLimit(name="sites", limit=0))
    engine.pause(on(operation="site_creation"))

    assert [hold.source for hold in engine.verdict(operation="site_creation").blockers] == ["operator", "limit"]
