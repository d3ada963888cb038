"""Prompts as state machines: Enter confirms nothing, releases need a reason, and a state that moved is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.stop_lane import Fired
from core.capabilities.explaining import ExplainStop
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.recovery import Recover
from core.capabilities.switches import SetSwitch
from core.messages import Actor, EventNote, Receipt
from core.state import State
from opsconsole.actions import Action, Desk, asking, recovering, stopping
from opsconsole.dialogs.base import Dialog, Outcome, Send
from opsconsole.dialogs.explain import ExplainPrompt
from opsconsole.dialogs.field import LENGTH_MAX, Field
from opsconsole.dialogs.filter import FilterPrompt
from opsconsole.dialogs.palette import Palette
from opsconsole.dialogs.pause import PausePrompt, ResumePrompt
from opsconsole.dialogs.reading import Reading
from opsconsole.dialogs.recover import RecoverPrompt
from opsconsole.dialogs.several import Several
from opsconsole.dialogs.stop import ReasonPrompt, StopPrompt
from opsconsole.dialogs.target import Target
from opsconsole.keymap import DEFAULT
from opsconsole.keyrow import prompt_row
from opsconsole.lines import Span, plain
from opsconsole.text import clean, width
from opsconsole.views.answers import answered
from opsconsole.views.picture import Facts, Link, Picture, Routes
from opsgate.hold import Hold
from opsgate.order import Order
from opsgate.selector import EVERYTHING, Selector, scope_text
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


def nothing_known() -> Picture:
    """What a console has that was never answered."""
    return picture_of(Fleet(), Link(None))._replace(facts=Facts.of(State()))


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


def test_a_flag_that_is_off_already_says_by_whom_and_that_y_changes_nothing() -> None:
    fleet = small_fleet()
    fleet.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False, reason="too dear"), by=Actor(name="ben"))
    fleet.pass_time(300)
    before = fleet.latest().revision
    words = "switches enableABTesting off: off already, by ben 5m ago: y changes nothing"
    assert words in said(PausePrompt(FLAG), fleet)
    outcome = press(PausePrompt(FLAG), "y")
    assert isinstance(outcome, Send)
    assert not fleet.do(outcome.command).changed
    assert fleet.latest().revision == before
    fleet.pause("and held besides", operation="ab_testing")
    text = said(PausePrompt(FLAG), fleet)
    assert "off already, 5m ago: y changes nothing" in text, "who touched the flag last did not switch it"


def test_a_flag_that_others_hold_says_what_its_switch_adds() -> None:
    fleet = small_fleet()
    fleet.pause("the provider is down", operation="ab_testing")
    assert "held already; switched off, it stays off when that ends" in said(PausePrompt(FLAG), fleet)
    both = PausePrompt(Several("operation", ("ab_testing", "site_creation")))
    assert "of what is not held already, running work finishes" in said(both, fleet)
    fleet.do(SetSwitch(dimension="operation", names=("ab_testing", "site_creation"), on=False))
    assert "off already, by ana just now: y changes nothing" in said(both, fleet)
    fleet.stop()
    assert "off already" in said(both, fleet), "what is off stays off, stop or no stop"
    text = said(PausePrompt(Target("operation", "gsc_verification")), fleet)
    assert "; switched off, it stays off when E-" in text


@pytest.mark.parametrize("key", ["p", "enter"])
def test_neither_the_key_that_opened_it_nor_enter_confirms_a_pause(key: str) -> None:
    assert press(PausePrompt(SITE), key, key, key) == "stay"


@pytest.mark.parametrize("key", ["n", "q", "down", "P"])
def test_only_escape_cancels_a_pause_and_every_other_key_is_told_what_counts(key: str) -> None:
    prompt = PausePrompt(SITE)
    assert press(prompt, key) == "stay"
    assert "y or Esc" in said(prompt, small_fleet())
    assert press(prompt, "escape") == "close"


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


def test_a_resume_that_can_release_nothing_says_at_once_what_holds_and_asks_for_no_reason() -> None:
    fleet = small_fleet()
    fleet.stop("S-1", "", Selector.of(site="mail"))
    prompt = ResumePrompt(Target("site", "mail"), picture_of(fleet))
    text = said(prompt, fleet)
    assert "P cannot release it: site=mail is stopped by emergency E-37 - R recovers E-37" in text
    assert "reason" not in text
    assert press(prompt, "y") == "stay"
    nothing = ResumePrompt(Target("site", "feed"), picture_of(fleet))
    assert "nothing holds feed: there is nothing to resume" in said(nothing, fleet)


def test_a_pause_of_what_is_stopped_promises_no_drain() -> None:
    fleet = stopped_fleet()
    text = said(PausePrompt(Target("site", "mail")), fleet)
    assert "stopped already by E-37; a pause keeps it held when E-37 is recovered" in text
    assert "running work finishes" not in text


def test_a_pause_of_several_says_what_that_of_one_says() -> None:
    mail, shop = Target("site", "mail"), Target("site", "shop-eu")
    fleet = small_fleet()
    assert "shop-eu: you already pause this: nothing to do" in said(PausePrompt(shop), fleet)
    several = PausePrompt(Several("site", ("mail", "shop-eu")))
    assert "of what is not held already, running work finishes" in said(several, fleet)
    assert several.residue() == "not paused: 2 marked sites are as they were"
    fleet.stop()
    for prompt in (PausePrompt(mail), several):
        assert "stopped already by E-37; a pause keeps it held when E-37 is recovered" in said(prompt, fleet)
        assert "running work finishes" not in said(prompt, fleet)


@pytest.mark.parametrize("make", [lambda aim, _: PausePrompt(aim), ResumePrompt], ids=["pause", "resume"])
def test_a_prompt_over_many_names_looks_at_their_holds_when_holds_change_and_not_at_each_paint(
    make: Callable[[Several, Picture], Dialog], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand names are looked up in a tenth of a second, and a prompt is painted many times in one."""
    fleet, looked, holds_on = small_fleet(), list[str](), State.holds_on

    def counted(state: State, selector: Selector) -> tuple[Hold, ...]:
        looked.extend(value for _, value in selector.items)
        return holds_on(state, selector)

    monkeypatch.setattr(State, "holds_on", counted)
    prompt = make(Several("site", ("shop-eu", "mail")), picture_of(fleet))
    first = said(prompt, fleet)
    looked.clear()
    fleet.pass_time(60)
    assert said(prompt, fleet) == first
    assert looked == []
    fleet.pause("rain", site="mail")
    looked.clear()
    assert "rain" in said(prompt, fleet)
    assert sorted(looked) == ["mail", "shop-eu"]


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda fleet: PausePrompt(SITE), "not paused: shop-eu is as it was"),
        (lambda fleet: ResumePrompt(SITE, picture_of(fleet)), "not resumed: shop-eu is as it was"),
        (lambda fleet: RecoverPrompt(picture_of(fleet), "E-37"), "not recovered: E-37 stays held"),
        (lambda fleet: StopPrompt(), "NOT STOPPED: disarmed, S was not pressed"),
        (lambda fleet: ReasonPrompt("S-1"), "no reason was saved; row 1 says how far the stop has come"),
    ],
)
def test_a_prompt_that_is_dismissed_leaves_its_word(make: Callable[[Fleet], Dialog], word: str) -> None:
    assert make(stopped_fleet()).residue() == word


