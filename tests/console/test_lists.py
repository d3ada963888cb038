"""Moving about: further lists, filter, sort, and the way back, by the keys and by the names that command mode uses."""

from __future__ import annotations

import pytest

from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.names import RemoveName
from opsconsole.layout import NAMES
from opsconsole.panes import LISTS, PANES, UNNUMBERED, AuditPane
from opsconsole.views.workers import without_acknowledgement
from opsgate.selector import Selector
from tests.console.desk import Desk, small_fleet
from tests.console.fleet import Fleet

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("name", NAMES)
async def test_every_list_can_be_shown_by_its_name_and_escape_goes_back(name: str) -> None:
    desk = Desk(small_fleet())
    async with desk.at(80, 24):
        assert desk.console.desk.show_list(name)
        await desk.settle()
        assert f"{desk.console.pane.title} " in desk.text()
        if name not in {"global", "sites", "flags", "limits", "emergencies", "recovery"}:
            await desk.press("escape")
            assert desk.console.pane.name == "sites"


async def test_the_names_are_those_of_the_lists_in_their_order() -> None:
    numbered = (*(kind.name for kind in PANES + LISTS), AuditPane.name)
    assert (*numbered, *(kind.name for kind in UNNUMBERED)) == NAMES


async def test_a_list_of_no_known_name_is_not_shown() -> None:
    desk = Desk(small_fleet())
    async with desk.at(80, 24):
        assert not desk.console.desk.show_list("nothing")
        assert desk.console.pane.name == "sites"


async def test_a_list_that_nobody_has_touched_goes_on_showing_its_worst_rows() -> None:
    fleet = Fleet()
    names = [f"shop-{number:02}" for number in range(40)]
    fleet.add_sites(*names)
    desk = Desk(fleet)
    async with desk.at(80, 24):
        fleet.do(PlaceHold(selectors=tuple(Selector.of(site=name) for name in names[10:30])))
        await desk.settle()
        assert "> shop-10".replace(" ", "") in desk.row(5).replace(" ", "")
        await desk.press("j", "G")
        fleet.pause("", site="shop-05")
        await desk.settle()
        assert desk.console.pane.selected == "shop-39", "somebody has moved it there"
        assert "shop-39" in desk.text()


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
        assert desk.console.desk.sort("-site") == ""
        assert desk.console.pane.table.rows[0].key == "shop-us"
        assert "no column COLOUR here" in desk.console.desk.sort("colour")


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


# ---------------------------------------------------------------------------------------------------- marks and bulk


async def test_marks_stay_on_their_things_through_sorting_filtering_and_new_states() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("j", "space", "space", "o", "/")
        await desk.type("shop")
        await desk.press("enter")
        assert desk.console.pane.browser.marks == {"feed", "mail"}
        assert "marked: 2" in desk.text()
        desk.fleet.pause("INC-2", site="mail")
        await desk.settle()
        await desk.press("escape")
        assert desk.console.pane.browser.marks == {"feed", "mail"}
        assert "* feed" in desk.text()


async def test_a_thing_that_goes_loses_its_mark() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("j", "space")
        assert desk.console.pane.browser.marks == {"feed"}
        desk.fleet.do(RemoveName(dimension="site", name="feed"))
        await desk.settle()
        assert desk.console.pane.browser.marks == frozenset()


async def test_one_command_pauses_exactly_the_marked_sites_and_the_prompt_names_them() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("j", "space", "space", "space", "/")
        await desk.type("pay")
        await desk.press("enter", "p")
        assert "PAUSE 3 marked sites on PROD" in desk.text()
        assert "pauses 3 marked sites (2 of them hidden by the filter): feed, mail, pay-gw" in desk.text()
        await desk.press("enter")
        assert desk.fleet.submitted == [], "Enter confirms nothing"
        await desk.confirm("PAUSE 3 marked sites", "pauses 3 marked sites (2 of them hidden by the filter): feed, mail")
        await desk.until(lambda: len(desk.fleet.submitted) == 1)
        command = desk.fleet.submitted[0].command
        assert isinstance(command, PlaceHold)
        assert {str(selector) for selector in command.selectors} == {"site=feed", "site=mail", "site=pay-gw"}


