"""Prompts as state machines: Enter confirms nothing, releases need a reason, and a state that moved is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.capabilities.emergencies import ExplainStop
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.recovery import Recover
from core.capabilities.switches import SetSwitch
from opsconsole.dialogs.base import Dialog, Outcome, Send
from opsconsole.dialogs.field import LENGTH_MAX, Field
from opsconsole.dialogs.pause import PausePrompt, ResumePrompt
from opsconsole.dialogs.reading import Reading
from opsconsole.dialogs.recover import RecoverPrompt
from opsconsole.dialogs.stop import ReasonPrompt, StopPrompt
from opsconsole.dialogs.target import Target
from opsconsole.lines import Span, plain
from opsconsole.text import clean, width
from opsconsole.views.picture import Link
from opsgate.selector import EVERYTHING, Selector
from tests.console.desk import small_fleet
from tests.console.fleet import Fleet
from tests.console.hostile import HOSTILE
from tests.console.test_views import WORKERS, picture_of

SITE, FLAG = Target("site", "shop-eu"), Target("operation", "ab_testing")


def press(dialog: Dialog, *keys: str) -> Outcome:
    """Press named keys; returns the last outcome."""
    outcome: Outcome = "stay"
    for key in keys:
        outcome = dialog.key(key, key if len(key) == 1 else {"enter": "\r", "space": " "}.get(key))
    return outcome


def said(dialog: Dialog, fleet: Fleet, link: Link | None = None) -> str:
    picture = picture_of(fleet, link)
    return "\n".join(plain(each) for each in (*dialog.body(picture), *dialog.foot(picture)))


def stopped_fleet() -> Fleet:
    fleet = small_fleet()
    fleet.stop(reason="INC-412")
    fleet.acknowledge(*WORKERS)
    return fleet


# --------------------------------------------------------------------------------------------------------------- pause


def test_pause_names_its_target_and_y_pauses() -> None:
    prompt = PausePrompt(SITE)
    assert prompt.title == "PAUSE shop-eu"
    outcome = press(prompt, "y")
    assert outcome == Send(PlaceHold(selectors=(Selector.of(site="shop-eu"),)), "pause shop-eu")


def test_a_flag_is_switched_off_by_its_own_command() -> None:
    outcome = press(PausePrompt(FLAG), "y")
    assert isinstance(outcome, Send)
    assert outcome.command == SetSwitch(dimension="operation", names=("ab_testing",), on=False)


@pytest.mark.parametrize("key", ["p", "enter"])
def test_neither_the_key_that_opened_it_nor_enter_confirms_a_pause(key: str) -> None:
    assert press(PausePrompt(SITE), key, key, key) == "stay"


@pytest.mark.parametrize("key", ["n", "q", "escape", "down", "P"])
def test_any_other_key_cancels_a_pause(key: str) -> None:
    assert press(PausePrompt(SITE), key) == "close"


def test_a_pause_takes_a_reason_first_when_asked() -> None:
    outcome = press(PausePrompt(SITE), "r", *"sayy", "backspace", "enter", "y")
    assert isinstance(outcome, Send)
    assert isinstance(outcome.command, PlaceHold)
    assert outcome.command.reason == "say"


# -------------------------------------------------------------------------------------------------------------- resume


def test_resume_names_whose_hold_it_releases_and_what_holds_all_the_same() -> None:
    fleet = stopped_fleet()
    text = said(ResumePrompt(SITE, picture_of(fleet)), fleet)
    assert re.search(r"releases H-\d+: site=shop-eu is paused by ana: manual INC-1", text)
    assert "still held: everything is stopped by emergency" in text


def test_resume_needs_a_reason_and_another_key_than_enter() -> None:
    fleet = small_fleet()
    prompt = ResumePrompt(SITE, picture_of(fleet))
    assert press(prompt, "enter", "enter") == "stay"
    assert press(prompt, *"mended", "enter", "enter", "P") == "stay"
    outcome = press(prompt, "y")
    revision = fleet.latest().control_revision
    release = ReleaseHolds(selectors=(Selector.of(site="shop-eu"),), reason="mended")
    assert outcome == Send(release, "resume shop-eu", revision)


def test_resume_is_refused_when_a_hold_changed_since_it_was_opened() -> None:
    fleet = small_fleet()
    prompt = ResumePrompt(SITE, picture_of(fleet))
    press(prompt, *"mended", "enter")
    fleet.pause("by somebody else", site="mail")
    prompt.see(picture_of(fleet))
    assert press(prompt, "y") == "stay"
    assert "The state moved" in said(prompt, fleet)


def test_an_event_that_changes_nothing_that_may_run_does_not_spoil_a_resume() -> None:
    fleet = small_fleet()
    prompt = ResumePrompt(SITE, picture_of(fleet))
    fleet.add_sites("another")
    prompt.see(picture_of(fleet))
    assert isinstance(press(prompt, *"mended", "enter", "y"), Send)


# ------------------------------------------------------------------------------------------------------------- recover


def open_recovery(fleet: Fleet) -> RecoverPrompt:
    emergency = fleet.latest().active_emergencies()[0]
    return RecoverPrompt(picture_of(fleet), emergency.emergency_id)


def test_recovery_lists_its_checks_and_asks_for_reason_and_scope() -> None:
    fleet = stopped_fleet()
    prompt = open_recovery(fleet)
    assert "[ok] " in said(prompt, fleet)
    assert press(prompt, "enter", *"mended", "enter", *"all") == "stay"
    assert "resuming all in 3 s" in said(prompt, fleet)


def test_the_countdown_runs_out_into_exactly_one_command() -> None:
    fleet = stopped_fleet()
    prompt = open_recovery(fleet)
    press(prompt, *"mended", "enter", *"all")
    assert prompt.ticking
    assert prompt.tick(2.9) == "stay"
    outcome = prompt.tick(0.2)
    emergency = fleet.latest().active_emergencies()[0].emergency_id
    recover = Recover(emergency_id=emergency, reason="mended", confirm="all")
    assert outcome == Send(recover, "recover all", fleet.latest().control_revision)


def test_enter_behind_the_typed_scope_neither_confirms_nor_cancels() -> None:
    fleet = stopped_fleet()
    prompt = open_recovery(fleet)
    press(prompt, *"mended", "enter", *"all")
    assert press(prompt, "enter") == "stay"
    assert prompt.ticking


def test_another_scope_is_said_to_be_wrong_and_is_typed_anew() -> None:
    fleet = stopped_fleet()
    prompt = open_recovery(fleet)
    press(prompt, *"mended", "enter", *"al", "enter")
    assert "that is not the scope" in said(prompt, fleet)
    press(prompt, *"all")
    assert prompt.ticking


@pytest.mark.parametrize("key", ["c", "x", "backspace"])
def test_any_key_cancels_the_countdown_and_the_scope_has_to_be_typed_again(key: str) -> None:
    fleet = stopped_fleet()
    prompt = open_recovery(fleet)
    press(prompt, *"mended", "enter", *"all")
    assert press(prompt, key) == "stay"
    assert not prompt.ticking
    assert prompt.tick(10) == "stay"
    press(prompt, *"all")
    assert prompt.ticking


def test_escape_closes_a_countdown() -> None:
    fleet = stopped_fleet()
    prompt = open_recovery(fleet)
    assert press(prompt, *"mended", "enter", *"all", "escape") == "close"


def test_a_pasted_scope_is_not_a_typed_one() -> None:
    fleet = stopped_fleet()
    prompt = open_recovery(fleet)
    press(prompt, *"mended", "enter")
    prompt.paste("all")
    assert not prompt.ticking


def test_a_recovery_is_refused_when_the_state_moves_under_it_even_in_the_countdown() -> None:
    fleet = stopped_fleet()
    prompt = open_recovery(fleet)
    press(prompt, *"mended", "enter", *"all")
    fleet.stop("S-2")
    prompt.see(picture_of(fleet))
    assert not prompt.ticking
    assert "state moved" in said(prompt, fleet)
    press(prompt, *"all")
    assert not prompt.ticking


def test_a_failing_check_leaves_nothing_to_type_until_it_passes() -> None:
    fleet = small_fleet()
    fleet.stop()
    prompt = open_recovery(fleet)
    assert "[XX]" in said(prompt, fleet)
    assert "a check fails" in said(prompt, fleet)
    press(prompt, *"mended", "enter", *"all")
    assert not prompt.ticking
    fleet.acknowledge(*WORKERS)
    prompt.see(picture_of(fleet))
    press(prompt, *"mended", "enter", *"all")
    assert prompt.ticking


def test_a_global_pause_is_resumed_the_same_dear_way() -> None:
    fleet = small_fleet()
    fleet.do(PlaceHold(selectors=(EVERYTHING,), reason="deploy"))
    prompt = RecoverPrompt(picture_of(fleet), None)
    assert re.search(r"releases H-\d+: everything is paused by ana: deploy", said(prompt, fleet))
    press(prompt, *"deployed", "enter", *"all")
    outcome = prompt.tick(4)
    assert isinstance(outcome, Send)
    assert outcome.command == ReleaseHolds(selectors=(EVERYTHING,), reason="deployed")


def test_a_narrow_scope_is_typed_as_it_is_printed() -> None:
    fleet = small_fleet()
    fleet.stop("S-1", "", Selector.of(site="feed"))
    fleet.acknowledge("w-06", "w-12")
    prompt = open_recovery(fleet)
    press(prompt, *"mended", "enter", *"all")
    assert not prompt.ticking
    press(prompt, "ctrl+u", *"site=feed")
    assert prompt.ticking


# ---------------------------------------------------------------------------------------------------------------- stop


def test_the_stop_prompt_tells_what_would_be_hit_and_that_enter_does_nothing() -> None:
    fleet = small_fleet()
    fleet.lose("w-03")
    text = said(StopPrompt(), fleet)
    assert "stops 6 sites and 11 workers and 1 lost ones that may not hear it; 11 in flight halt" in text
    assert "Enter = nothing" in text
    assert "Backend reachable. Safe to repeat." in text


def test_the_stop_prompt_of_a_cut_off_console_says_over_which_routes_it_leaves() -> None:
    text = said(StopPrompt(), small_fleet(), Link(74.0, "locked"))
    assert "Backend NOT reachable for 01:14 (locked): it leaves by latch and keeper" in text


def test_the_reason_is_asked_after_the_stop_and_may_be_left_out() -> None:
    assert press(ReasonPrompt("S-1"), "enter") == "close"
    assert press(ReasonPrompt("S-1"), *"abc", "escape") == "close"
    outcome = press(ReasonPrompt("S-1"), *"INC-412", "enter")
    assert outcome == Send(ExplainStop(stop_id="S-1", reason="INC-412"), "reason")


# ---------------------------------------------------------------------------------------------------- fields, reading


@given(st.lists(st.sampled_from([*"ab é", "backspace", "ctrl+u", "ctrl+w", "left", "enter"]), max_size=40))
def test_a_field_holds_what_was_typed_and_never_more_than_it_may(keys: list[str]) -> None:
    field = Field()
    for key in keys:
        field.key(key, key if len(key) == 1 else None)
    assert field.value.isprintable()
    assert len(field.value) <= LENGTH_MAX


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_paste_is_harmless_where_it_is_shown(name: str) -> None:
    field = Field()
    field.paste(HOSTILE[name])
    assert clean(field.shown()) == field.shown()
    assert width(field.shown()) <= 60
    assert len(field.value) <= LENGTH_MAX


def test_reading_scrolls_and_every_other_key_closes_it() -> None:
    reading = Reading("KEYS", lambda _: [(Span(str(number)),) for number in range(30)])
    fleet = small_fleet()
    assert press(reading, "j", "j") == "stay"
    assert said(reading, fleet).startswith("2\n")
    press(reading, *["pagedown"] * 9)
    assert said(reading, fleet).startswith("29\n")
    assert press(reading, "x") == "close"
