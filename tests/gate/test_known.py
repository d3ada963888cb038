"""What a gate knows, merged from tables, datagrams, orders and latches. Stops merge; only three things end one."""

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgate.hold import Hold
from opsgate.known import RESTORED, Known
from opsgate.order import Lying, Order
from opsgate.selector import Selector
from opsgate.snapshot import Delta, Notice, Snapshot
from tests.gate.test_decision_order import some_holds
from tests.gate.world import AT, emergency, hold

ORDER = Order("S-1", AT)
STOPPED, NOTICE = emergency("S-1")
EMPTY = Snapshot("f-one", 10)
RECORDED = Snapshot("f-one", 11, (STOPPED,), (NOTICE,))
RELEASED = Snapshot("f-one", 12)

FOLDER = Path("latch/f-one")
LATCHED = Lying({FOLDER / "S-1": ORDER})
TAKEN_AWAY = Lying({})
FOLDER_GONE = Lying({}, frozenset({FOLDER}))


def runs(known: Known) -> bool:
    return not known.table().covering({"site": "s1"})


def test_an_order_is_in_force_before_anything_has_recorded_it() -> None:
    known = Known().read(EMPTY).ordered(ORDER)

    assert not runs(known)
    assert list(known.stops()) == ["S-1"]


def test_an_order_is_obeyed_even_where_nothing_else_is_known() -> None:
    assert not runs(Known().ordered(ORDER))


def test_once_recorded_the_stop_is_what_the_tables_say_and_is_counted_once() -> None:
    known = Known().read(EMPTY).ordered(ORDER).found(LATCHED).read(RECORDED)

    assert known.table().covering({}) == [STOPPED]
    assert list(known.stops()) == ["S-1"]


def test_a_recorded_stop_ends_when_the_tables_no_longer_have_it() -> None:
    known = Known().read(EMPTY).ordered(ORDER).read(RECORDED).read(RELEASED)

    assert runs(known)
    assert known.stops() == {}


def test_an_order_that_arrives_after_its_stop_was_released_starts_nothing_again() -> None:
    assert runs(Known().read(EMPTY).read(RECORDED).read(RELEASED).ordered(ORDER))


def test_an_order_that_no_table_has_taken_over_outlives_every_other_change() -> None:
    assert not runs(Known().read(EMPTY).ordered(ORDER).read(RELEASED))


def test_the_keeper_ends_an_unrecorded_order_by_saying_so() -> None:
    known = Known().read(EMPTY).ordered(ORDER).told(Delta(10, 10, ended=("S-1",)))

    assert known is not None
    assert runs(known)
    assert runs(known.ordered(ORDER))


def test_a_latch_stops_for_as_long_as_it_lies_there() -> None:
    latched = Known().read(EMPTY).found(LATCHED)

    assert not runs(latched)
    assert not runs(latched.read(RELEASED))
    assert runs(latched.found(TAKEN_AWAY))


def test_a_latch_that_was_left_behind_by_a_stop_that_has_ended_stops_nothing() -> None:
    """On a host without a keeper of its own nobody may be there to take it away."""
    recovered = Known().read(EMPTY).found(LATCHED).read(RECORDED).read(RELEASED)
    told = Known().read(EMPTY).found(LATCHED).told(Delta(10, 10, ended=("S-1",)))

    assert told is not None
    assert runs(recovered)
    assert runs(told)
    assert told.stops() == {}, "and nobody is told of it again"


def test_an_order_ends_with_its_latch_unless_the_tables_have_it() -> None:
    """The keeper takes a latch away when the release of its hold is recorded, and not before."""
    ordered = Known().read(EMPTY).ordered(ORDER).found(LATCHED)

    assert runs(ordered.found(TAKEN_AWAY))
    assert not runs(ordered.read(RECORDED).found(TAKEN_AWAY))


def test_a_latch_whose_whole_folder_is_gone_was_lifted_by_nobody() -> None:
    """A disk that is unmounted, or a folder removed by accident, is no recovery."""
    adrift = Known().read(EMPTY).found(LATCHED).found(FOLDER_GONE)

    assert not runs(adrift)
    assert list(adrift.stops()) == ["S-1"]
    assert not runs(adrift.read(RELEASED))
    assert not runs(adrift.found(TAKEN_AWAY)), "a folder made anew says nothing of what lay in the old one"


def test_a_stop_adrift_ends_with_what_the_journal_says() -> None:
    adrift = Known().read(EMPTY).found(LATCHED).found(FOLDER_GONE)

    ended = adrift.told(Delta(10, 10, ended=("S-1",)))
    assert ended is not None
    assert runs(ended)
    assert runs(adrift.read(RECORDED).read(RELEASED))


def test_a_stop_adrift_ends_with_its_latch_once_that_has_been_seen_again() -> None:
    adrift = Known().read(EMPTY).found(LATCHED).found(FOLDER_GONE)

    assert runs(adrift.found(LATCHED).found(TAKEN_AWAY))


def test_a_stop_that_has_ended_is_not_set_adrift() -> None:
    """Its latch lay there a moment longer than its hold."""
    ended = Known().read(EMPTY).found(LATCHED).read(RECORDED).read(RELEASED)

    assert runs(ended.found(FOLDER_GONE))


