"""Emergencies and recoveries at a desk: who knows, who owns, hold, abort, roll back and continue, each with the
friction that it deserves; and what is inside services and triggers."""

from __future__ import annotations

import pytest

from core.capabilities.ownership import AcknowledgeEmergency, OwnEmergency
from core.capabilities.recovery import AbortRecovery, ContinueRecovery, HoldRecovery, Recover, RollBackRecovery
from core.messages import Command
from opsconsole.drawing import Frame, Place, draw
from opsconsole.layout import plan
from opsconsole.lines import plain
from opsconsole.views.audit import Read
from opsconsole.views.inside import inside
from opsconsole.views.services import services
from opsconsole.views.stop_reach import stop_reach
from opsconsole.views.subject import Subject
from opsconsole.views.triggers import triggers
from opsgate.order import LEVELS, Level
from opsgate.selector import EVERYTHING, Selector
from tests.console import recovering
from tests.console.conftest import Golden
from tests.console.desk import Desk
from tests.console.fleet import Fleet
from tests.console.test_recovery_views import said, seen


def emergency(fleet: Fleet) -> str:
    return recovering.emergency_of(fleet).emergency_id


async def carried_out(desk: Desk) -> Command:
    await desk.until(lambda: len(desk.fleet.submitted) == 1)
    return desk.fleet.submitted[0].command


# ------------------------------------------------------------------------------------------------------------ at a desk


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("key", "title", "says", "command"),
    [
        ("A", "ACKNOWLEDGE {}", "nothing stops or starts by it", AcknowledgeEmergency),
        ("O", "OWN {}", "it is nobody's now", OwnEmergency),
    ],
)
async def test_an_emergency_is_acknowledged_and_owned_by_a_key_and_y(
    key: str, title: str, says: str, command: type[Command]
) -> None:
    fleet = recovering.stopped()
    desk = Desk(fleet)
    async with desk.at(120, 36):
        await desk.press("5", key)
        await desk.press("enter")
        assert desk.fleet.submitted == [], "Enter confirms nothing"
        await desk.confirm(title.format(emergency(fleet)), says)
        assert isinstance(await carried_out(desk), command)
        await desk.until(lambda: "UNACKED" not in desk.text())
        await desk.press(key)
        assert f"{key}: " in desk.row(-2), "once is enough, and it says so"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("key", "title", "says", "command"),
    [
        ("H", "HOLD recovery of {}", "what is admitted stays admitted", HoldRecovery),
        ("X", "ABORT recovery of {}", "stops again: mailer web api cache db", AbortRecovery),
        ("B", "ROLL BACK recovery of {}", "nothing is admitted any more, at once", RollBackRecovery),
    ],
)
async def test_a_recovery_is_held_aborted_and_rolled_back_by_a_key_and_y(
    key: str, title: str, says: str, command: type[Command]
) -> None:
    fleet = recovering.admitting()
    desk = Desk(fleet)
    async with desk.at(120, 36):
        await desk.press("6", key)
        await desk.confirm(title.format(emergency(fleet)), says)
        assert isinstance(await carried_out(desk), command)


@pytest.mark.asyncio
async def test_a_recovery_that_is_held_goes_on_by_its_scope_typed_whole() -> None:
    fleet = recovering.held()
    desk = Desk(fleet)
    async with desk.at(120, 36):
        await desk.press("6", "R")
        assert f"CONTINUE recovery of {emergency(fleet)}, scope all" in desk.text()
        await desk.press("enter", "n")
        assert desk.fleet.submitted == []
        await desk.press("backspace")
        await desk.type("all")
        assert "resuming all in 3 s" in desk.text()
        await desk.count_down(
            f"CONTINUE recovery of {emergency(fleet)}, scope all", "HELD all", until="RECOVERING all by"
        )
        assert isinstance(await carried_out(desk), ContinueRecovery)


@pytest.mark.asyncio
async def test_a_recovery_under_way_is_not_begun_again_and_its_keys_are_named() -> None:
    desk = Desk(recovering.admitting())
    async with desk.at(120, 36):
        await desk.press("6", "R")
        assert "its recovery is under way: H holds it, X aborts it, B rolls it back" in desk.row(-2)


@pytest.mark.asyncio
async def test_without_a_recovery_its_keys_say_so_and_a_console_without_rights_changes_nothing() -> None:
    desk = Desk(recovering.stopped())
    async with desk.at(120, 36):
        for key in ("H", "X", "B"):
            await desk.press(key)
            assert f"{key}: no recovery of {emergency(desk.fleet)} is under way" in desk.row(-2)


@pytest.mark.asyncio
async def test_the_recovery_prompt_shows_the_plan_and_tab_offers_the_other_procedures() -> None:
    fleet = recovering.stopped()
    desk = Desk(fleet)
    async with desk.at(120, 36):
        await desk.press("R")
        assert "standard_recovery: 5 services, 10 steps, 6m at the least" in desk.text()
        assert " 3 gradual_restore: start db, within 60 s" in desk.text()
        await desk.press("tab")
        assert "critical_recovery: 5 services, 11 steps" in desk.text()
        await desk.press("shift+tab", "shift+tab")
        assert "direct_recovery: releases its holds at once and starts NONE of 5 services" in desk.text()
        await desk.press("tab", "tab")
        await desk.type("the probe was wrong")
        await desk.press("enter")
        await desk.type("all")
        await desk.count_down(
            f"RECOVER {emergency(fleet)}, scope all", "critical_recovery", until="by critical_recovery, R-"
        )
        command = await carried_out(desk)
        assert isinstance(command, Recover)
        assert command.procedure == "critical_recovery"