@pytest.mark.parametrize(
    ("make", "does"),
    [
        (lambda fleet: PausePrompt(SITE), "cancel"),
        (lambda fleet: ResumePrompt(SITE, picture_of(fleet)), "cancel"),
        (lambda fleet: ResumePrompt(Target("site", "mail"), picture_of(fleet)), "close"),
        (lambda fleet: RecoverPrompt(picture_of(fleet), "E-37"), "cancel"),
        (lambda fleet: ReasonPrompt("S-1"), "leave it out"),
        (lambda fleet: Reading("KEYS", lambda _picture: []), "close"),
        (lambda fleet: Palette(list), "close"),
        (lambda fleet: FilterPrompt("sites", "", lambda _text: (1, 2), lambda _by: None), "show all"),
    ],
)
def test_a_prompt_and_the_row_of_keys_say_the_same_of_escape(make: Callable[[Fleet], Dialog], does: str) -> None:
    fleet = stopped_fleet()
    dialog = make(fleet)
    foot = "\n".join(map(plain, dialog.foot(picture_of(fleet))))
    assert f"Esc {does}" in foot
    assert plain(prompt_row(DEFAULT, 80, dialog.escapes)).rstrip().endswith(f"Esc {does}")
    assert not re.search(r"(Esc|Enter|c) \w*[^s\W]s\b", foot), "keys say what they do in one form"


