"""Selectors, orders, snapshots: values that cross from one process to another and must mean the same there."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsgate.hold import DRAIN, HALT, Hold, whole
from opsgate.names import DIMENSIONS, FLAG_OF_OPERATION, OPERATION_OF_FLAG, operation_named
from opsgate.order import BUDGET_S, LEVELS, MODE_OF_LEVEL, Order
from opsgate.selector import EVERYTHING, Selector, SelectorError, checked_identifier, scope_text
from opsgate.snapshot import FORMAT, Delta, Notice, Snapshot
from tests.specs.engine import on
from tests.strategies import IDENTIFIERS, any_selectors, holds, selectors

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


# ---------------------------------------------------------------------------------------------------------- selectors


@given(any_selectors())
def test_a_selector_is_read_back_from_its_text_and_from_its_object(selector: Selector) -> None:
    assert Selector.parse(str(selector)) == selector
    assert Selector.from_mapping(json.loads(json.dumps(selector.as_dict()))) == selector


@given(selectors(), st.randoms())
def test_the_order_in_which_dimensions_are_said_does_not_matter(selector: Selector, chance: Any) -> None:
    pairs = list(selector.items)
    chance.shuffle(pairs)

    assert Selector.from_mapping(dict(pairs)) == selector
    assert str(Selector.from_mapping(dict(pairs))) == str(selector)


def test_dimensions_are_printed_in_one_order_and_everything_is_all() -> None:
    assert str(on(env="dev", operation="x", site="s1")) == "site=s1,operation=x,env=dev"
    assert str(EVERYTHING) == "all"
    assert Selector.parse("all") is EVERYTHING
    assert scope_text([on(site="s1"), on(site="s2")]) == "site=s1 or site=s2"


@pytest.mark.parametrize(("operation", "flag"), FLAG_OF_OPERATION.items())
def test_a_flag_and_its_operation_are_one_thing_under_two_names(operation: str, flag: str) -> None:
    assert on(operation=flag) == on(operation=operation)
    assert operation_named(flag) == operation_named(operation) == operation
    assert OPERATION_OF_FLAG[flag] == operation
    assert on(site=flag).get("site") == flag  # only where it is an operation


@given(selectors(), selectors())
def test_containing_and_overlapping_are_what_they_say_of_the_work(one: Selector, other: Selector) -> None:
    work = other.as_dict()

    assert one.contains(other) == one.covers(work)
    assert one.overlaps(other) == other.overlaps(one)
    both = one.as_dict() | other.as_dict()
    assert one.overlaps(other) == (one.covers(both) and other.covers(both))
    if one.contains(other):
        assert one.overlaps(other)


@given(selectors())
def test_everything_contains_every_selector_and_each_contains_itself(selector: Selector) -> None:
    assert EVERYTHING.contains(selector)
    assert selector.contains(selector)
    assert selector.get("site") == dict(selector.items).get("site")
    assert selector.dimensions == tuple(d for d in DIMENSIONS if selector.get(d) is not None)


@pytest.mark.parametrize(
    "text",
    ["", "site", "site=", "=s1", "site=s1,", "site=s1,site=s2", "site=s1;env=dev", "ALL", "planet=mars", "site=s 1"],
)
def test_text_that_is_no_selector_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(SelectorError, match="is not a"):
        Selector.parse(text)


@pytest.mark.parametrize(
    "value", ["", " s1", "s1 ", "-s1", ".s", "a/b", "ä", "a" * 129, "s1\n", "\x1b[2J", 5, None, b"s1"]
)
def test_an_identifier_is_rejected_never_stripped_and_shown_harmlessly(value: object) -> None:
    with pytest.raises(SelectorError) as refusal:
        checked_identifier(value, "site")
    assert str(refusal.value).isascii()
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize("value", ["s", "7", "a" * 128, "A-Z_a.z~0"])
def test_an_identifier_is_itself(value: str) -> None:
    assert checked_identifier(value) == value


@pytest.mark.parametrize("document", [["site", "s1"], "site=s1", 7, None])
def test_an_object_that_is_no_selector_is_refused(document: Any) -> None:
    with pytest.raises(SelectorError, match="write an object"):
        Selector.from_mapping(document)


# ------------------------------------------------------------------------------------------------------------- orders

ORDERS = st.builds(
    Order,
    stop_id=IDENTIFIERS,
    ordered_at=st.timedeltas(-timedelta(days=9), timedelta(days=9)).map(lambda since: NOON + since),
    selectors=st.lists(selectors(), min_size=1, max_size=3).map(tuple),
    level=st.sampled_from(LEVELS),
    reason=st.text(max_size=30),
    actor=st.text(max_size=30),
    door=st.sampled_from(["cli", "console", "latch"]),
)


@given(ORDERS)
def test_an_order_is_read_back_from_disk_or_wire_as_it_was_given(order: Order) -> None:
    assert Order.from_dict(json.loads(json.dumps(order.as_dict()))) == order


@given(ORDERS)
def test_an_order_holds_by_itself_what_it_stops_before_anybody_has_recorded_it(order: Order) -> None:
    placed = order.holds()

    assert [hold.selector for hold in placed] == list(order.selectors)
    assert {(h.source, h.owner, h.mode, h.placed_at) for h in placed} == {
        ("emergency", order.stop_id, MODE_OF_LEVEL[order.level], order.ordered_at)
    }
    assert len({hold.hold_id for hold in placed}) == len(placed)
    for selector in order.selectors:
        assert order.notice().covers(selector.as_dict())


@pytest.mark.parametrize(
    "damage",
    [
        {"level": "violent"},
        {"level": None},
        {"selectors": []},
        {"selectors": ["all"]},
        {"selectors": "all"},
        {"stop_id": "../../etc/passwd"},
        {"stop_id": ""},
        {"ordered_at": "0001-01-01T00:00:00+14:00"},
        {"ordered_at": 5},
        {"ordered_at": None},
    ],
)
def test_what_is_no_order_is_refused_by_one_of_three_errors(damage: dict[str, Any]) -> None:
    document = Order("S-1", NOON).as_dict() | damage

    with pytest.raises((ValueError, KeyError, TypeError)):
        Order.from_dict(document)


def test_every_level_has_a_budget_and_a_mode() -> None:
    assert set(BUDGET_S) == set(MODE_OF_LEVEL) == set(LEVELS)
    assert BUDGET_S["immediate"] == 5.0


# ---------------------------------------------------------------------------------------------------------- snapshots


@given(holds(1))
def test_a_hold_is_read_back_as_it_was(hold: Hold) -> None:
    assert Hold.from_dict(json.loads(json.dumps(hold.as_dict()))) == hold


def test_a_mode_of_a_later_version_is_taken_for_the_stronger_and_its_source_as_it_is() -> None:
    document = Hold("H-1", EVERYTHING, "operator", "ana").as_dict()

    assert Hold.from_dict(document).mode == DRAIN
    later = Hold.from_dict(document | {"mode": "freeze", "source": "quota", "colour": "blue"})
    assert (later.mode, later.source) == (HALT, "quota")


def test_what_an_earlier_version_did_not_write_has_a_meaning() -> None:
    document = Hold("H-1", on(site="s1"), "operator", "ana").as_dict()
    for field in ("reason", "expires_at", "admit", "correlation_id", "revision", "overdue"):
        del document[field]

    assert Hold.from_dict(document) == Hold("H-1", on(site="s1"), "operator", "ana")


SNAPSHOTS = st.builds(
    Snapshot,
    fleet=IDENTIFIERS,
    revision=st.integers(0, 2**53),
    holds=st.integers(0, 2).flatmap(lambda number: st.tuples(*map(holds, range(number)))),
    stops=st.lists(st.builds(Notice, IDENTIFIERS, st.lists(selectors(), max_size=2).map(tuple)), max_size=2).map(tuple),
    names=st.dictionaries(st.sampled_from(DIMENSIONS), st.frozensets(IDENTIFIERS, max_size=3), max_size=2),
    names_revision=st.integers(0, 2**53),
)


@settings(max_examples=30)
@given(SNAPSHOTS)
def test_a_snapshot_is_read_back_from_disk_as_it_was(snapshot: Snapshot) -> None:
    assert Snapshot.from_dict(json.loads(json.dumps(snapshot.as_dict()))) == snapshot


def test_a_delta_is_followed_only_from_the_revision_that_it_leads_on_from() -> None:
    held = Hold("H-1", EVERYTHING, "operator", "ana")
    begun = Snapshot("f1", 5, names={"site": frozenset({"s1"})}, names_revision=3)
    delta = Delta(5, 7, placed=(held,), ordered=(Notice("S-1", (EVERYTHING,)),))

    after = begun.changed(delta)

    assert after == Snapshot("f1", 7, (held,), (Notice("S-1", (EVERYTHING,)),), begun.names, 3)
    assert begun.changed(Delta(4, 7)) is None
    assert begun.changed(Delta(6, 7)) is None


def test_a_delta_replaces_what_changed_and_takes_out_what_ended() -> None:
    before = Snapshot(
        "f1",
        5,
        holds=(Hold("H-1", EVERYTHING, "operator", "ana"), Hold("H-2", on(site="s1"), "operator", "ana")),
        stops=(Notice("S-1", (EVERYTHING,)), Notice("S-2", ())),
    )
    stronger = Hold("H-1", EVERYTHING, "operator", "ana", mode=HALT)

    after = before.changed(Delta(5, 6, placed=(stronger,), released=("H-2",), ended=("S-1",)))

    assert after is not None
    assert after.holds == (stronger,)
    assert after.stops == (Notice("S-2", ()),)


BROKEN: list[Callable[[Any], Any]] = [
    lambda document: {},
    lambda document: document | {"format": FORMAT + 2},
    lambda document: document | {"format": -1},
    lambda document: document | {"format": "1"},
    lambda document: document | {"revision": float("inf")},
    lambda document: document | {"revision": "5"},
    lambda document: document | {"holds": [{}]},
    lambda document: document | {"holds": [5]},
    lambda document: document | {"names": ["s1"]},
    lambda document: document | {"stops": [{"stop_id": "S-1", "selectors": [["site", "s1"]]}]},
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_damaged_snapshot_is_refused_by_one_of_three_errors(broken: Callable[[Any], Any]) -> None:
    document = Snapshot("f1", 5).as_dict()

    with pytest.raises((ValueError, KeyError, TypeError)):
        Snapshot.from_dict(broken(document))


@pytest.mark.parametrize("missing", ["since", "revision", "placed", "released", "ordered", "ended"])
def test_a_damaged_delta_is_refused_by_one_of_three_errors(missing: str) -> None:
    document = Delta(1, 2).as_dict()
    del document[missing]

    with pytest.raises(KeyError):
        Delta.from_dict(document)


@pytest.mark.parametrize("value", [1.0, float("nan"), "1", None, []])
def test_only_a_whole_number_is_one(value: object) -> None:
    with pytest.raises(TypeError, match="not a whole number"):
        whole(value)