@pytest.mark.asyncio
async def test_services_and_triggers_are_lists_that_are_typed_and_entered() -> None:
    desk = Desk(recovering.stopping())
    async with desk.at(120, 36):
        await desk.press("colon")
        await desk.type("services")
        await desk.press("enter")
        assert "cache" in desk.text()
        await desk.press("enter")
        assert "┏━ Service " in desk.text()
        await desk.press("escape", "colon")
        await desk.type("triggers")
        await desk.press("enter", "enter")
        assert "┏━ Trigger health" in desk.text()
        assert "CROSSED" in desk.text()


@pytest.mark.asyncio
async def test_an_armed_stop_says_how_many_services_it_drives_and_the_prompt_stays_two_keys() -> None:
    desk = Desk(recovering.with_services())
    async with desk.at():
        await desk.press("!")
        assert "drives 5 services too" in desk.text()
        await desk.press("S")
        await desk.until(lambda: len(desk.orders) == 1)


# ------------------------------------------------------------------------------------------------------------ from near


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.parametrize(
    "name", ["services", "triggers", "inside-emergency", "inside-service", "inside-trigger", "inside-recovered"]
)
def test_each_list_of_an_emergency_with_services(name: str, size: tuple[int, int], golden: Golden) -> None:
    fleet = recovering.completed() if name == "inside-recovered" else recovering.stopping()
    picture, wide = seen(fleet), size[0] > 80
    table = {
        "services": lambda: services(picture, wide=wide),
        "triggers": lambda: triggers(picture, wide=wide),
        "inside-emergency": lambda: inside(picture, Subject("emergency", emergency(fleet)), Read()),
        "inside-recovered": lambda: inside(picture, Subject("emergency", emergency(fleet)), Read()),
        "inside-service": lambda: inside(picture, Subject("service", "cache"), Read()),
        "inside-trigger": lambda: inside(picture, Subject("trigger", "health"), Read()),
    }[name]()
    box = plan(*size, "list").boxes["list"]
    drawn = draw(table, Frame(name, focused=True), Place(), box.width, box.height)
    golden("\n".join(plain(row).rstrip() for row in drawn))


def test_inside_an_emergency_each_service_has_its_attempts_by_the_time_since_the_order() -> None:
    fleet = recovering.stopping()
    rows = said(inside(seen(fleet), Subject("emergency", emergency(fleet)), Read()))
    assert "service cache running  tier 2, by process" in rows
    assert " stop   +7.0s done  took 0.4s" in rows
    assert " observe   +7.0s stopped  seen stopped" in rows
    assert rows.index("service cache") < rows.index("service web"), "those that run come first"


def test_the_log_of_a_service_and_of_a_trigger_are_what_happened_to_it() -> None:
    fleet = recovering.stopping()
    read = Read(tuple(fleet.recorded), "")
    log = said(inside(seen(fleet), Subject("service", "cache", log=True), read))
    assert "stop of cache: done" in log
    assert "mailer" not in log
    assert "trigger health FIRED" in said(inside(seen(fleet), Subject("trigger", "health", log=True), read))


def test_a_trigger_is_crossed_then_cools_and_a_shadow_says_that_it_is_one() -> None:
    fleet = recovering.stopping()
    assert triggers(seen(fleet)).alarm == "!1"
    assert "health CROSSED healthScore < 30 healthScore 25" in said(triggers(seen(fleet)))


# ----------------------------------------------------------------------------------------------- before a stop is fired


@pytest.mark.parametrize("level", LEVELS)
def test_what_a_stop_of_each_level_would_hit_is_said_tier_by_tier(level: Level) -> None:
    fleet = recovering.with_services()
    text = "\n".join(map(plain, stop_reach(seen(fleet), level, (EVERYTHING,))))
    assert text.startswith(f"{level} stop of all:")
    assert "12 workers, 12 in flight: w-01" in text
    if level == "service_specific":
        assert "no service that a selector names is driven by it" in text
    else:
        assert "5 services in 4 tiers, 5 not stopped now" in text
        assert text.index("tier 0  mailer web") < text.index("tier 3  db")


def test_a_cascade_says_when_each_tier_begins_and_maintenance_what_it_does_first() -> None:
    fleet = recovering.with_services()
    cascade = "\n".join(map(plain, stop_reach(seen(fleet), "cascading", (EVERYTHING,))))
    assert "tier 3  db  stop at 45 s, kill at 52.5 s, over by 60 s" in cascade
    maintenance = "\n".join(map(plain, stop_reach(seen(fleet), "maintenance", (EVERYTHING,))))
    assert "drain at 0 s, save-state at 24 s, stop at 36 s, over by 60 s" in maintenance


def test_a_stop_that_meets_a_recovery_would_turn_it_back_and_joins_its_emergency() -> None:
    fleet = recovering.admitting()
    text = "\n".join(map(plain, stop_reach(seen(fleet), "immediate", (Selector.of(service="db"),))))
    assert f"joins {emergency(fleet)}, which becomes immediate" in text
    assert "turns back recovery R-" in text