def test_of_two_latches_of_one_stop_the_folder_that_is_gone_keeps_it_in_force() -> None:
    both = Lying({FOLDER / "S-1": ORDER, Path("latch/all/S-1"): ORDER})

    assert not runs(Known().read(EMPTY).found(both).found(FOLDER_GONE))
    assert not runs(Known().read(EMPTY).found(both).found(LATCHED))


@pytest.mark.parametrize("sequence", list(permutations(["order", "latch", "tables", "delta"])))
def test_a_stop_is_in_force_in_whatever_order_its_channels_speak(sequence: tuple[str, ...]) -> None:
    known = Known().read(EMPTY)
    for channel in sequence:
        match channel:
            case "order":
                known = known.ordered(ORDER)
            case "latch":
                known = known.found(LATCHED)
            case "tables":
                known = known.read(RECORDED)
            case "delta":
                known = known.told(Delta(10, 11, (STOPPED,), (), (NOTICE,))) or known
        assert not runs(known)
        assert list(known.stops()) == ["S-1"]


def test_a_delta_that_does_not_follow_on_asks_for_the_tables() -> None:
    assert Known().told(Delta(0, 1)) is None
    assert Known().read(EMPTY).told(Delta(11, 12)) is None


def test_a_reading_that_datagrams_have_overtaken_takes_nothing_back() -> None:
    ahead = Known().read(EMPTY).told(Delta(10, 11, (STOPPED,), (), (NOTICE,)))
    assert ahead is not None

    assert ahead.read(EMPTY, asked_at=10) is ahead


# ------------------------------------------------------------------------------------------------- an older copy
OLD_COPY = Snapshot("f-one", 5)


def test_a_database_put_back_releases_no_emergency_and_no_global_pause() -> None:
    paused, narrow = hold(), hold(site="s2")
    before = Known().read(replace(RECORDED, holds=(STOPPED, paused, narrow)))

    known = before.read(OLD_COPY, asked_at=11)

    assert {held.hold_id.partition(":")[2] for held in known.table().holds} == {STOPPED.hold_id, paused.hold_id}
    assert list(known.stops()) == ["S-1"]
    assert known.revision == 5


def test_what_was_kept_survives_everything_that_the_shorter_history_does_next() -> None:
    """Its new holds have the numbers of the lost ones."""
    twin = replace(hold(site="s2"), hold_id=STOPPED.hold_id)

    known = Known().read(RECORDED).read(OLD_COPY, asked_at=11)
    known = known.read(Snapshot("f-one", 6, (twin,)), asked_at=5).read(Snapshot("f-one", 7), asked_at=6)

    assert not runs(known)


def test_what_was_kept_ends_once_the_tables_have_had_it_again() -> None:
    known = Known().read(RECORDED).read(OLD_COPY, asked_at=11)
    again = known.read(Snapshot("f-one", 6, (STOPPED,), (NOTICE,)), asked_at=5)

    assert again.table().covering({}) == [STOPPED]
    assert runs(again.read(Snapshot("f-one", 7), asked_at=6))


def test_what_was_kept_ends_when_somebody_releases_the_hold_that_says_the_database_was_put_back() -> None:
    safety = Hold("H-6", Selector(), "safety", RESTORED, placed_at=AT)
    known = Known().read(RECORDED).read(OLD_COPY, asked_at=11)

    looking = known.read(Snapshot("f-one", 6, (safety,)), asked_at=5)
    assert len(looking.table().holds) == 2

    settled = looking.read(Snapshot("f-one", 7), asked_at=6)
    assert runs(settled)
    assert (settled.line, settled.stops()) == (1, {})


def test_going_back_where_nothing_of_it_matters_is_settled_at_once() -> None:
    known = Known().read(replace(EMPTY, holds=(hold(site="s2"),))).read(OLD_COPY, asked_at=10)

    assert (known.line, known.table().holds) == (1, ())


def test_a_new_database_in_place_of_one_that_was_stopped_is_stopped_too() -> None:
    """A fresh file is the oldest backup there is. Its ordinary pauses went with it, the emergency did not."""
    before = Known().read(replace(RECORDED, holds=(STOPPED, hold())))

    known = before.read(Snapshot("f-two", 1), asked_at=11)

    assert [held.hold_id for held in known.table().holds] == [f"kept-0:{STOPPED.hold_id}"]


# ------------------------------------------------------------------------------------------------------ property
@given(
    some_holds(),
    st.lists(st.tuples(some_holds(4), st.sets(st.integers(0, 12)), st.booleans()), max_size=5),
)
def test_following_deltas_comes_to_the_same_as_reading_the_tables(
    first: list[Hold], steps: list[tuple[list[Hold], set[int], bool]]
) -> None:
    tables = Snapshot("f-one", 1, tuple(first))
    known = Known().read(tables)
    for number, (placed, gone, stops) in enumerate(steps):
        notice = Notice(f"S-{number}", (Selector(),))
        released = tuple(f"H-{n}" for n in gone if f"H-{n}" not in {held.hold_id for held in placed})
        delta = Delta(tables.revision, tables.revision + 1, tuple(placed), released, (notice,) if stops else ())
        tables = tables.changed(delta) or tables
        followed = known.told(delta)
        assert followed is not None
        known = followed

    read = Known().read(tables)
    assert known.revision == read.revision
    assert known.table().by_id == read.table().by_id
    assert known.stops() == read.stops()
