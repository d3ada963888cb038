"""The console as an operator uses it: keys in, screen and commands out, over the real engine."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import replace

import pytest
from textual import events

from backends.stop_lane import Fired
from core.capabilities.explaining import ExplainStop
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.recovery import Recover
from core.capabilities.switches import SetSwitch
from core.messages import Envelope, Receipt
from opsconsole.console import Console
from opsconsole.dialogs.recover import RecoverPrompt
from opsconsole.lines import plain
from opsconsole.prompt import PromptBox
from opsconsole.views.picture import Who
from opsgate.selector import Selector
from tests.console.desk import WHO, Desk, small_fleet
from tests.console.fleet import Fleet
from tests.console.hostile import HOSTILE
from tests.console.test_views import WORKERS
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.asyncio

SIZES = [(80, 24), (120, 36), (200, 60), (40, 10), (30, 5)]


# ------------------------------------------------------------------------------------------------------------ the stop


@pytest.mark.parametrize("size", SIZES)
async def test_bang_then_s_stops_at_every_size(size: tuple[int, int]) -> None:
    desk = Desk(small_fleet())
    async with desk.at(*size):
        await desk.press("!")
        assert "S" in desk.text()
        assert desk.orders == []
        await desk.press("S")
        await desk.until(lambda: len(desk.orders) == 1)
        assert desk.orders[0].actor == "ana"
        assert desk.orders[0].door == "console"


@pytest.mark.parametrize("opened_by", ["1", "2", "3", "4", "5", "6", "?", "d", "p", "P", "R", "z", "ctrl+c"])
async def test_it_stops_from_every_pane_and_over_every_prompt(opened_by: str) -> None:
    fleet = small_fleet()
    fleet.stop("S-0")
    fleet.acknowledge(*WORKERS, stop_id="S-0")
    desk = Desk(fleet)
    async with desk.at(120, 36):
        await desk.press("2", opened_by, "!", "S")
        await desk.until(lambda: len(desk.orders) == 1)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60), (40, 10)])
async def test_row_1_and_2_stay_in_sight_under_every_prompt(size: tuple[int, int]) -> None:
    desk = Desk(small_fleet())
    async with desk.at(*size):
        truth = [desk.row(0), desk.row(1)]
        for keys in (("!",), ("escape", "?"), ("escape", "p"), ("escape", "d")):
            await desk.press(*keys)
            assert [desk.row(0), desk.row(1)] == truth


async def test_enter_does_nothing_and_any_other_key_cancels_an_armed_stop() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("!", "enter")
        assert "STOP ALL on PROD" in desk.text()
        assert "S = stop everything now" in desk.text()
        await desk.press("j")
        assert "S = stop everything now" not in desk.text()
        await desk.press("S")
        assert desk.orders == []
        assert desk.console.pane.selected == "shop-eu", "the key that cancels does nothing else"


async def test_a_cancelled_stop_gives_back_the_prompt_that_it_covered() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("P")
        await desk.type("half a rea")
        await desk.press("!")
        assert "S = stop everything now" in desk.text()
        await desk.press("escape")
        assert "half a rea" in desk.text()
        await desk.type("son")
        assert "half a reason" in desk.text()


async def test_two_bangs_type_one_into_a_field_and_one_that_arms_is_never_inserted() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("P", "a", "!", "!")
        await desk.settle()
        assert "reason (needed): a!_" in desk.text()
        await desk.press("!", "escape")
        assert "reason (needed): a!_" in desk.text()
        assert desk.orders == []


async def test_prose_in_a_field_neither_fires_nor_loses_the_prompt() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("P")
        await desk.type("wow!Sold out")
        assert "wow!Sold out" in desk.text()
        assert desk.orders == []


async def test_bangs_in_fast_prose_are_text_and_what_comes_behind_them_is_no_command() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("2", "j", "p", "r")
        await desk.type("site on fire!! py! Stop it")
        assert "reason (optional): site on fire!! py! Stop it_" in desk.text()
        assert len(desk.fleet.latest().holds) == 1
        assert desk.orders == []


async def test_a_hurried_bang_neither_closes_nor_answers_a_prompt_without_a_field() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("2", "j")
        await desk.type("p!")
        assert "pause now" in desk.text()
        assert "press it again to arm" in desk.text()


async def test_a_paste_never_fires_and_ends_an_armed_stop() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("!")
        driver = desk.console._driver
        assert driver is not None
        driver.send_message(events.Paste("!S"))
        await desk.settle()
        assert "S = stop everything now" not in desk.text()
        await desk.press("S")
        assert desk.orders == []


async def test_no_random_keys_without_a_bang_ever_stop_anything(seed: int) -> None:
    rng = random.Random(seed)
    typed = [(char, char) for char in "jkgGpPRdz?123456ySrc /:x"]
    named = [("enter", "\r"), ("escape", None), ("tab", None), ("shift+tab", None), ("up", None), ("ctrl+r", None)]
    desk = Desk(small_fleet())
    async with desk.at():
        for _ in range(20):
            await desk.send(*rng.choices(typed + named, k=10), pause_s=0.3)
        assert desk.orders == []
        await desk.press("escape", "escape", "!", "S")
        await desk.until(lambda: len(desk.orders) == 1)


async def test_what_is_shown_after_firing_comes_from_observation() -> None:
    """The console never says stopped because a stop was sent: the journal and the workers have to say so."""
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("!", "S")
        await desk.until_said("stop sent and recorded - latch on disk, keeper answered, 12 must acknowledge")
        await desk.until_said("GLOBAL STOPPING by ana | acks 0/12")
        desk.fleet.acknowledge(*WORKERS[:9])
        await desk.until_said("acks 9/12")
        desk.fleet.pass_time(6)
        desk.fleet.conclude()
        await desk.until_said("GLOBAL PARTIAL 5s by ana")
        assert "3 MISSING | w-10 w-11 w-12" in desk.row(0)
        desk.fleet.acknowledge("w-10", "w-11", "w-12")
        await desk.until_said("GLOBAL STOPPED")


async def test_a_stop_that_nobody_has_recorded_is_unknown_and_is_recorded_as_soon_as_it_can_be() -> None:
    fleet = small_fleet()
    fleet.locked = "the database is locked"
    desk = Desk(fleet)
    desk.answer = lambda order: Fired(order, "", "absent", "spool")
    async with desk.at(120, 36):
        await desk.press("!", "S")
        await desk.until_said("stop sent, not recorded yet - latch on disk, keeper absent")
        assert desk.row(0).startswith(" [ ????] STOP SENT 13:58:00, nobody has recorded it yet")
        fleet.locked = ""
        await desk.until_said("GLOBAL STOPPING by ana")
        await desk.until_said("recorded as E-37, acks 0/12")
        assert "not recorded" not in desk.text()
        (envelope,) = fleet.submitted
        assert envelope.command_id == "S-1", "the id that the lane gave it, so that it is recorded once"


async def test_a_stop_that_reached_nobody_says_so_and_what_to_do() -> None:
    desk = Desk(small_fleet())
    desk.fleet.locked = "the database is locked"
    desk.answer = lambda order: Fired(order, "no space left on device", "absent", "memory")
    async with desk.at(120, 36):
        await desk.press("!", "S")
        await desk.until_said("STOP REACHED NOBODY - latch FAILED (no space left on device), keeper absent")
        assert "opsconsole stop --local" in desk.text()


async def test_a_stop_fired_while_the_console_starts_is_answered_too() -> None:
    fleet = small_fleet()
    fleet.away = "gone"
    desk = Desk(fleet)
    desk.answer = lambda order: Fired(order, "no space left on device", "absent", "memory")

    class EarlyRiser(Console):
        def on_mount(self) -> None:
            driver = self._driver
            assert driver is not None
            driver.send_message(events.Key("exclamation_mark", "!"))
            driver.send_message(events.Key("S", "S"))
            desk.lane.finish()

    desk.console = EarlyRiser(desk.feed, desk.lane, monotonic=desk.clock)
    async with desk.at(120, 36):
        await desk.until_said("no space left on device")


async def test_a_lane_that_breaks_is_told_and_breaks_nothing_else() -> None:
    def broken(order: object) -> Fired:
        raise OSError("socket: too many open files")

    desk = Desk(small_fleet())
    desk.fleet.locked = "the database is locked"
    desk.answer = broken
    async with desk.at(120, 36):
        await desk.press("!", "S")
        await desk.until_said("STOP NOT SENT - socket: too many open files")
        await desk.press("escape", "!", "S")
        await desk.until(lambda: len(desk.orders) == 2)


async def test_the_reason_is_sent_once_the_stop_is_in_the_journal() -> None:
    desk = Desk(small_fleet())
    desk.fleet.locked = "the database is locked"
    async with desk.at(120, 36):
        await desk.press("!", "S")
        await desk.type("INC-412")
        await desk.press("enter")
        assert desk.fleet.submitted == []
        desk.fleet.locked = ""
        await desk.until(lambda: len(desk.fleet.submitted) == 2)
        assert desk.fleet.submitted[1].command == ExplainStop(stop_id="S-1", reason="INC-412")
        await desk.until_said("REASON     INC-412")


async def test_a_console_that_has_begun_a_fleet_where_none_was_says_where() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        threading.Thread(target=desk.feed.begun, args=("/path/to/flet.db",)).start()
        await desk.until_said("a new fleet was begun at /path/to/flet.db")


async def test_a_read_only_console_changes_nothing_and_stops_all_the_same() -> None:
    desk = Desk(small_fleet(), replace(WHO, read_only=True))
    async with desk.at():
        assert " RO as ana" in desk.row(1)
        await desk.press("p", "y", "P", "R")
        assert desk.fleet.submitted == []
        assert "this console is read-only" in desk.text()
        await desk.press("!", "S")
        await desk.until(lambda: len(desk.orders) == 1)


async def test_a_key_that_the_role_may_not_use_says_so_and_opens_nothing() -> None:
    fleet = small_fleet()
    fleet.stop()
    desk = Desk(fleet, replace(WHO, role="operator"))
    async with desk.at():
        assert "R Recover" not in desk.row(-1)
        await desk.press("R")
        assert "the role operator may not: it takes responder" in desk.text()
        assert "RECOVER E-" not in desk.text()


async def test_an_armed_stop_says_that_servers_refuse_it_where_the_role_may_not() -> None:
    desk = Desk(small_fleet(), replace(WHO, role="viewer", read_only=True))
    async with desk.at():
        await desk.press("!")
        assert "REFUSED by servers: the role viewer may not: it takes operator" in desk.text()


@pytest.mark.parametrize(("who", "named"), [(WHO, True), (replace(WHO, role="viewer", read_only=True), False)])
async def test_a_list_names_no_key_of_what_the_role_may_not_do(who: Who, named: bool) -> None:
    desk = Desk(small_fleet(), who)
    async with desk.at():
        await desk.press("2")
        edge = next(line for line in desk.text().splitlines() if "2 Sites" in line and " why" in line)
        assert ("pause" in edge) is named


# --------------------------------------------------------------------------------------------------- pause and resume


@pytest.mark.parametrize("pause_s", [0.0, 0.25])
@pytest.mark.parametrize(
    ("typed", "title", "says"),
    [
        ("py", "PAUSE shop-eu", "pauses site shop-eu"),
        ("pay", "PAUSE shop-eu", "pauses site shop-eu"),
        ("play", "PAUSE shop-eu", "pauses site shop-eu"),
        ("Pm\ry", "RESUME shop-eu", "releases H-"),
        ("pr\ry", "PAUSE shop-eu", "pauses site shop-eu"),
        (":pause mail\ry", "PAUSE mail", "pauses site mail"),
    ],
)
async def test_a_y_in_a_burst_confirms_nothing_and_a_y_after_it_does(
    typed: str, title: str, says: str, pause_s: float
) -> None:
    desk = Desk(small_fleet())
    named = {"\r": "enter", ":": "colon"}
    async with desk.at():
        desk.clock.now += 5
        await desk.send(*((named.get(char, char), char) for char in typed), pause_s=pause_s)
        assert desk.fleet.submitted == []
        assert "too fast, not taken: y again" in desk.text()
        await desk.confirm(title, says)
        await desk.until(lambda: len(desk.fleet.submitted) == 1)


async def test_a_site_is_paused_by_p_and_y_and_the_answer_is_told() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("2", "j", "p")
        await desk.confirm("PAUSE feed", "pauses site feed: running work finishes, nothing new starts")
        await desk.until_said("pause feed: recorded")
        assert desk.fleet.submitted[0].command == PlaceHold(selectors=(Selector.of(site="feed"),))
        assert "feed" in next(row for row in desk.text().split("\n") if "PAUSED" in row and "feed" in row)


async def test_that_a_command_was_asked_is_said_at_once_and_no_more_until_it_is_answered() -> None:
    desk, may_answer = Desk(small_fleet()), threading.Event()
    submit = desk.fleet.submit

    def submit_later(envelope: Envelope, *, timeout_s: float = 5.0) -> Receipt:
        may_answer.wait(PATIENCE_S)
        return submit(envelope, timeout_s=timeout_s)

    desk.fleet.submit = submit_later  # type: ignore[method-assign] # the world is far away
    async with desk.at():
        await desk.press("2", "j", "p")
        await desk.confirm("PAUSE feed", "pauses site feed: running work finishes, nothing new starts")
        try:
            await desk.until_said("pause feed: asked, no answer yet")
        finally:
            may_answer.set()
        await desk.until_said("pause feed: recorded")


async def test_a_site_is_resumed_with_a_reason_at_the_revision_that_was_seen() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("P")
        await desk.confirm("RESUME shop-eu", "releases H-36: site=shop-eu is paused by ana", reason="mended")
        await desk.until_said("resume shop-eu: recorded")
        (envelope,) = desk.fleet.submitted
        assert envelope.command == ReleaseHolds(selectors=(Selector.of(site="shop-eu"),), reason="mended")
        assert envelope.expected_revision == 36
        assert envelope.door == "console"
        assert envelope.actor.name == "ana"


async def test_a_flag_is_switched_off_and_on() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("3", "p")
        await desk.confirm("PAUSE enableABTesting", "switches enableABTesting off")
        await desk.until_said("pause enableABTesting: recorded")
        await desk.until(lambda: desk.console.pane.selected == "ab_testing")
        await desk.press("P")
        await desk.confirm("RESUME enableABTesting", "releases ", reason="again")
        await desk.until_said("resume enableABTesting: recorded")
        off, on = (envelope.command for envelope in desk.fleet.submitted)
        assert off == SetSwitch(dimension="operation", names=("ab_testing",), on=False)
        assert on == SetSwitch(dimension="operation", names=("ab_testing",), on=True, reason="again")


async def test_the_cursor_stays_on_its_site_when_a_pause_moves_another_above_it() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("j", "j")
        assert desk.console.pane.selected == "mail"
        desk.fleet.pause("", site="search")
        await desk.settle()
        assert desk.console.pane.selected == "mail"
        await desk.press("p")
        assert "PAUSE mail" in desk.text()


async def test_a_refusal_is_told_with_its_next_step() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("j", "p")
        desk.fleet.away = "the database is locked"
        await desk.confirm("PAUSE feed", "pauses site feed")
        await desk.until_said("pause feed: NOT DONE, the backend does not answer - the database is locked")


# ------------------------------------------------------------------------------------------------------------ recovery


async def recovering(desk: Desk) -> None:
    await desk.press("R")
    await desk.type("mended")
    await desk.press("enter")
    await desk.type("all")


async def test_recovery_takes_a_reason_a_typed_scope_and_three_seconds() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS)
    desk = Desk(fleet)
    async with desk.at():
        await recovering(desk)
        assert "resuming all in 3 s" in desk.text()
        (case,) = desk.fleet.latest().active_emergencies()
        await desk.count_down(f"RECOVER {case.emergency_id}, scope all", "12/12", until="recover all: recorded")
        (envelope,) = desk.fleet.submitted
        assert isinstance(envelope.command, Recover)
        assert (envelope.command.reason, envelope.command.confirm) == ("mended", "all")
        assert desk.row(0).startswith(" [PART]")


async def test_a_console_that_stood_still_counts_nothing_that_nobody_could_have_cancelled() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS)
    desk = Desk(fleet)
    async with desk.at():
        await recovering(desk)
        desk.clock.now += 60  # suspended, or its terminal was
        await desk.until(lambda: "resuming all in 3 s" in desk.text() and counted(desk))
        assert desk.fleet.submitted == []
        await desk.press("c", pause_s=0.1)
        assert "cancelled, type it again" in desk.text()


async def test_a_countdown_ends_when_the_terminal_loses_the_focus_or_tmux_its_terminal() -> None:
    """Tmux says so when its client is detached, and nobody could cancel what goes on there."""
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS)
    desk = Desk(fleet)
    async with desk.at():
        await recovering(desk)
        assert desk.console._driver is not None
        desk.console._driver.send_message(events.AppBlur())
        await desk.until_said("cancelled while nobody looked here, type it again")
        desk.clock.now += 60
        await desk.settle()
        assert "resuming" not in desk.text()
        assert desk.fleet.submitted == []


def counted(desk: Desk) -> bool:
    """Whether a running countdown has looked at the clock as it is now."""
    prompt = desk.console.screen.query_one("#prompt", PromptBox)
    return prompt._counted_at == desk.clock.now


async def test_a_prompt_is_whole_although_another_of_its_size_stood_there_before() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS)
    desk = Desk(fleet)
    async with desk.at():
        for _ in range(2):
            await desk.pilot.press("R")  # nothing else happens that could mend it
            assert "reason (needed): _" in desk.text()
            await desk.pilot.press("escape")
            assert "reason (needed)" not in desk.text()


async def test_c_cancels_the_countdown() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS)
    desk = Desk(fleet)
    async with desk.at():
        await recovering(desk)
        await desk.press("c")
        desk.clock.now += 60
        await desk.settle()
        assert "resuming" not in desk.text()
        assert desk.fleet.submitted == []


async def test_arming_a_stop_ends_a_countdown_that_runs_beneath_it() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS)
    desk = Desk(fleet)
    async with desk.at():
        await recovering(desk)
        await desk.press("!")
        desk.clock.now += 60
        await desk.settle()
        assert desk.fleet.submitted == []
        await desk.press("S")
        await desk.until(lambda: len(desk.orders) == 1)
        assert not isinstance(desk.console.screen.query_one("#prompt").dialog, RecoverPrompt)  # type: ignore[attr-defined] # a Prompt


async def test_a_stop_by_somebody_else_ends_a_countdown() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS)
    desk = Desk(fleet)
    async with desk.at():
        await recovering(desk)
        desk.fleet.stop("S-2")
        await desk.until_said("The state moved since you looked")
        desk.clock.now += 60
        await desk.settle()
        assert desk.fleet.submitted == []


async def test_with_nothing_to_recover_the_key_says_so() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("R")
        assert desk.row(-2).startswith(" R: nothing to recover")


# -------------------------------------------------------------------------------------------------- panes, help, leave


async def test_number_keys_and_tab_bring_panes_to_the_front() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("4")
        assert "4[Limits]" in desk.row(2)
        await desk.press("tab", "tab", "tab")
        assert "1[Global]" in desk.row(2)
        await desk.press("shift+tab")
        assert "6[Recov]" in desk.row(2)


async def test_zoom_gives_one_pane_all_the_room_and_takes_it_back() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("z")
        assert "1 Global" not in desk.text()
        assert desk.row(0).startswith(" [PART]")
        assert "2 Sites" in desk.text()
        await desk.press("z")
        assert "1 Global" in desk.text()


async def test_help_lists_every_key_and_why_some_do_not_apply() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.press("?")
        assert "! S" in desk.text()
        assert "(nothing to recover: no emergency and no global pause)" in desk.text()
        await desk.press("escape")
        assert "KEYS" not in desk.text()


async def test_no_key_is_shown_that_does_not_apply() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        assert "R Recover" not in desk.row(-1)
        assert desk.row(-1).startswith(" ! S STOP ALL")
        await desk.press("1")
        assert "p pause" not in desk.row(-1)
        desk.fleet.stop()
        await desk.settle()
        assert "R Recover" in desk.row(-1)


async def test_every_row_of_every_pane_can_be_asked_why() -> None:
    fleet = small_fleet()
    fleet.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False, reason="over"))
    fleet.stop("S-1", "old", Selector.of(site="mail"))
    fleet.acknowledge("w-05", "w-11")
    fleet.do(Recover(emergency_id="E-38", reason="mended", confirm="site=mail"))
    fleet.lose("w-06")
    fleet.stop("S-2", "INC-412")
    fleet.acknowledge(*WORKERS[:10], stop_id="S-2")
    fleet.pass_time(6)
    fleet.conclude("S-2")
    desk = Desk(fleet)
    async with desk.at(200, 60):
        for number in range(1, 7):
            await desk.press(str(number))
            rows = desk.console.pane.table.rows
            for index in range(len(rows)):
                question = desk.console.pane.why(rows[index].key, desk.console.picture)
                assert question is not None
                answer = [plain(each) for each in question.answer(desk.console.picture)]
                assert answer
                assert not any(question.about in line.split()[:1] for line in answer[:1]), "the title has said it"
        await desk.press("5", "d")
        assert "WHY E-45" in desk.text()
        assert re.search(r"MISSING w-11 owes its acknowledgement, ordered \d+s ago, pid 4010", desk.text())
        assert "R recovers E-45" in desk.text()
        await desk.press("escape", "j", "d")
        assert "WHY w-11" in desk.text()
        assert "look at pid 4010 on its host" in desk.text()
        await desk.press("escape", "G", "d")
        assert re.search(r"recovered \d+s ago by ana", desk.text())
        await desk.press("escape", "4", "d")
        assert "0 of 100 used in the last hour; it charges content_generation" in desk.text()


async def test_the_cursor_goes_to_a_new_emergency_unless_somebody_has_moved_it() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("5")
        desk.fleet.stop("S-1", "", Selector.of(site="mail"))
        await desk.until(lambda: desk.console.pane.selected == "E-37")
        await desk.settle()
        desk.fleet.stop("S-2", "", Selector.of(site="feed"))
        await desk.settle()
        await desk.until(lambda: desk.console.pane.selected == "E-40")
        await desk.press("k")
        desk.fleet.stop("S-3", "", Selector.of(site="search"))
        await desk.settle()
        assert desk.console.pane.selected == "S-1/w-11"


async def test_leaving_says_what_stays_in_force_and_how_to_come_back() -> None:
    fleet = small_fleet()
    desk = Desk(fleet)
    async with desk.at():
        assert (
            desk.console.farewell("opsconsole")
            == "PARTLY HELD, 12 workers; 1 hold stays in force; back with: opsconsole"
        )
        fleet.stop("S-1", "", Selector.of(site="mail"))
        await desk.settle()
        assert (
            "emergency E-37 on site=mail, opened just now, STOPPING 0/2, still counting without you"
            in desk.console.farewell("x")
        )
        fleet.stop("S-2")
        fleet.acknowledge(*WORKERS[:9], stop_id="S-2")
        await desk.settle()
        counted = "STOPPING 9/12, everything, still counting without you: waiting for w-10 w-11 w-12; emergency"
        await desk.until(lambda: desk.console.farewell("x").startswith(counted))
        said = desk.console.farewell("opsconsole -b sqlite:////x")
        assert said.endswith("until somebody recovers it; 3 holds stay in force; back with: opsconsole -b sqlite:////x")
        fleet.away, fleet.away_s = "gone", 74.0
        assert desk.console.farewell("x").startswith(
            "UNKNOWN, last known STOPPING 9/12 01:14 ago, waiting for w-10 w-11 w-12; emergency E-37"
        )


async def test_why_is_answered_by_the_rules_the_worker_used() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("d")
        assert "WHY site=shop-eu" in desk.text()
        assert "after releasing H-36, it may run" in desk.text()


@pytest.mark.parametrize(("keys", "code"), [(("q",), 0), (("ctrl+c", "ctrl+c"), 130)])
async def test_leaving_has_its_exit_codes(keys: tuple[str, ...], code: int) -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        for key in keys:
            await desk.pilot.press(key)
    assert desk.console.return_code == code


async def test_q_while_armed_cancels_and_does_not_leave() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("!", "q")
        assert desk.console.return_code is None
        assert "S = stop everything now" not in desk.text()


async def test_one_ctrl_c_closes_what_is_open_and_leaves_the_console_running() -> None:
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.press("p", "ctrl+c")
        assert "PAUSE shop-eu" not in desk.text()
        assert desk.row(-2) == " not paused: shop-eu is as it was"
        await desk.press("ctrl+c")
        assert "press it again to quit" in desk.text()
        assert desk.console.return_code is None


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60), (40, 10), (39, 24), (1, 1), (300, 100)])
async def test_any_size_can_become_any_other(size: tuple[int, int]) -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        await desk.pilot.resize_terminal(*size)
        await desk.settle()
        await desk.pilot.resize_terminal(80, 24)
        await desk.settle()
        assert desk.row(0).startswith(" [PART] 1 site held | 12 workers")
        assert desk.row(-1).startswith(" ! S STOP ALL")
        assert "shop-eu" in desk.text()


# ---------------------------------------------------------------------------------------------------------- connection


async def test_a_backend_that_goes_away_is_unknown_and_comes_back_by_itself() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        desk.fleet.away, desk.fleet.away_s = "the database is locked", 14.0
        await desk.settle()
        assert desk.row(0).startswith(" [ ????] LAST KNOWN PARTLY HELD 13:57:46, 00:14 ago - backend unreachable")
        assert "STALE 00:14 - the database is locked" in desk.row(1)
        await desk.press("j", "d", "escape")
        assert "shop-eu" in desk.text(), "what was known stays on the screen"
        desk.fleet.away = ""
        await desk.settle()
        assert desk.row(0).startswith(" [PART] 1 site held")


async def test_a_console_without_any_backend_starts_and_can_stop() -> None:
    desk = Desk(Fleet())
    desk.fleet.away = "no such file"
    async with desk.at():
        await desk.until_said("CONNECTING - no such file")
        assert desk.row(0).startswith(" [ ????] NOT YET KNOWN - backend unreachable")
        assert "waiting for the first state" in desk.text()
        assert "no emergency" not in desk.text()
        await desk.press("!", "S")
        await desk.until(lambda: len(desk.orders) == 1)


# ------------------------------------------------------------------------------------------------------------- hostile


async def test_hostile_text_changes_nothing_but_the_cells_it_stands_in() -> None:
    """Names are identifiers by rule; reasons and titles are free text, and an actor is whatever a credential says."""
    fleet = small_fleet()
    everything = " ".join(text[:10] for text in HOSTILE.values())
    for number, text in enumerate(HOSTILE.values()):
        fleet.add_sites(f"h{number:02}")
        wanted = PlaceHold(selectors=(Selector.of(site=f"h{number:02}"),))
        fleet.do(wanted.model_copy(update={"reason": text[:300]}))
    fleet.do(
        SetSwitch(dimension="operation", names=("ab_testing",), on=False).model_copy(update={"reason": everything})
    )
    fleet.stop("S-1")
    fleet.do(ExplainStop(stop_id="S-1", reason="").model_copy(update={"reason": everything}))
    desk = Desk(fleet, replace(WHO, operator=everything[:128], backend=everything, profile=everything))
    async with desk.at(200, 60):
        for key in ("1", "2", "3", "4", "5", "6", "d", "escape", "2", "pagedown", "p", "escape", "P", "escape", "!"):
            await desk.press(key)
            rows = desk.text().split("\n")
            assert rows[0].startswith(" [STOP]")
            assert rows[-1].startswith((" ! S STOP ALL", " S STOP NOW"))
            assert all(char.isprintable() for row in rows for char in row)
        assert any("owned" in row for row in rows)


# --------------------------------------------------------------------------------------------------------- typed ahead


async def test_what_is_typed_ahead_goes_where_it_was_meant_to_go() -> None:
    """All in one read, as over a slow line: a reason has letters that are commands, and none of them is carried out."""
    desk = Desk(small_fleet())
    async with desk.at():
        await desk.send(*((char, char) for char in "Pquick zap! 1"), pause_s=0.01)
        assert "reason (needed): quick zap! 1_" in desk.text()
        await desk.send(("escape", None), *((char, char) for char in "3p"), pause_s=0.01)
        assert "PAUSE enableABTesting" in desk.text()
        await desk.send(("escape", None), ("q", "q"), pause_s=0.01)
    assert desk.console.return_code == 0
