"""The decision: every blocker, in one documented order, and the same at any size."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgate.evaluate import Table, admitted, evaluate, headline
from opsgate.hold import LIMIT_SOURCE, Hold
from opsgate.names import DIMENSIONS, FLAG_OF_OPERATION
from opsgate.selector import Selector
from tests.gate.world import AT

WORK = {
    "site": "s1",
    "operation": "site_creation",
    "workflow": "xml-import",
    "service": "api",
    "dependency": "stripe",
    "campaign": "c1",
    "account": "a1",
    "agent": "p1",
    "env": "prod",
}

IN_ORDER: tuple[tuple[str, dict[str, str], str], ...] = (
    ("emergency", {"campaign": "c1"}, "campaign=c1 is stopped by emergency E-7: because"),
    ("operator", {}, "everything is paused by ana: because"),
    ("flag", {"operation": "site_creation"}, "operation site_creation is switched off: because"),
    ("operator", {"site": "s1"}, "site=s1 is paused by ana: because"),
    ("operator", {"dependency": "stripe"}, "dependency=stripe is paused by ana: because"),
    ("workflow", {"workflow": "xml-import"}, "workflow xml-import is disabled: because"),
    ("operator", {"campaign": "c1"}, "campaign=c1 is paused by ana: because"),
    (LIMIT_SOURCE, {"operation": "site_creation"}, "limit maxSitesPerHour is 0, so operation=site_creation is stopped"),
    ("file", {"agent": "p1"}, "agent=p1 is held by file ana: because"),
)
"""Emergency, global, flag, site, dependency, workflow, campaign, a limit of zero, the local agent; and what is said."""


def held(number: int, source: str, selector: dict[str, str], **fields: Any) -> Hold:
    owner = {"emergency": "E-7", LIMIT_SOURCE: "maxSitesPerHour"}.get(source, "ana")
    return Hold(f"H-{number}", Selector.of(**selector), source, owner, "because", placed_at=AT, **fields)


HOLDS = [held(number, source, selector) for number, (source, selector, _) in enumerate(IN_ORDER)]


@pytest.mark.parametrize(("higher", "lower"), itertools.combinations(range(len(HOLDS)), 2))
def test_of_two_blockers_the_higher_one_is_the_headline_whichever_came_first(higher: int, lower: int) -> None:
    for holds in ([HOLDS[higher], HOLDS[lower]], [HOLDS[lower], HOLDS[higher]]):
        verdict = evaluate(Table(holds), WORK)

        assert verdict.outcome == "blocked"
        assert verdict.blockers == (HOLDS[higher], HOLDS[lower])
        assert headline(verdict) == IN_ORDER[higher][2]


def test_all_blockers_are_named_at_once() -> None:
    assert evaluate(Table(reversed(HOLDS)), WORK).blockers == tuple(HOLDS)


def test_equal_blockers_stand_by_age() -> None:
    older, younger = held(9, "operator", {"site": "s1"}), held(1, "operator", {"site": "s1"})
    younger = Hold(**{name: getattr(younger, name) for name in Hold.__slots__} | {"placed_at": AT + timedelta(1)})

    assert evaluate(Table([younger, older]), WORK).blockers == (older, younger)


def test_nothing_forces_a_way_past_a_hold() -> None:
    """Not even another hold that admits everything."""
    generous = held(1, "emergency", {}, admit=1.0)

    assert evaluate(Table([generous]), WORK).outcome == "allowed"
    assert evaluate(Table([generous, held(2, "operator", {"site": "s1"})]), WORK).outcome == "blocked"


def test_an_operation_answers_to_its_flag_and_the_flag_to_its_operation() -> None:
    table = Table([held(1, "flag", {"operation": "enableABTesting"})], {"operation": frozenset({"ab_testing"})})

    for spelling in ("ab_testing", "enableABTesting"):
        assert evaluate(table, {"operation": spelling}).outcome == "blocked"
    assert evaluate(table, {"operation": "site_creation"}).unknown_names == ("operation=site_creation",)


def test_an_unknown_name_is_allowed_and_named_and_refused_only_when_strict() -> None:
    table = Table((), {"site": frozenset({"s1"})})

    assert evaluate(table, {"site": "s1"}) == evaluate(table, {"site": "s1"}, strict=True)
    relaxed, strict = evaluate(table, {"site": "s9"}), evaluate(table, {"site": "s9"}, strict=True)
    assert (relaxed.outcome, relaxed.unknown_names) == ("allowed", ("site=s9",))
    assert (strict.outcome, headline(strict)) == ("blocked", "unknown name site=s9 (strict mode refuses it)")


def test_a_hold_on_everything_covers_unknown_names_too() -> None:
    assert evaluate(Table([held(1, "operator", {})]), {"site": "never heard of"}).outcome == "blocked"


# ------------------------------------------------------------------------------------------------------ properties
VALUES = st.sampled_from(["a", "b", "c"])
OPERATIONS = st.sampled_from(["ab_testing", "enableABTesting", "own_flag"])
SELECTORS = st.dictionaries(st.sampled_from(DIMENSIONS), VALUES, max_size=3).flatmap(
    lambda chosen: OPERATIONS.map(lambda name: chosen | ({"operation": name} if "operation" in chosen else {}))
)


@st.composite
def some_holds(draw: st.DrawFn, sizes: int = 12) -> list[Hold]:
    """Holds with ids of their own."""
    selectors = draw(st.lists(SELECTORS, max_size=sizes))
    return [Hold(f"H-{n}", Selector.of(**s), "operator", "ana", placed_at=AT) for n, s in enumerate(selectors)]


def brute(holds: list[Hold], work: dict[str, str]) -> set[str]:
    """Whom the definition of a selector says covers the work, one by one."""
    stored = Selector.from_mapping(work).as_dict()
    return {hold.hold_id for hold in holds if hold.selector.covers(stored)}


@given(some_holds(), SELECTORS)
def test_the_index_finds_exactly_the_holds_that_cover(holds: list[Hold], work: dict[str, str]) -> None:
    assert {hold.hold_id for hold in Table(holds).covering(work)} == brute(holds, work)


@given(some_holds(), SELECTORS)
def test_work_whose_values_no_selector_mentions_is_covered_by_global_holds_only(
    holds: list[Hold], work: dict[str, str]
) -> None:
    """This is what lets most checks end after a few lookups."""
    table = Table(holds)
    mentioned = any(value in table.mentioned.get(dimension, {}) for dimension, value in work.items())

    if not mentioned:
        assert all(hold.is_global for hold in table.covering(work))


@given(some_holds(), some_holds(), st.sets(st.integers(0, 12)), SELECTORS)
def test_a_table_made_by_difference_equals_one_made_anew(
    before: list[Hold], placed: list[Hold], gone: set[int], work: dict[str, str]
) -> None:
    names = {f"H-{number}" for number in gone}
    after = {hold.hold_id: hold for hold in before if hold.hold_id not in names} | {h.hold_id: h for h in placed}

    changed, anew = Table(before).changed(placed, names), Table(after.values())

    assert changed.by_id == anew.by_id
    assert changed.mentioned == {d: v for d, v in changed.mentioned.items() if v or d not in anew.mentioned}
    assert {d: v for d, v in changed.mentioned.items() if v} == anew.mentioned
    assert {hold.hold_id for hold in changed.covering(work)} == brute(list(after.values()), work)


@given(some_holds(), some_holds())
def test_making_another_table_leaves_the_first_as_it_was(before: list[Hold], placed: list[Hold]) -> None:
    table = Table(before)
    mentioned = {dimension: dict(values) for dimension, values in table.mentioned.items()}

    table.changed(placed, [hold.hold_id for hold in before])

    assert (table.by_id, table.mentioned) == ({hold.hold_id: hold for hold in before}, mentioned)


@given(st.text(max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_raising_a_share_only_adds_work(key: str, one: float, other: float) -> None:
    low, high = sorted((one, other))

    if admitted(held(1, "emergency", {}, admit=low), WORK, key):
        assert admitted(held(1, "emergency", {}, admit=high), WORK, key)


def test_a_share_is_about_that_share() -> None:
    ramp = held(1, "emergency", {}, admit=0.25)

    through = sum(admitted(ramp, WORK, f"job-{number}") for number in range(4000))

    assert 0.22 < through / 4000 < 0.28


def test_a_share_admits_the_same_work_under_either_name_of_its_operation() -> None:
    ramp = held(1, "emergency", {}, admit=0.5)

    for operation, flag in FLAG_OF_OPERATION.items():
        assert admitted(ramp, {"operation": operation}, None) == admitted(ramp, {"operation": flag}, None)