def test_resume_needs_a_reason_and_another_key_than_enter() -> None:
    fleet = small_fleet()
    prompt = ResumePrompt(SITE, picture_of(fleet))
    assert press(prompt, "enter", "enter") == "stay"
    assert press(prompt, *"mended", "enter", "enter", "P") == "stay"
    outcome = press(prompt, "y")
    revision = fleet.latest().control_revision
    release = ReleaseHolds(selectors=(Selector.of(site="shop-eu"),), reason="mended")
    assert outcome == Send(release, "resume shop-eu", revision)


def test_a_slip_after_the_reason_keeps_the_prompt_and_the_reason() -> None:
    fleet = small_fleet()
    prompt = ResumePrompt(SITE, picture_of(fleet))
    assert press(prompt, *"mended", "enter", "t", "down") == "stay"
    assert "y or Esc" in said(prompt, fleet)
    outcome = press(prompt, "y")
    assert isinstance(outcome, Send)
    assert outcome.command == ReleaseHolds(selectors=(Selector.of(site="shop-eu"),), reason="mended")


def test_what_is_typed_on_in_a_prompt_that_the_state_outran_is_swallowed() -> None:
    fleet = small_fleet()
    prompt = ResumePrompt(SITE, picture_of(fleet))
    press(prompt, *"men")
    fleet.pause("by somebody else", site="mail")
    prompt.see(picture_of(fleet))
    assert press(prompt, *"ded") == "stay"


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


def test_the_countdown_says_what_stays_held_and_so_does_the_answer() -> None:
    fleet = stopped_fleet()
    fleet.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False))
    prompt = open_recovery(fleet)
    press(prompt, *"mended", "enter", *"all")
    assert "resuming all in 3 s; 2 stay held: flag enableABTesting, site shop-eu" in said(prompt, fleet)
    outcome = prompt.tick(4)
    assert isinstance(outcome, Send)
    done = plain(answered(outcome, fleet.do(outcome.command)))
    assert done == "recover all: recorded; 2 stay held: flag enableABTesting, site shop-eu"


def test_where_nothing_stays_held_that_is_said_too() -> None:
    fleet = small_fleet()
    fleet.resume("mended", site="shop-eu")
    fleet.do(PlaceHold(selectors=(EVERYTHING,), reason="deploy"))
    prompt = RecoverPrompt(picture_of(fleet), None)
    assert "nothing else holds it" in said(prompt, fleet)
    press(prompt, *"deployed", "enter", *"all")
    assert "resuming all in 3 s; nothing else holds it" in said(prompt, fleet)
    outcome = prompt.tick(4)
    assert isinstance(outcome, Send)
    assert plain(answered(outcome, fleet.do(outcome.command))).startswith(
        "recover all: recorded; nothing else holds it"
    )


def test_a_recovery_in_steps_is_answered_as_begun_and_not_as_done() -> None:
    send = Send(Recover(emergency_id="E-7", reason="mended"), "recover all")
    begun = Receipt(revision=9, changed=True, events=(EventNote(revision=9, kind="recovery.started"),))
    said_of_it = plain(answered(send, begun))
    assert said_of_it.startswith("[!!] recover all: begun, not done: H holds it, X aborts it")
    assert "done;" not in said_of_it


