"""Command mode, the palette and the help as an operator uses them: Enter confirms nothing, and all is foretold."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from textual import events

from core.capabilities.holds import PlaceHold
from opsconsole.dress import Dress
from opsgate.selector import Selector
from tests.console.desk import WHO, Desk, small_fleet

pytestmark = pytest.mark.asyncio


async def typed(desk: Desk, text: str) -> None:
    """Open command mode and type."""
    await desk.press("colon")
    await desk.type(text)


def row_of(desk: Desk, site: str) -> str:
    """The row of a site in its list."""
    return next(row for row in desk.text().split("\n") if f"┃  {site} " in row or f"┃ >{site} " in row)


async def test_the_line_stands_above_the_keys_and_says_what_it_would_do() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        truth = [desk.row(0), desk.row(1)]
        await typed(desk, "pause shop-eu shop-us")
        assert desk.row(-2).startswith(" :pause shop-eu shop-us")
        assert "! S STOP ALL" in desk.row(-1)
        assert "pauses 2 sites: shop-eu shop-us; 4 workers; asks for y" in desk.text()
        assert [desk.row(0), desk.row(1)] == truth
        await desk.press("escape")
        assert ":pause" not in desk.text()


async def test_a_pattern_says_what_it_stands_for_now() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await typed(desk, "pause shop-*")
        assert "pauses 2 sites: shop-eu shop-us" in desk.text()
        await desk.press("ctrl+u")
        await desk.type("pause nothing-*")
        assert "column 7: no site matches nothing-*" in desk.text()


async def test_an_unknown_name_is_told_with_what_may_have_been_meant() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await typed(desk, "pause shop-ue")
        assert "column 7: unknown site shop-ue; did you mean shop-" in desk.text()
        await desk.press("enter")
        assert desk.row(-2).startswith(" :pause shop-ue"), "there is nothing to do, so the line stays"


async def test_enter_opens_the_prompt_of_the_key_and_confirms_nothing() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await typed(desk, "pause mail search -- INC-7 wrong prices")
        await desk.press("enter", "enter", "enter")
        assert desk.fleet.submitted == []
        assert "INC-7 wrong prices" in desk.text()
        await desk.confirm("PAUSE 2 sites", "mail", "search")
        await desk.until(lambda: len(desk.fleet.submitted) == 1)
        command = desk.fleet.submitted[0].command
        assert isinstance(command, PlaceHold)
        assert command.selectors == (Selector.of(site="mail"), Selector.of(site="search"))
        assert command.reason == "INC-7 wrong prices"


async def test_what_only_looks_is_done_at_enter() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await typed(desk, "workers")
        await desk.press("enter")
        assert desk.console.pane.name == "workers"
        await typed(desk, "why shop-eu")
        await desk.press("enter")
        assert "WHY site=shop-eu" in desk.text()
        await desk.press("escape")
        await typed(desk, "help")
        await desk.press("enter")
        assert "STOP AND RECOVER" in desk.text()


async def test_a_filter_and_a_sort_can_be_typed() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await typed(desk, "sites")
        await desk.press("enter")
        await typed(desk, "filter shop")
        await desk.press("enter")
        assert "shop-us" in desk.text()
        assert "pay-gw" not in desk.text()
        await typed(desk, "filter")
        await desk.press("enter")
        assert "pay-gw" in desk.text()
        await typed(desk, "sort nonsense")
        await desk.press("enter")
        assert "no column NONSENSE here" in desk.row(-2)


async def test_tab_completes_as_far_as_it_is_certain_and_then_offers_in_turn() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await typed(desk, "pau")
        await desk.press("tab")
        assert desk.row(-2) == " :pause"
        await desk.type("sh")
        await desk.press("tab")
        assert desk.row(-2).startswith(" :pause shop-")
        assert "shop-eu  shop-us" in desk.text()
        await desk.press("tab")
        assert desk.row(-2).startswith(" :pause shop-eu")
        await desk.press("tab")
        assert desk.row(-2).startswith(" :pause shop-us")
        await desk.press("shift+tab")
        assert desk.row(-2).startswith(" :pause shop-eu")


async def test_earlier_lines_come_back() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        for line in ("workers", "sites"):
            await typed(desk, line)
            await desk.press("enter")
        await desk.press("colon", "up")
        assert desk.row(-2) == " :sites"
        await desk.press("up")
        assert desk.row(-2) == " :workers"
        await desk.press("down", "down")
        assert desk.row(-2) == " :"


async def test_a_paste_is_inserted_and_never_carried_out() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("colon")
        driver = desk.console._driver
        assert driver is not None
        driver.send_message(events.Paste("quit\nquit\r\x1b[31m"))
        await desk.settle()
        assert desk.row(-2) == " :quit"
        assert desk.console.return_code is None


async def test_the_stop_works_over_the_line_and_two_bangs_type_one() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await typed(desk, "filter a")
        await desk.press("!", "!")
        assert desk.row(-2).startswith(" :filter a!")
        await desk.press("!", "S")
        await desk.until(lambda: len(desk.orders) == 1)


async def test_no_text_without_enter_changes_anything(seed: int) -> None:
    rng = random.Random(seed)
    words = [
        "pause ",
        "resume ",
        "flag ",
        "quit",
        "shop-eu ",
        "mail ",
        "site_creation ",
        "off ",
        "-- ",
        "y",
        "recover ",
    ]
    named = [("tab", None), ("shift+tab", None), ("up", None), ("down", None), ("backspace", None), ("right", None)]
    desk = Desk(small_fleet())
    async with desk.at():
        before = desk.fleet.latest().revision
        for _ in range(8):
            await desk.press("colon")
            for word in rng.choices(words, k=4):
                await desk.type(word)
            await desk.send(*rng.choices(named, k=4), pause_s=0.3)
            await desk.press("escape", "escape")
        assert desk.fleet.submitted == []
        assert desk.orders == []
        assert desk.fleet.latest().revision == before
        assert desk.console.return_code is None


async def test_a_read_only_console_says_so_instead_of_asking() -> None:
    desk = Desk(small_fleet(), replace(WHO, read_only=True))
    async with desk.at():
        await typed(desk, "pause mail")
        assert "this console is read-only" in desk.text()
        await desk.press("enter")
        assert "PAUSE mail" not in desk.text()


async def test_held_still_the_lists_stand_and_the_truth_goes_on() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await typed(desk, "still")
        await desk.press("enter")
        assert desk.row(1).startswith(" STILL since 13:58:0")
        assert "0 news, :live goes on | PROD RW as ana" in desk.row(1)
        desk.fleet.pause("", site="mail")
        await desk.until_said("1 news")
        assert "2 sites held" in desk.row(0)
        assert " runs " in row_of(desk, "mail")
        await typed(desk, "live")
        await desk.press("enter")
        assert "STILL" not in desk.text()
        assert " runs " not in row_of(desk, "mail")


async def test_a_stop_ends_the_standing_still() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await typed(desk, "still")
        await desk.press("enter", "!", "S")
        await desk.until(lambda: len(desk.orders) == 1)
        assert "STILL" not in desk.text()


async def test_the_theme_changes_while_it_runs_unless_there_are_no_colours() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        for theme in ("light", "none", "ansi", "dark"):
            await typed(desk, f"theme {theme}")
            await desk.press("enter")
            assert desk.console.dress.theme == theme
    plain = Desk(small_fleet(), dress=Dress("none", "none"))
    async with plain.at():
        await typed(plain, "theme light")
        await plain.press("enter")
        assert plain.console.dress.theme == "none"
        assert "there are no colours here" in plain.text()


@pytest.mark.parametrize("size", [(40, 10), (60, 15), (200, 60)])
async def test_the_line_has_room_at_every_size(size: tuple[int, int]) -> None:
    desk = Desk(small_fleet())
    async with desk.at(*size):
        await typed(desk, "theme li")
        assert desk.row(-2).startswith(" :theme li")
        await desk.press("enter", "ctrl+u")
        await desk.type("theme light")
        await desk.press("enter")
        assert desk.console.dress.theme == "light"


# --------------------------------------------------------------------------------------------------------- the palette


async def test_the_palette_finds_by_a_few_letters_and_does_what_the_key_does() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("2", "ctrl+p")
        assert "PALETTE on PROD" in desk.text()
        await desk.type("pau")
        assert ">pause" in desk.text()
        await desk.press("enter")
        assert "PAUSE shop-eu on PROD" in desk.text()
        assert desk.fleet.submitted == []


async def test_the_palette_offers_the_command_of_a_key_too_where_it_takes_names() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("1", "ctrl+p")
        await desk.type("pause")
        assert ">pause            :pause " in desk.text(), "what applies comes before a key that does not apply here"
        assert "select a site" in desk.text()
        await desk.press("enter")
        assert desk.row(-2) == " :pause"


async def test_the_palette_says_all_of_what_is_chosen() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("2", "ctrl+p")
        await desk.type("range")
        said = " ".join(desk.text().replace("┃", " ").replace("│", " ").split())
        assert (
            "begin a range; pressed again, mark all rows from there to here; p and P take an open one; Esc drops"
            in said
        )


async def test_a_stop_fired_without_a_reason_is_explained_by_its_key_and_by_its_command() -> None:
    fleet = small_fleet()
    fleet.stop("S-1")
    desk = Desk(fleet)
    async with desk.at():
        await desk.press("5", "e")
        await desk.type("INC-9")
        await desk.press("enter")
        await desk.until_said("reason of E-37: recorded")
        assert desk.fleet.latest().emergencies["E-37"].reason == "INC-9"
        await desk.press("e")
        assert desk.row(-2) == " e: every stop here has its reason"
        await typed(desk, "explain E-37 -- again")
        assert "E-37 has its reason: INC-9" in desk.text()
        await desk.press("ctrl+u")
        await desk.type("recover E-37 -- mended")
        assert "recovers E-37, all; asks for a reason and the scope" in desk.text()
        await desk.press("enter")
        assert "RECOVER E-37, scope all" in desk.text()


async def test_the_palette_opens_the_line_for_what_takes_a_name() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("ctrl+p")
        await desk.type("theme")
        await desk.press("enter")
        assert desk.row(-2) == " :theme"


async def test_what_does_not_apply_stays_with_its_reason_and_the_stop_is_never_chosen() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("ctrl+p")
        await desk.type("recover")
        await desk.press("enter")
        assert "nothing to recover" in desk.text()
        await desk.press("ctrl+u")
        await desk.type("stop")
        await desk.press("enter")
        assert "PALETTE" in desk.text()
        assert desk.orders == []


# ------------------------------------------------------------------------------------------------------------ the help


async def test_the_help_is_in_groups_and_scrolls_to_its_end_at_80x24() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("2", "question_mark")
        assert "STOP AND RECOVER" in desk.text()
        assert "HERE, IN SITES" in desk.text()
        assert "nothing to recover" in desk.text()
        await desk.press("j", *["pagedown"] * 6)
        assert "end the console" in desk.text()
        assert "find an action or a command" in desk.text(), "the last page is a full one"
        await desk.press("k", *["pageup"] * 6)
        assert "STOP AND RECOVER" in desk.text()


async def test_a_name_that_is_being_typed_is_not_wrong_yet_and_the_line_says_what_tab_would_make_of_it() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await typed(desk, "pause sea")
        assert "Tab completes sea to search" in desk.text()
        assert "unknown site" not in desk.text()
        await desk.press("ctrl+u")
        await desk.type("pause sh")
        assert "Tab goes on to shop-, which 2 begin with" in desk.text()
        await desk.press("tab")
        assert "2 begin with shop-: Tab offers one after the other" in desk.text()
        await desk.press("ctrl+u")
        await desk.type("pau")
        assert "Tab completes pau to pause" in desk.text()
        await desk.press("ctrl+u")
        await desk.type("pause nosuch sea")
        assert "column 7: unknown site nosuch" in desk.text(), "an earlier word is wrong for good"


async def test_what_is_wrong_is_said_with_what_could_stand_there() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await typed(desk, "why colour=red")
        assert "expected: site=NAME, flag=NAME, ... or all" in desk.text()
        assert desk.orders == []
