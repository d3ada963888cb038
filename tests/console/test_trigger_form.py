"""The form of a trigger: what its lines say is checked and rehearsed as one types, and only ``y`` adds it."""

from __future__ import annotations

import pytest

from core.triggers.definition import Definition
from core.triggers.sample import Sample
from opsconsole.command.trigger_fields import entries, read, texts_of
from opsconsole.dialogs.base import Dialog, Outcome, Then
from opsconsole.dialogs.trigger_form import TriggerForm
from opsconsole.lines import plain
from opsconsole.replay import FRESH_S, Replays
from opsconsole.views.picture import Replay
from tests.console import recovering
from tests.console.desk import Clock, Desk, small_fleet
from tests.console.test_views import picture_of

WHOLE = Definition.model_validate_json(
    """{"name": "health", "trigger_type": "health_score_critical", "title": "Health", "account_id": "a1",
    "thresholds": {"healthScore": 30}, "clear": {"healthScore": 50.5}, "time_window_ms": 90000, "priority": 4,
    "cooldown_period_ms": 0, "stop_level": "cascading", "target_services": ["web", "api"], "scope": [{"site": "s1"}],
    "notification_channels": ["mail"], "min_samples": 3, "absent_after_ms": 300000, "shadow": true,
    "description": "When it falls"}"""
)
OTHERS = (
    {"trigger_type": "custom_rule_trigger", "rule": "value > thresholds.most", "metrics": ["queue"]}
    | {"thresholds": {"most": 100}},
    {"trigger_type": "time_based_trigger", "schedule": {"cron": "0 3 * * *", "zone": "Europe/Berlin"}},
    {"trigger_type": "manual_trigger", "is_active": False},
)


def definition(**fields: object) -> Definition:
    return Definition.model_validate({"name": "other", **fields}, strict=False)


@pytest.mark.parametrize("known", [WHOLE, *(definition(**each) for each in OTHERS)], ids=lambda one: one.trigger_type)
def test_a_trigger_that_is_opened_and_not_changed_is_the_same(known: Definition) -> None:
    assert read(texts_of(known), known) == (known, "", "")


def test_every_field_of_a_trigger_has_a_line() -> None:
    """The title is the other name of a trigger that another system gave it, and stays."""
    named = ("health_score_critical", "custom_rule_trigger", "time_based_trigger")
    keys = {entry.key for name in named for entry in entries(name, new=True)}

    assert keys == {
        *("name", "type", "at.healthScore", "clear.healthScore", "rule", "metrics", "cron", "zone", "level", "scope"),
        *("targets", "account", "window", "cooldown", "priority", "samples", "absent", "channels", "active", "shadow"),
        *("auto-recover", "description"),
    }