def test_a_pause_is_answered_without_a_list_of_what_holds() -> None:
    fleet = small_fleet()
    outcome = press(PausePrompt(Target("site", "mail")), "y")
    assert isinstance(outcome, Send)
    assert plain(answered(outcome, fleet.do(outcome.command))) == "pause mail: recorded"


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


def test_a_scope_too_long_to_type_is_recovered_by_the_id_of_its_emergency() -> None:
    fleet = small_fleet()
    sites = [f"site-{number:03}" for number in range(200)]
    fleet.add_sites(*sites)
    fleet.stop("S-1", "", *(Selector.of(site=site) for site in sites))
    fleet.acknowledge(*WORKERS)
    prompt = open_recovery(fleet)
    emergency = fleet.latest().active_emergencies()[0]
    press(prompt, *"mended", "enter")
    assert f'the scope is long: type "{emergency.emergency_id}"' in said(prompt, fleet)
    press(prompt, *"all", "enter")
    assert "that is not the id" in said(prompt, fleet)
    press(prompt, *emergency.emergency_id)
    outcome = prompt.tick(4)
    assert isinstance(outcome, Send)
    assert outcome.command == Recover(
        emergency_id=emergency.emergency_id, reason="mended", confirm=scope_text(emergency.selectors)
    )
    fleet.do(outcome.command)
    assert not fleet.latest().active_emergencies()


# ---------------------------------------------------------------------------------------------------------------- stop


def test_the_stop_prompt_tells_what_would_be_hit_and_that_enter_does_nothing() -> None:
    fleet = small_fleet()
    fleet.lose("w-03")
    text = said(StopPrompt(), fleet)
    assert "stops 6 sites and 11 workers; 11 in flight halt" in text
    assert "out of reach, may not hear it: w-03" in text
    assert "Enter = nothing" in text


def test_the_stop_prompt_counts_nothing_that_nobody_has_seen() -> None:
    """A console that is shown nothing stops everything all the same: it does not stop 0 sites."""
    first, *_ = map(plain, StopPrompt().body(nothing_known()))
    assert first == "stops every site and every worker of the fleet; how many there are is not known here"
    assert "halt at their next checkpoint, as last known" in said(StopPrompt(), small_fleet(), Link(9.0))


def test_who_is_shown_nothing_is_not_sent_to_row_1_for_what_has_stopped() -> None:
    blind = Link(None, "the role stop may not see", refused=True)
    assert "whoever is shown the fleet has to look what has stopped" in said(ReasonPrompt("S-1"), Fleet(), blind)
    assert "Row 1 says what has been seen to stop" in said(ReasonPrompt("S-1"), Fleet(), Link(0.1))


@pytest.mark.parametrize(
    "action", [stopping.Recover(), stopping.Explain(), asking.Acks(), recovering.Own()], ids=lambda each: each.id
)
def test_of_a_fleet_of_which_nothing_is_known_no_key_says_what_there_is_none_of(action: Action) -> None:
    """`?` of a console that has not been answered yet said "no acknowledgement is missing"."""

    def why_not(picture: Picture) -> str:
        return action.why_not(cast(Desk, SimpleNamespace(picture=picture, pane=SimpleNamespace(selected=None))))

    assert why_not(nothing_known()) == "nothing is known of the fleet yet"
    assert "known" not in why_not(picture_of(small_fleet()))


@pytest.mark.parametrize(
    ("link", "routes", "words"),
    [
        (
            Link(None, "the role stop may not see", refused=True),
            Routes(latch=True),
            "The server shows this token nothing (the role stop may not see). It is told all the same (1 of 3 routes",
        ),
        (
            Link(0.1),
            Routes(True, True),
            "Backend reachable (3 of 3 routes up: backend, keeper, latch). Safe to repeat.",
        ),
        (Link(0.1), Routes(True, False), "Backend reachable (2 of 3 routes up: backend, latch). Safe to repeat."),
        (Link(0.1), Routes(True, False), "NO KEEPER: nothing is pushed and nobody counts"),
        (Link(0.1), Routes(False, True), "NO LATCH: its directory cannot be written"),
        (
            Link(74.0, "locked"),
            Routes(True, True),
            "Backend NOT reachable for 01:14 (locked): will use panic path (2 of 3 routes up: keeper, latch).",
        ),
        (
            Link(74.0, "no answer"),
            Routes(True, None),
            "will use panic path (1 of 3 routes up: latch; keeper not known meanwhile, tried all the same).",
        ),
        (
            Link(None),
            Routes(),
            "Backend not reached yet: will use panic path (no route is known to be up; keeper and latch not looked at",
        ),
    ],
)
def test_the_stop_prompt_says_by_which_routes_it_would_leave(link: Link, routes: Routes, words: str) -> None:
    picture = picture_of(small_fleet(), link)._replace(routes=routes)
    assert words in "\n".join(map(plain, StopPrompt().body(picture)))


