"""Finding the holds that overlap a scope: the same as comparing it with each, at a cost that unrelated ones do not add
to."""

import sys
from collections.abc import Callable
from types import FrameType

from hypothesis import given
from hypothesis import strategies as st

from core.state import State
from opsgate.hold import Hold
from opsgate.selector import Selector
from tests.strategies import any_selectors, selectors


def held(chosen: list[Selector]) -> State:
    """A state with a hold on each of these selectors."""
    state = State()
    for number, selector in enumerate(chosen):
        state = state.with_hold(Hold(f"H-{number}", selector, "operator", "ana", revision=number))
    return state


def calls(act: Callable[[], object]) -> int:
    """How many functions, ours and the interpreter's, are called."""
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return counted


@given(
    st.lists(selectors() | any_selectors(), max_size=12),
    st.lists(selectors() | any_selectors(), max_size=4),
    st.sets(st.integers(0, 11)),
)
def test_what_touches_a_scope_is_what_overlaps_it_also_after_releases(
    chosen: list[Selector], scopes: list[Selector], gone: set[int]
) -> None:
    state = held(chosen)
    for number in gone & set(range(len(chosen))):
        state = state.without_hold(f"H-{number}", 99)

    assert {hold.hold_id for hold in state.holds_touching(scopes)} == {
        hold_id for hold_id, hold in state.holds.items() if any(hold.selector.overlaps(scope) for scope in scopes)
    }


@given(st.lists(selectors(), max_size=8))
def test_the_index_of_a_state_whose_holds_are_gone_is_empty(chosen: list[Selector]) -> None:
    state = held(chosen)
    for hold_id in list(state.holds):
        state = state.without_hold(hold_id, 99)

    assert not state.reach


def test_holds_on_other_sites_cost_nothing() -> None:
    def cost(others: int) -> int:
        sites = [Selector.of(site=f"s{number}") for number in range(others)]
        both = [Selector.of(site=f"s{number}", operation="ab_testing") for number in range(others)]
        state = held([Selector(), Selector.of(site="mine"), *sites, *both])
        found: list[tuple[Hold, ...]] = []
        counted = calls(lambda: found.append(state.holds_touching([Selector.of(site="mine", env="dev")])))
        assert [hold.hold_id for hold in found[0]] == ["H-0", "H-1"]
        return counted

    assert cost(2000) == cost(20)