@pytest.mark.parametrize(
    ("changed", "key", "fault"),
    [
        ({"at.healthScore": "low"}, "at.healthScore", "low is no number"),
        ({"at.healthScore": "400"}, "at.healthScore", "healthScore lies from 0 to 100"),
        ({"clear.healthScore": "10"}, "clear.healthScore", "healthScore clears from the threshold on (30)"),
        ({"window": "soon"}, "window", "'soon' is not a duration"),
        ({"window": "90000s"}, "window", "time_window_ms (90000000)"),
        ({"samples": "many"}, "samples", "many is no whole number"),
        ({"account": "a b"}, "account", "account_id ('a b')"),
        ({"scope": "everything"}, "scope", ""),
        ({"level": "service_specific", "targets": "all"}, "", "name them"),
        ({"type": "manual_trigger", "auto-recover": "yes", "absent": ""}, "", "leave auto_recover out"),
        ({"type": ""}, "type", "choose what it watches"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(changed: dict[str, str], key: str, fault: str) -> None:
    found = read(texts_of(WHOLE) | changed, WHOLE)

    assert (found.definition, found.key) == (None, key), found
    assert fault in found.fault


def test_a_new_one_takes_a_name() -> None:
    assert read(texts_of(None), None)[1:] == ("name", "give it a name")


# ----------------------------------------------------------------------------------------------------------- the dialog


def press(dialog: Dialog, *keys: str) -> Outcome:
    outcome: Outcome = "stay"
    for key in keys:
        outcome = dialog.key(key, key if len(key) == 1 else None)
    return outcome


def opened(known: Definition | None = None) -> tuple[TriggerForm, list[Dialog], list[tuple[str, ...]]]:
    """A form, what it opened, and the metrics whose samples it asked for."""
    dialogs: list[Dialog] = []
    asked: list[tuple[str, ...]] = []
    return TriggerForm(known, dialogs.append, asked.append), dialogs, asked


def filled() -> tuple[TriggerForm, list[Dialog], list[tuple[str, ...]]]:
    """A new one, of the type that the right key comes to, with a threshold."""
    form, dialogs, asked = opened()
    press(form, *"low", "enter")
    while form._text("type") != "health_score_critical":
        press(form, "right")
    press(form, "enter", *"30")
    return form, dialogs, asked


def said(form: Dialog, replay: Replay | None = None) -> str:
    picture = picture_of(small_fleet())._replace(replay=replay or Replay())
    return "\n".join(plain(each) for each in (*form.body(picture), *form.foot(picture)))


def test_enter_goes_from_line_to_line_and_at_the_end_only_asks() -> None:
    form, dialogs, _ = filled()

    assert press(form, *["enter"] * (len(form._lines) - 3)) == "stay"
    outcome = press(form, "enter")

    assert isinstance(outcome, Then)
    outcome.do()
    (question,) = dialogs
    assert (question.title, question.confirms) == ("ADD trigger low", "y")


def test_where_something_is_wrong_the_end_leads_back_to_its_line() -> None:
    form, dialogs, _ = filled()
    press(form, "backspace", "backspace", "x", "end")

    assert press(form, "enter") == "stay"
    assert (form._entry.key, dialogs) == ("at.healthScore", [])
    assert "not yet: healthScore: x is no number" in said(form)
    assert ">!healthScore" in said(form)


def test_the_rehearsal_goes_on_as_one_types() -> None:
    form, _, asked = filled()
    now_s = picture_of(small_fleet()).now.timestamp()
    values = [(3000, 80), (2000, 20), (1000, 80), (400, 25), (100, 80)]
    kept = tuple(Sample("healthScore", now_s - age_s, value) for age_s, value in values)
    replay = Replay({"healthScore": kept})

    assert asked[-1] == ("healthScore",)
    assert "would have fired 2 times in the last hour, first at " in said(form, replay)
    press(form, "backspace", "backspace", *"22")
    assert "would have fired 1 time in the last hour" in said(form, replay)
    press(form, "backspace", "backspace", "5")
    assert "would not have fired in the last hour, of 5 kept samples" in said(form, replay)
    assert "no sample of healthScore was kept in the last hour" in said(form, Replay({"healthScore": ()}))
    assert "no sample is known to rehearse it with" in said(form, Replay({}, "outside-scope"))


def test_esc_changes_nothing_and_says_so() -> None:
    form, _, _ = opened(WHOLE)

    assert (press(form, "escape"), form.residue()) == ("close", "trigger health is as it was")


def test_samples_are_read_when_somebody_asks_and_read_again_only_when_they_are_old() -> None:
    clock, fleet = Clock(), small_fleet()
    fleet.kept = [Sample("spend", fleet.now.timestamp() - 60, 3.0)]
    replays = Replays(clock)

    assert not replays.look(fleet, timeout_s=1.0), "nobody has asked"
    assert replays.want(("spend",))
    assert replays.look(fleet, timeout_s=1.0)
    assert replays.known.samples == {"spend": tuple(fleet.kept)}
    assert not replays.want(("spend",))
    assert not replays.look(fleet, timeout_s=1.0)
    clock.now += FRESH_S
    assert replays.look(fleet, timeout_s=1.0)
    fleet.away = "it is gone"
    replays.want(("other",))
    assert replays.look(fleet, timeout_s=1.0)
    assert "it is gone" in replays.known.trouble


# ---------------------------------------------------------------------------------------------------------- the console


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)], ids=["80x24", "120x36", "200x60"])
async def test_a_trigger_is_changed_in_the_form_from_the_list_by_keys(size: tuple[int, int]) -> None:
    fleet = recovering.with_services()
    now_s = fleet.now.timestamp()
    fleet.kept = [Sample("healthScore", now_s - age_s, value) for age_s, value in ((900, 20.0), (600, 80.0))]
    desk = Desk(fleet)
    async with desk.at(*size):
        await desk.press("colon")
        await desk.type("triggers")
        await desk.press("enter", "E")
        assert "CHANGE trigger health" in desk.text()
        assert "> type" in desk.text()
        await desk.until(lambda: "would have fired 1 time in the last hour" in desk.text())
        await desk.press("down", "ctrl+u")
        await desk.type("15")
        await desk.until(lambda: "would not have fired in the last hour" in desk.text())
        await desk.press("end", "enter")
        await desk.confirm("CHANGE trigger health", "takes the place of the one that there is", "healthScore < 15")
        await desk.until(lambda: fleet.latest().triggers["health"].definition.thresholds["healthScore"] == 15)


@pytest.mark.asyncio
async def test_where_there_is_no_room_the_line_that_is_typed_and_what_is_wrong_stay() -> None:
    desk = Desk(small_fleet())
    async with desk.at(40, 10):
        await desk.press("T")
        assert "NEW trigger" in desk.text()
        assert ">!name" in desk.text()
        assert "not yet: name: give it a name" in desk.text()
        await desk.type("low")
        await desk.press("down")
        assert ">!type" in desk.text()
        assert "not yet: type" in desk.text()
        await desk.press("!")
        assert "STOP" in desk.text()


@pytest.mark.asyncio
async def test_where_there_is_no_room_a_rehearsal_is_few_words() -> None:
    fleet = recovering.with_services()
    fleet.kept = [Sample("healthScore", fleet.now.timestamp() - 900, 20.0)]
    desk = Desk(fleet)
    async with desk.at(40, 10):
        await desk.press("colon")
        await desk.type("triggers")
        await desk.press("enter", "E")
        await desk.until(lambda: "fired 1 time in the last hour" in desk.text())
        assert "> type" in desk.text()


@pytest.mark.asyncio
async def test_without_a_trigger_under_the_cursor_there_is_nothing_to_change() -> None:
    desk = Desk(small_fleet())
    async with desk.at(80, 24):
        await desk.press("E")
        assert "no trigger is under the cursor" in desk.text()


def test_esc_at_the_question_leads_back_to_the_form_with_all_that_was_typed() -> None:
    form, dialogs, _ = filled()
    asked = press(form, "end", "enter")
    assert isinstance(asked, Then)
    asked.do()

    back = press(dialogs[-1], "escape")

    assert dialogs[-1].escape == ("Esc", "go back")
    assert isinstance(back, Then)
    back.do()
    assert dialogs[-1] is form
    assert form._text("at.healthScore") == "30"
