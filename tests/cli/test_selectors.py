"""SELECTOR on the command line: and, or, patterns, and the sentences for what is none."""

from collections.abc import Iterable

import pytest

from opsconsole.cli.selectors import NoSelector, NothingMatches, selectors_of, single
from opsgate.selector import EVERYTHING, Selector, SelectorError

KNOWN = {"site": ["shop-eu", "shop-us", "mail"], "operation": ["ab_testing", "site_creation"]}


def names(dimension: str) -> Iterable[str]:
    return KNOWN.get(dimension, ())


def printed(everything: bool = False, **dimensions: list[str]) -> list[str]:
    return [str(selector) for selector in selectors_of(everything, dimensions, names)]


def test_all_is_the_selector_of_everything() -> None:
    assert selectors_of(True, {}) == (EVERYTHING,)


def test_different_options_together_mean_and() -> None:
    assert printed(site=["s1"], operation=["ab_testing"]) == ["site=s1,operation=ab_testing"]


def test_a_repeated_option_means_or_with_one_selector_each() -> None:
    assert printed(site=["a", "b"], env=["dev"]) == ["site=a,env=dev", "site=b,env=dev"]


def test_a_name_given_twice_is_one_selector() -> None:
    assert printed(site=["a", "a"]) == ["site=a"]


def test_a_flag_is_the_operation_it_switches() -> None:
    assert printed(operation=["enableABTesting"]) == ["operation=ab_testing"]


def test_a_pattern_stands_for_the_registered_names_that_match_now() -> None:
    assert printed(site=["shop-*"]) == ["site=shop-eu", "site=shop-us"]


def test_a_pattern_matches_an_operation_by_either_of_its_spellings() -> None:
    assert printed(operation=["enableSite*"]) == printed(operation=["site_*"]) == ["operation=site_creation"]


def test_no_selector_where_one_is_required_says_how_to_give_one() -> None:
    with pytest.raises(NoSelector, match="say which work is meant: --all, or some of --site --operation"):
        selectors_of(False, {"site": ()})


def test_all_beside_a_narrower_option_is_a_contradiction() -> None:
    with pytest.raises(SelectorError, match="leave out --site"):
        selectors_of(True, {"site": ["s1"]})


@pytest.mark.parametrize("name", ["", "a b", "-x", "é", "a\0b", "x" * 129, "\ud800", "../x", "a;b"])
def test_a_name_that_is_no_identifier_is_rejected_and_never_stripped(name: str) -> None:
    with pytest.raises(SelectorError, match="is not a valid site"):
        selectors_of(False, {"site": [name]})


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    with pytest.raises(NothingMatches, match="no site matches 'x\\*'"):
        printed(site=["x*"])


def test_a_pattern_over_names_that_are_not_registered_is_refused() -> None:
    with pytest.raises(SelectorError, match="--account takes no pattern"):
        printed(account=["a*"])


def test_a_pattern_where_names_cannot_be_read_is_refused() -> None:
    with pytest.raises(SelectorError, match="write the names out"):
        selectors_of(False, {"site": ["a*"]}, None)


def test_options_that_stand_for_too_many_selectors_are_refused_before_they_are_made() -> None:
    many = [f"n{number}" for number in range(2_000)]
    with pytest.raises(SelectorError, match="stand for 4000000 selectors, 10000 at most"):
        selectors_of(False, {"site": many, "campaign": many})


def test_a_command_about_one_piece_of_work_takes_one_selector() -> None:
    assert single((Selector.of(site="a"),), "check") == Selector.of(site="a")
    with pytest.raises(SelectorError, match="check takes one of each option"):
        single((Selector.of(site="a"), Selector.of(site="b")), "check")
