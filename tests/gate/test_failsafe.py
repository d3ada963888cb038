"""What each class of operation does when the state is old or was never there."""

import pytest

from opsgate.evaluate import ALLOWED, Verdict
from opsgate.failsafe import CLASSES, FRESH_S, Policy, judge
from opsgate.testing import FakeGate
from tests.gate.world import hold

DAY_S = 86_400.0
POLICY = {"payout": "hazardous", "content_generation": "guarded"}
NAMES = {"operation": frozenset({"payout", "content_generation", "site_creation"})}

# operation, age of the state in seconds, may run, outcome
ROWS = (
    ("site_creation", 15.0, True, "allowed"),
    ("site_creation", 16.0, True, "allowed"),
    ("site_creation", 301.0, True, "allowed"),
    ("site_creation", 30 * DAY_S, True, "allowed"),
    ("content_generation", 15.0, True, "allowed"),
    ("content_generation", 299.0, True, "allowed"),
    ("content_generation", 301.0, False, "unknown"),
    ("payout", 14.0, True, "allowed"),
    ("payout", 16.0, False, "unknown"),
    ("payout", 30 * DAY_S, False, "unknown"),
)


@pytest.mark.parametrize(("operation", "age_s", "allowed", "outcome"), ROWS)
def test_an_old_state_closes_each_class_at_its_own_age(
    operation: str, age_s: float, allowed: bool, outcome: str
) -> None:
    gate = FakeGate(names=NAMES, policy=POLICY)
    gate.cut_off(age_s)

    decision = gate.check(operation=operation)

    assert (decision.allowed, decision.outcome) == (allowed, outcome)
    assert decision.decided_by == ("live" if age_s < FRESH_S else "cache")
    assert decision.age_s == pytest.approx(age_s, abs=1)


@pytest.mark.parametrize("operation", ["site_creation", "content_generation", "payout"])
@pytest.mark.parametrize("age_s", [1.0, 60.0, 3600.0, 365 * DAY_S])
def test_a_stop_never_becomes_a_run_by_growing_old(operation: str, age_s: float) -> None:
    gate = FakeGate(names=NAMES, policy=POLICY)
    paused = gate.pause(operation=operation)
    gate.cut_off(age_s)

    decision = gate.check(operation=operation)

    assert (decision.outcome, decision.blockers) == ("blocked", (paused,))


@pytest.mark.parametrize("operation", ["site_creation", "content_generation", "payout"])
def test_an_emergency_seen_and_not_seen_released_closes_everything_once_the_state_is_old(operation: str) -> None:
    """Also what it does not cover: whoever cannot hear does not know how far it has spread."""
    gate = FakeGate(names=NAMES | {"site": frozenset({"s1"})}, policy=POLICY)
    stopped = gate.stop(site="s1")
    assert gate.check(operation=operation)

    gate.cut_off(FRESH_S + 1)
    decision = gate.check(operation=operation)

    assert (decision.outcome, decision.blockers) == ("blocked", (stopped,))
    assert "an emergency was in force" in decision.headline
    gate.cut_off(None)
    assert gate.check(operation=operation)


def test_an_age_of_ones_own_takes_the_place_of_the_class() -> None:
    rules = Policy({"payout": "hazardous"}, {"payout": 5, "site_creation": 600})

    assert judge(ALLOWED, rules.of("payout"), 6.0).allowed is False
    assert judge(ALLOWED, rules.of("site_creation"), 599.0).allowed is True
    assert judge(ALLOWED, rules.of("site_creation"), 601.0).allowed is False
    assert rules.fresh_s == 5


def test_a_flag_and_its_operation_have_one_class() -> None:
    assert Policy({"enableSiteCreation": "guarded"}).of("site_creation") is CLASSES["guarded"]


@pytest.mark.parametrize(("name", "allowed"), [("routine", True), ("guarded", False), ("hazardous", False)])
def test_with_nothing_known_the_class_alone_decides_and_the_outcome_says_unknown(name: str, allowed: bool) -> None:
    judged = judge(ALLOWED, CLASSES[name], None)

    assert (judged.allowed, judged.verdict.outcome) == (allowed, "unknown")
    assert "nothing is known of the fleet" in judged.note


@pytest.mark.parametrize("name", CLASSES)
def test_with_something_known_that_cannot_be_read_every_class_is_closed(name: str) -> None:
    judged = judge(ALLOWED, CLASSES[name], None, illegible=True)

    assert (judged.allowed, judged.verdict.outcome) == (False, "unknown")
    assert (
        judged.note == f"what was last known of the fleet cannot be read: {name} work is closed until the fleet can be"
    )


@pytest.mark.parametrize("name", CLASSES)
def test_a_latch_is_obeyed_though_nothing_else_is_known(name: str) -> None:
    latched = Verdict("blocked", (hold(source="emergency"),))

    assert judge(latched, CLASSES[name], None).verdict is latched


def test_a_class_or_an_age_that_is_none_is_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="'harmless' is not a class of operations: use one of routine, guarded, hazar"):
        Policy({"payout": "harmless"})
    for age_s in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="max_stale of payout"):
            Policy(max_stale_s={"payout": age_s})