async def test_one_command_resumes_the_marked_sites_for_one_reason() -> None:
    desk = Desk(small_fleet())
    desk.fleet.pause("INC-2", site="mail")
    async with desk.at(120, 36):
        await desk.press("space", "space", "P")
        await desk.confirm("RESUME 2 marked sites", "resumes 2 marked sites: shop-eu, mail", reason="all is well")
        await desk.until(lambda: len(desk.fleet.submitted) == 1)
        command = desk.fleet.submitted[0].command
        assert isinstance(command, ReleaseHolds)
        assert {str(selector) for selector in command.selectors} == {"site=shop-eu", "site=mail"}
        assert command.reason == "all is well"


async def test_marks_go_when_their_command_is_done_and_the_answer_counts_them() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("j", "space", "space", "p")
        await desk.confirm("PAUSE 2 marked sites", "feed, mail")
        await desk.until_said("pause 2 marked sites: recorded, 2 marks cleared")
        assert desk.console.pane.browser.marks == frozenset()


async def test_marks_stay_when_their_command_is_refused_and_others_stay_when_it_is_done() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        desk.fleet.locked = "database is locked"
        await desk.press("j", "space", "space", "p")
        await desk.confirm("PAUSE 2 marked sites", "feed, mail")
        await desk.until_said("NOT DONE")
        assert desk.console.pane.browser.marks == {"feed", "mail"}
        desk.fleet.locked = ""
        await desk.press("p")
        desk.console.pane.look_anew(lambda browser: browser.mark("search"))
        await desk.confirm("PAUSE 2 marked sites", "feed, mail")
        await desk.until_said("2 marks cleared")
        assert desk.console.pane.browser.marks == {"search"}, "what was marked meanwhile was not paused"


@pytest.mark.parametrize("key", ["p", "P"])
async def test_a_range_that_is_open_counts_for_a_pause_and_a_resume(key: str) -> None:
    fleet = small_fleet()
    for site in ("feed", "mail"):
        fleet.pause("INC-2", site=site)
    desk = Desk(fleet)
    async with desk.at(120, 36):
        await desk.press("g", "v", "j", "j", key)
        assert f"{'PAUSE' if key == 'p' else 'RESUME'} 3 marked sites on PROD" in desk.text()
        assert "range from" not in desk.text()
        await desk.press("escape")
        assert desk.console.pane.browser.marks == {"shop-eu", "feed", "mail"}


async def test_the_first_ten_lists_have_a_number() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        for key, name in zip("1234567890", NAMES[:10], strict=True):
            await desk.press(key)
            assert desk.console.pane.name == name
        assert "0 Audit" in desk.text()
        await desk.press("w", "2", "w")
        assert desk.row(-2) == " w: no further columns here; :why asks why"


async def test_escape_drops_the_marks_where_there_is_nothing_else_to_go_back_on() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("space", "space", "escape")
        assert desk.console.pane.browser.marks == frozenset()


async def test_of_many_marked_sites_some_are_named_and_the_others_counted() -> None:
    fleet = Fleet()
    fleet.add_sites(*(f"s{number:02}" for number in range(45)))
    desk = Desk(fleet)
    async with desk.at(120, 36):
        await desk.press("g", "v", "G", "v", "p")
        assert "PAUSE 45 marked sites" in desk.text()
        assert "s07 +37 more" in desk.text()


async def test_space_sets_a_mark_and_never_takes_one_away() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("g", "space", "g", "space")
        assert desk.console.pane.browser.marks == {"shop-eu"}
        await desk.press("g", "u")
        assert desk.console.pane.browser.marks == frozenset()


async def test_what_cannot_be_paused_cannot_be_marked_and_says_so() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("4", "space")
        assert desk.console.pane.browser.marks == frozenset()
        assert "these cannot be" in desk.text()


# ----------------------------------------------------------------------------------------------------- looking inside


async def test_enter_shows_the_holds_and_workers_of_a_site_and_escape_goes_back_to_it() -> None:
    desk = Desk(small_fleet())
    async with desk.at(80, 24):
        await desk.press("enter")
        text = desk.text()
        assert "Site shop-eu" in text
        assert "manual INC-1" in text
        assert "w-01" in text
        assert "w-07" in text
        assert "w-02" not in text
        await desk.press("j", "enter")
        assert "Worker w-01" in desk.text()
        await desk.press("escape")
        assert "Site shop-eu" in desk.text()
        assert desk.console.pane.selected == "worker/w-01"
        await desk.press("escape")
        assert desk.console.pane.selected == "shop-eu"
        assert desk.fleet.submitted == []


