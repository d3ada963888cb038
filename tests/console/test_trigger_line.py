"""``:trigger`` and ``:preview``: what a line means, what it says before Enter, and that Enter confirms nothing."""

from __future__ import annotations

import pytest

from core.capabilities.triggers import AddTrigger, RemoveTrigger, SetTrigger
from opsconsole.command.completion import complete
from opsconsole.command.grammar import parse
from opsconsole.command.intentions import DefineTrigger, Fault, Foresee, SwitchTrigger
from opsconsole.command.trigger_line import fields_of
from opsconsole.command.verbs import vocabulary
from opsgate.selector import EVERYTHING, Selector
from tests.console import recovering
from tests.console.desk import Desk

VERBS = vocabulary(("triggers",))
NAMES = {"trigger": ["health", "nightly"], "service": ["api", "db"], "site": ["shop-eu"]}


def names(what: str) -> list[str]:
    return NAMES.get(what, [])


@pytest.mark.parametrize(
    ("line", "intention"),
    [
        ("preview", Foresee("immediate", EVERYTHING)),
        ("preview maintenance", Foresee("maintenance", EVERYTHING)),
        ("preview cascading service=db", Foresee("cascading", Selector.of(service="db"))),
        ("preview site=shop-eu", Foresee("immediate", Selector.of(site="shop-eu"))),
        ("trigger health off", SwitchTrigger("health", 9, "off")),
        ("trigger health remove", SwitchTrigger("health", 9, "remove")),
        (
            "trigger health health_score_critical healthScore=30 clear.healthScore=50 level=cascading shadow",
            DefineTrigger(
                "health",
                9,
                {
                    "trigger_type": "health_score_critical",
                    "thresholds": {"healthScore": 30.0},
                    "clear": {"healthScore": 50.0},
                    "stop_level": "cascading",
                    "shadow": True,
                },
            ),
        ),
        (
            "trigger health cooldown=10m window=90 targets=api,db samples=3",
            DefineTrigger(
                "health",
                9,
                {
                    "cooldown_period_ms": 600_000,
                    "time_window_ms": 90_000,
                    "target_services": ("api", "db"),
                    "min_samples": 3,
                },
            ),
        ),
        (
            "trigger nightly time_based_trigger zone=UTC -- 0 3 * * *",
            DefineTrigger("nightly", 9, {"trigger_type": "time_based_trigger", "zone": "UTC"}, "0 3 * * *"),
        ),
    ],
)
def test_a_line_means(line: str, intention: object) -> None:
    assert parse(line, VERBS) == intention


@pytest.mark.parametrize(
    ("line", "column", "sentence"),
    [
        ("trigger", 8, "the name of a trigger is missing"),
        ("trigger health", 15, "what to do with it is missing"),
        ("trigger health of", 16, "of is no word for a trigger; did you mean off?"),
        ("trigger health level=hard", 16, "level: hard is no level: one of maintenance"),
        ("trigger health priority=high", 16, "priority: high is no whole number"),
        ("trigger health cooldown=long", 16, "cooldown: 'long' is not a duration"),
        ("trigger health healthScore=low", 16, "healthScore: low is no number"),
        ("trigger health priority=1 priority=2", 27, "priority stands twice"),
        ("trigger health off now", 23, "off stands alone"),
        ("trigger /etc off", 9, "/etc is no name"),
        ("preview hard", 9, "hard is no level"),
        ("preview graceful stie=s1", 18, "stie=s1 is no scope; did you mean site=?"),
    ],
)
def test_what_is_wrong_is_said_with_its_column(line: str, column: int, sentence: str) -> None:
    fault = parse(line, VERBS)
    assert isinstance(fault, Fault)
    assert sentence in fault.sentence
    assert fault.column == column


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("trigger h", ("health",)),
        ("trigger health o", ("off", "on")),
        ("trigger health heal", ("health_score_critical",)),
        ("trigger health level=g", ("graceful",)),
        ("trigger health targets=api,d", ("db",)),
        ("preview main", ("maintenance",)),
        ("preview graceful site=sh", ("shop-eu",)),
    ],
)
def test_tab_goes_on(line: str, offers: tuple[str, ...]) -> None:
    assert complete(line, VERBS, names).offers == offers


def test_what_is_not_said_stays_as_it_is_and_what_follows_the_dashes_is_a_rule_or_a_schedule() -> None:
    known = {"trigger_type": "custom_rule_trigger", "rule": "value > 1.0", "thresholds": {"a": 1.0}, "priority": 2}
    changed = fields_of({"thresholds": {"b": 2.0}}, known, "value > 2.0")
    assert changed == known | {"thresholds": {"a": 1.0, "b": 2.0}, "rule": "value > 2.0"}
    nightly = fields_of({"trigger_type": "time_based_trigger", "zone": "Europe/Berlin"}, {}, "0 3 * * *")
    assert nightly["schedule"] == {"cron": "0 3 * * *", "zone": "Europe/Berlin"}


@pytest.mark.asyncio
async def test_a_trigger_is_rehearsed_before_it_is_added_and_y_adds_it() -> None:
    desk = Desk(recovering.stopped())
    async with desk.at(120, 36):
        await desk.press("colon")
        await desk.type("trigger low health_score_critical healthScore=40 targets=api level=service_specific")
        assert "adds trigger low: healthScore < 40; service_specific stop of service=api; rehearses it" in desk.text()
        await desk.press("enter", "enter")
        assert desk.fleet.submitted == [], "Enter confirms nothing"
        await desk.confirm(
            "ADD trigger low",
            "rehearsed with 10 samples",
            "fires 1 time, first for healthScore 36 (threshold 40, last)",
            "1 service in 1 tier",
        )
        await desk.until(lambda: len(desk.fleet.submitted) == 1)
        command = desk.fleet.submitted[0].command
        assert isinstance(command, AddTrigger)
        assert (command.name, command.thresholds, command.target_services) == ("low", {"healthScore": 40.0}, ("api",))


@pytest.mark.asyncio
async def test_what_makes_no_sense_is_said_before_enter_by_the_rules_of_the_type() -> None:
    desk = Desk(recovering.with_services())
    async with desk.at(120, 36):
        await desk.press("colon")
        await desk.type("trigger low health_score_critical errorRate=40")
        assert "health_score_critical has no threshold errorRate: it takes healthScore" in desk.text()
        await desk.press("ctrl+u")
        await desk.type("trigger low priority=3")
        assert "there is no trigger low yet: name its type first" in desk.text()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("word", "title", "kind"),
    [("off", "SWITCH trigger health off", SetTrigger), ("remove", "REMOVE trigger health", RemoveTrigger)],
)
async def test_a_trigger_is_switched_and_removed_and_what_it_stopped_stays_stopped(
    word: str, title: str, kind: type
) -> None:
    desk = Desk(recovering.stopped())
    async with desk.at(120, 36):
        await desk.press("colon")
        await desk.type(f"trigger health {word}")
        await desk.press("enter")
        await desk.confirm(title, "what it has stopped stays stopped")
        await desk.until(lambda: len(desk.fleet.submitted) == 1)
        assert isinstance(desk.fleet.submitted[0].command, kind)


@pytest.mark.asyncio
async def test_a_preview_is_read_and_stops_nothing() -> None:
    desk = Desk(recovering.with_services())
    async with desk.at(120, 36):
        await desk.press("colon")
        await desk.type("preview cascading")
        assert "says what a cascading stop of all would hit" in desk.text()
        await desk.press("enter")
        assert "tier 3  db" in desk.text()
        assert desk.orders == []
        assert desk.fleet.submitted == []
