"""Moving about: further lists, filter, sort, and the way back, by the keys and by the names that command mode uses."""

from __future__ import annotations

import pytest

from opsconsole.panes import NAMES
from tests.console.desk import Desk, small_fleet

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("name", NAMES)
async def test_every_list_can_be_shown_by_its_name_and_escape_goes_back(name: str) -> None:
    desk = Desk(small_fleet())
    async with desk.at(80, 24):
        assert desk.console.show_list(name)
        await desk.settle()
        assert f"{desk.console.pane.title} " in desk.text()
        if name not in {"global", "sites", "flags", "limits", "emergencies", "recovery"}:
            await desk.press("escape")
            assert desk.console.pane.name == "sites"


async def test_a_list_of_no_known_name_is_not_shown() -> None:
    desk = Desk(small_fleet())
    async with desk.at(80, 24):
        assert not desk.console.show_list("nothing")
        assert desk.console.pane.name == "sites"


async def test_the_filter_narrows_with_every_key_and_escape_shows_all_again() -> None:
    desk = Desk(small_fleet())
    async with desk.at(80, 24):
        await desk.press("/")
        await desk.type("shop")
        assert "2 of 6" in desk.text()
        assert "search" not in desk.text()
        await desk.press("enter")
        assert "2 of 6 (filter: shop)" in desk.text()
        await desk.press("escape")
        assert "filter:" not in desk.text()
        assert "search" in desk.text()


async def test_a_filter_hides_no_alarm_and_says_what_it_hides() -> None:
    desk = Desk(small_fleet())
    async with desk.at(80, 24):
        await desk.press("/")
        await desk.type("mail")
        await desk.press("enter")
        assert "1 of 6 (filter: mail, hides 1 alarmed)" in desk.text()
        assert "2[Sites !1]" in desk.text()
        assert "1 site held" in desk.row(0)


async def test_enter_in_the_filter_confirms_nothing_and_a_stop_still_fires() -> None:
    desk = Desk(small_fleet())
    async with desk.at(80, 24):
        await desk.press("/", "!", "S")
        await desk.until(lambda: len(desk.orders) == 1)


async def test_sorting_goes_through_the_columns_and_back_to_worst_first() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("o")
        assert "sort: SITE" in desk.text()
        assert desk.console.pane.table.rows[0].key == "feed"
        for _column in desk.console.pane.table.columns:
            await desk.press("o")
        assert "sort:" not in desk.text()
        assert desk.console.pane.table.rows[0].key == "shop-eu"


async def test_a_column_is_sorted_by_its_name_and_turned_round_by_a_minus() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        assert desk.console.sort("-site") == ""
        assert desk.console.pane.table.rows[0].key == "shop-us"
        assert "no column COLOUR here" in desk.console.sort("colour")


async def test_the_next_match_is_found_when_all_rows_are_shown_again() -> None:
    desk = Desk(small_fleet())
    async with desk.at(80, 24):
        await desk.press("/")
        await desk.type("shop")
        await desk.press("enter", "escape", "g", "n")
        assert desk.console.pane.selected == "shop-us"
        await desk.press("n")
        assert "no further match" in desk.text()
        await desk.press("N")
        assert desk.console.pane.selected == "shop-eu"