async def test_enter_shows_who_has_and_who_has_not_acknowledged_an_emergency() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge("w-01")
    desk = Desk(fleet)
    async with desk.at(120, 36):
        await desk.press("5", "enter")
        assert desk.console.pane.title == "Inside"
        assert "1/12 acknowledged" in desk.text()


async def test_acknowledgements_are_listed_only_while_some_are_missing() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        assert " a acks" not in desk.row(-1)
        desk.fleet.stop()
        await desk.settle()
        assert " a acks" in desk.row(-1)
        desk.fleet.acknowledge("w-01")
        await desk.until(lambda: "w-01" not in without_acknowledgement(desk.feed.picture()))
        await desk.press("a")
        assert "Without acknowledgement" in desk.text()
        assert "w-02" in desk.text()
        await desk.until(lambda: "w-01 " not in desk.text())  # the feed looks a moment later


async def test_the_log_of_a_site_has_its_events_and_no_others() -> None:
    desk = Desk(small_fleet())
    desk.fleet.pause("INC-2", site="mail")
    async with desk.at(80, 24):
        await desk.press("l")
        assert "Log of site shop-eu" in desk.text()
        assert "site=shop-eu held by operator ana" in desk.text()
        assert "site shop-eu registered" in desk.text()
        assert not any("mail" in row for row in desk.text().split("\n")[3:-3])


async def test_the_audit_reads_on_in_the_journal_where_it_is_scrolled_to() -> None:
    fleet = Fleet()
    fleet.add_sites(*(f"s{number:04}" for number in range(900)))
    desk = Desk(fleet)
    async with desk.at(80, 24):
        desk.console.desk.show_list("audit")
        await desk.settle()
        first = len(desk.console.pane.table.rows)
        assert first < 900
        await desk.press("G")
        await desk.until(lambda: len(desk.console.pane.table.rows) > first)
        await desk.press("G")
        await desk.until(lambda: len(desk.console.pane.table.rows) == fleet.latest().revision)
        await desk.press("G")
        assert "that is all that is kept" in desk.text() or "fleet f1 created" in desk.text()


async def test_a_journal_that_cannot_be_read_is_said_and_nothing_waits() -> None:
    fleet = Fleet()
    fleet.add_sites(*(f"s{number:04}" for number in range(900)))
    desk = Desk(fleet)
    async with desk.at(80, 24):
        desk.console.desk.show_list("audit")
        desk.fleet.away = "the disk is gone"
        await desk.press("G")
        await desk.until_said("older ones not read")


async def test_enter_on_a_row_that_sums_up_a_list_shows_the_list_and_esc_comes_back() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        for question, name in (("WORKERS", "workers"), ("HOLDS", "holds")):
            await desk.press("1", "g")
            while not (desk.console.pane.selected or "").startswith(question):
                await desk.press("j")
            await desk.press("enter")
            assert desk.console.pane.name == name
            await desk.press("escape")
            assert desk.console.pane.name == "global"


async def test_enter_on_a_check_of_a_recovery_shows_the_emergency_that_it_is_about() -> None:
    fleet = small_fleet()
    fleet.stop()
    desk = Desk(fleet)
    async with desk.at(120, 36):
        await desk.press("6", "j", "enter")
        assert "Emergency E-37" in desk.text()


async def test_enter_on_a_hold_says_what_it_covers_what_ends_it_and_who_has_seen_it() -> None:
    fleet = small_fleet()
    fleet.cut_off.add("w-08")
    fleet.pause("INC-2", site="shop-us")
    fleet.pass_time(1)
    desk = Desk(fleet)
    async with desk.at(120, 36):
        desk.console.desk.show_list("holds")
        desk.console.desk.filter("INC-2")
        await desk.press("enter")
        said = desk.text()
        assert "P resumes it" in said
        assert "has NOT seen it" in next(row for row in said.split("\n") if "w-08" in row)
        assert "has seen it" in next(row for row in said.split("\n") if "w-02" in row)
        assert "w-01" not in said, "a worker of another site has nothing to obey"


async def test_where_nothing_is_inside_enter_says_so() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        desk.console.desk.show_list("audit")
        await desk.press("enter")
        assert "Enter: an event has nothing inside it" in desk.text()
        await desk.press("l")
        assert "l: no events are about this row alone" in desk.text()
