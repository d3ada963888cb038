"""The further lists, and what is inside a row, as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.capabilities.recovery import Recover
from core.capabilities.switches import SetSwitch
from core.ports import AskingClient, LimitUsage
from opsconsole.drawing import Frame, Place, draw
from opsconsole.layout import plan
from opsconsole.lines import Style, plain
from opsconsole.panes.workers import WorkersPane
from opsconsole.table import Table
from opsconsole.views.audit import Read, audit
from opsconsole.views.case import emergency_case, worker_case, workers_case
from opsconsole.views.emergencies import emergencies
from opsconsole.views.flags import flags
from opsconsole.views.holds import holds
from opsconsole.views.inside import inside
from opsconsole.views.picture import Facts, Link, Picture
from opsconsole.views.sites import sites
from opsconsole.views.subject import Subject
from opsconsole.views.why import explanation
from opsconsole.views.workers import never_acknowledged, workers
from opsconsole.views.workflows import workflows
from opsgate.selector import EVERYTHING, Selector
from tests.console.conftest import Golden
from tests.console.desk import small_fleet
from tests.console.fleet import Fleet
from tests.console.test_views import WORKERS, cells, picture_of


def fleet_in_trouble() -> Fleet:
    """One site paused, one workflow off, and a stop that one worker has not acknowledged and one cannot."""
    fleet = small_fleet()
    fleet.usage = {"content_pages": LimitUsage("content_pages", 97, (0, 1, 3, 8, 9, 10, 4, 2, 30, 30))}
    fleet.do(SetSwitch(dimension="workflow", names=("status-sync",), on=False, reason="the carrier is down"))
    fleet.pass_time(90)
    fleet.lose("w-11")
    fleet.stop(reason="INC-412 wrong prices")
    fleet.acknowledge(*WORKERS[:10])
    fleet.pass_time(6)
    fleet.conclude()
    fleet.pass_time(30)
    return fleet


def read_of(fleet: Fleet) -> Read:
    return Read(tuple(fleet.recorded), "that is all that is kept")


def of(kind: str, key: str, *, log: bool = False) -> Callable[[Fleet, Picture], Table]:
    return lambda fleet, picture: inside(picture, Subject(kind, key, log), read_of(fleet))


LISTS: dict[str, Callable[[Fleet, Picture], Table]] = {
    "workflows": lambda _fleet, picture: workflows(picture),
    "workers": lambda _fleet, picture: workers(picture),
    "workers-wide": lambda _fleet, picture: workers(picture, wide=True),
    "holds": lambda _fleet, picture: holds(picture),
    "holds-wide": lambda _fleet, picture: holds(picture, wide=True),
    "audit": lambda fleet, _picture: audit(read_of(fleet)),
    "inside-site": of("site", "shop-eu"),
    "inside-workflow": of("workflow", "status-sync"),
    "inside-worker": of("worker", "w-12"),
    "inside-emergency": lambda fleet, picture: inside(
        picture, Subject("emergency", picture.state.active_emergencies()[0].emergency_id), read_of(fleet)
    ),
    "inside-hold": lambda fleet, picture: inside(
        picture, Subject("hold", next(iter(picture.state.holds_on(EVERYTHING))).hold_id), read_of(fleet)
    ),
    "inside-limit": of("limit", "content_pages"),
    "acks": of("acks", ""),
    "log-of-worker": of("worker", "w-12", log=True),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
def test_each_list_of_a_fleet_in_trouble(name: str, size: tuple[int, int], golden: Golden) -> None:
    fleet = fleet_in_trouble()
    table = LISTS[name](fleet, picture_of(fleet))
    box = plan(*size, "list").boxes["list"]
    first = table.rows[0].key if len(table.rows) else None
    drawn = draw(table, Frame(name, focused=True), Place(0, first), box.width, box.height)
    golden("\n".join(plain(row).rstrip() for row in drawn))


def test_workers_that_are_lost_or_missing_come_first() -> None:
    fleet = fleet_in_trouble()
    assert [row[:3] for row in cells(workers(picture_of(fleet)))][:3] == [
        ("w-11", "LOST", "0/1!"),
        ("w-12", "MISSING", "0/1!"),
        ("w-01", "live", "1/1"),
    ]


def test_clients_that_ask_for_flags_stand_behind_the_workers_and_raise_no_alarm() -> None:
    fleet = fleet_in_trouble()
    picture, asking = picture_of(fleet), AskingClient("shop", "shop-1", picture_of(fleet).now, 3, 1)
    assert picture.facts.seen is not None
    with_one = replace(picture.facts.seen, clients=(asking,))
    seen = picture._replace(facts=Facts.of(picture.state, with_one))

    before, after = workers(picture), workers(seen)

    assert cells(after)[:-1] == cells(before)
    assert cells(after)[-1][:4] == ("shop/shop-1", "client", "-", "-")
    assert cells(after)[-1][-1] == "asks: found on 3, off 1"
    assert (after.alarm, after.note) == (before.alarm, f"{before.note} and 1 client")
    pane = WorkersPane()
    assert (pane.subject_of("shop/shop-1", seen), pane.why("shop/shop-1", seen)) == (None, None)


def test_a_workflow_says_what_its_switch_is_and_what_holds_it_all_the_same() -> None:
    fleet = fleet_in_trouble()
    said = {row[0]: row for row in cells(workflows(picture_of(fleet)))}
    assert said["status-sync"][1:3] == ("off", "off")
    assert said["xml-import"][1:3] == ("stop*", "on")


def test_the_sites_of_a_worker_stand_as_they_do_in_their_own_pane() -> None:
    fleet = small_fleet()
    fleet.stop("S-1", "INC-412")
    picture = picture_of(fleet)
    name, row = next((name, row) for name, row in picture.facts.workers.items() if row.scope.get("site"))
    rows = {row[1]: row[2] for row in cells(inside(picture, Subject("worker", name), Read())) if row[0] == "site"}
    assert set(rows) == set(row.scope["site"])
    assert all("STOP" in word.upper() for word in rows.values())


def test_a_recovered_emergency_still_says_who_never_acknowledged() -> None:
    fleet = small_fleet()
    fleet.stop("S-1", "INC-412")
    fleet.acknowledge(*WORKERS[:11])
    fleet.pass_time(40)
    fleet.conclude()
    (emergency,) = fleet.latest().active_emergencies()
    fleet.do(Recover(emergency_id=emergency.emergency_id, reason="repaired", confirm="all"))
    picture = picture_of(fleet)
    (row,) = cells(emergencies(picture))
    assert row[1:3] == ("recovered", "1 never")
    assert row[8] == "never acknowledged: w-12; INC-412"
    (listed,) = cells(inside(picture, Subject("emergency", emergency.emergency_id), Read()))
    assert listed[:3] == ("worker", "w-12", "MISSED")
    said = [plain(line) for line in emergency_case(picture, emergency.emergency_id)]
    assert "never acknowledged: w-12" in said


def test_a_worker_that_never_acknowledged_stays_alarmed_until_it_stops_once_or_begins_anew() -> None:
    fleet = small_fleet()
    fleet.stop("S-1", "INC-412")
    fleet.acknowledge(*WORKERS[:11])
    fleet.pass_time(40)
    fleet.conclude()
    (emergency,) = fleet.latest().active_emergencies()
    fleet.do(Recover(emergency_id=emergency.emergency_id, reason="repaired", confirm="all"))
    table = workers(picture_of(fleet))
    assert table.alarm == "*1"
    assert cells(table)[0][:2] == ("w-12", "MISSED")
    said = "\n".join(plain(line) for line in worker_case(picture_of(fleet), "w-12"))
    assert f"never acknowledged the stop of {emergency.emergency_id}" in said
    assert "owes no acknowledgement" not in said
    fleet.pass_time(60)
    fleet.stop("S-2")
    fleet.acknowledge("w-12", stop_id="S-2")
    fleet.pass_time(40)
    fleet.conclude("S-2")
    assert "w-12" not in never_acknowledged(picture_of(fleet))


def test_nothing_is_shown_as_running_in_the_confident_style_while_nothing_is_known() -> None:
    fleet = small_fleet()
    for link, style in ((Link(0.1), Style.GOOD), (Link(42.0, "refused"), Style.DIM)):
        picture = picture_of(fleet, link)
        shown = {
            row.cells[1]
            for table in (sites(picture), flags(picture), workflows(picture), workers(picture))
            for row in (table.rows[at] for at in range(len(table.rows)))
            if row.cells[1].text.rstrip("?") in {"runs", "on", "live"}
        }
        assert {cell.style for cell in shown} == {style}
        assert {cell.text for cell in shown} == {f"{word}{'' if link.live else '?'}" for word in ("runs", "on", "live")}
    stale = picture_of(fleet, Link(42.0, "refused"))
    head = explanation(stale, Selector.of(site="feed"))[0][0]
    assert head.text.startswith("as last known: ")
    assert head.style is Style.WARN
    assert not any(span.style is Style.GOOD for line in workers_case(stale) for span in line)


def test_the_log_of_a_site_has_the_release_of_a_hold_that_is_gone() -> None:
    fleet = small_fleet()
    fleet.resume("all is well", site="shop-eu")
    said = [row[2] for row in cells(inside(picture_of(fleet), Subject("site", "shop-eu", log=True), read_of(fleet)))]
    assert any("released" in each for each in said)
    assert not any("mail" in each for each in said)