def test_the_prompt_after_a_stop_follows_it_from_sent_to_verified() -> None:
    fleet = small_fleet()
    prompt = ReasonPrompt("S-1")
    assert "sending: latch and keeper" in said(prompt, fleet)
    prompt.left(Fired(Order("S-1", fleet.now), "", "absent", "spool"))
    assert "stop sent, not recorded yet - latch on disk, keeper absent" in said(prompt, fleet)
    steps = []
    for acked in ((), WORKERS[:9], WORKERS[9:]):
        if not acked:
            fleet.stop()
        fleet.acknowledge(*acked)
        prompt.see(picture_of(fleet))
        steps.append((prompt.title, said(prompt, fleet).split("\n")[0]))
    assert steps == [
        ("STOP RECORDED", "recorded as E-37, acks 0/12, waiting for w-01 w-02 w-03 w-04 w-05 +7"),
        ("STOP RECORDED", "recorded as E-37, acks 9/12, waiting for w-10 w-11 w-12"),
        ("STOP VERIFIED", "recorded as E-37, verified: 12/12 acknowledged"),
    ]
    assert "not recorded" not in said(prompt, fleet)
    assert "on its way here: latch on disk, keeper absent" in said(prompt, fleet)


def test_the_prompt_after_a_stop_names_who_is_missing_when_time_is_up() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS[:11])
    fleet.pass_time(6)
    fleet.conclude()
    prompt = ReasonPrompt("S-1")
    prompt.see(picture_of(fleet))
    assert prompt.title == "STOP PARTIAL"
    assert "PARTIAL: acks 11/12, MISSING w-12" in said(prompt, fleet)
    assert "as last known: the backend does not answer now" in said(prompt, fleet, Link(9.0))


def test_the_reason_is_asked_after_the_stop_and_may_be_left_out() -> None:
    assert press(ReasonPrompt("S-1"), "enter") == "close"
    assert press(ReasonPrompt("S-1"), *"abc", "escape") == "close"
    outcome = press(ReasonPrompt("S-1"), *"INC-412", "enter")
    assert outcome == Send(ExplainStop(stop_id="S-1", reason="INC-412"), "reason")


def test_a_stop_without_a_reason_gets_it_later_and_nothing_else_changes() -> None:
    fleet = small_fleet()
    fleet.stop("S-1")
    prompt = ExplainPrompt("E-37", "S-1")
    assert prompt.title == "REASON OF E-37"
    assert "nothing stops or starts by it" in said(prompt, fleet)
    assert press(prompt, "enter") == "close"
    outcome = press(prompt, *"INC-9", "enter")
    assert outcome == Send(ExplainStop(stop_id="S-1", reason="INC-9"), "reason of E-37")
    before = fleet.latest().control_revision
    fleet.do(ExplainStop(stop_id="S-1", reason="INC-9"))
    assert fleet.latest().emergencies["E-37"].reason == "INC-9"
    assert fleet.latest().control_revision == before, "no release is spoilt by it"


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
    reading.rows_shown = 10
    fleet = small_fleet()
    assert press(reading, "j", "j") == "stay"
    assert said(reading, fleet).startswith("2\n")
    press(reading, *["pagedown"] * 9)
    assert said(reading, fleet).startswith("20\n")
    assert press(reading, "x") == "close"
