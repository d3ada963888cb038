"""What a change costs is what changed: bytes on the wire, rows that are made, frames that are painted; all counted."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from immutables import Map
from sqlalchemy import event
from textual import events
from textual.screen import Screen

from backends.local.sqlite import SqliteStore, make_file
from backends.runtime import Runtime
from core.capabilities.holds import PlaceHold
from core.state import Name
from opsconsole import drawing
from opsconsole.painted import Painted
from opsconsole.panes import TablePane
from opsconsole.screen import Bar
from opsconsole.session import Feed
from opsconsole.table import Row
from opsconsole.views.picture import Facts, Picture
from opsconsole.views.site import Basis, row_from
from opsconsole.views.sites import SiteRows
from opsgate.selector import Selector
from tests.console.desk import WHO, Desk, small_fleet
from tests.console.fleet import START, Fleet
from tests.console.terminal import terminal
from tests.support.fleets import worker

SITES = 100_000
BYTES_MAX = 200


class Crowd(Fleet):
    """A fleet with very many sites."""

    def __init__(self) -> None:
        super().__init__()
        names = {
            ("site", name): Name("site", name, "", START, START, "ana")
            for name in (f"s{number:06}" for number in range(SITES))
        }
        self._state = self._state._replace(names=Map(dict(self._state.names) | names))


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return Crowd()


def hold(fleet: Fleet, *numbers: int) -> None:
    selectors = tuple(Selector.of(site=f"s{number:06}") for number in numbers)
    fleet.do(PlaceHold(selectors=selectors, reason="counted"))


def test_of_many_sites_and_holds_only_those_are_looked_at_whose_holds_changed(crowd: Crowd) -> None:
    hold(crowd, *range(1000, 2000))
    before = Facts.of(crowd.latest())
    hold(crowd, 7)
    after = Facts.of(crowd.latest(), before=before)
    assert after.names is before.names
    assert after.holds.changed == (("site", "s000007"),)
    assert after.sites.looked_at == 1
    fresh = Facts.of(crowd.latest())
    assert (after.sites.worst, after.sites.places) == (fresh.sites.worst, fresh.sites.places)
    assert (after.sites.held, after.holds.by_name) == (fresh.sites.held, fresh.holds.by_name)


@pytest.mark.asyncio
async def test_of_many_sites_only_the_visible_ones_become_rows(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    row = SiteRows._row

    def counted(self: SiteRows, site: str) -> object:
        made.append(site)
        return row(self, site)

    desk = Desk(crowd)
    async with desk.at(120, 36):
        monkeypatch.setattr(SiteRows, "_row", counted)
        hold(crowd, 99_999)
        desk.console.paint()
        assert 0 < len(made) < 60


@pytest.mark.asyncio
async def test_of_many_held_sites_that_are_searched_only_the_changed_ones_are_made_anew(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(crowd)
    async with desk.at(120, 36):
        hold(crowd, *range(3000, 4000))
        desk.console.pane.look_anew(lambda browser: browser.filter("s09"))
        desk.console.paint()
        made: list[str] = []
        monkeypatch.setattr("opsconsole.views.sites.row_from", of_sites(made, row_from))
        hold(crowd, 99_998)
        desk.console.paint()
        assert made == ["s099998"]


def of_sites(made: list[str], of: Callable[..., Row]) -> Callable[..., Row]:
    def call(picture: Picture, site: str, basis: Basis) -> Row:
        made.append(site)
        return of(picture, site, basis)

    return call


@pytest.mark.asyncio
async def test_a_cursor_that_moves_costs_two_lines_and_one_that_scrolls_one_row_more(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(crowd)
    async with desk.at(120, 36):
        pane = desk.console.pane
        pane.action_last()
        pane.action_first()
        await desk.settle()
        counted = Counter[str]()
        for owner, name in (
            (SiteRows, "_row"),
            (drawing, "_row"),
            (TablePane, "table_of"),
            (Bar, "draw"),
            (Painted, "_styled"),
        ):
            monkeypatch.setattr(owner, name, counting(counted, f"{owner.__name__}.{name}", getattr(owner, name)))

        bindings = counting(counted, "Screen.active_bindings", lambda _screen: {})
        monkeypatch.setattr(Screen, "active_bindings", property(bindings))

        await move(desk, 1)
        assert counted == {"opsconsole.drawing._row": 2, "Painted._styled": 2}
        counted.clear()
        await move(desk, pane.browser.room - 1)
        counted.clear()
        await move(desk, 1)
        assert counted["SiteRows._row"] == 1
        assert counted["opsconsole.drawing._row"] <= 3
        assert counted.keys() == {"SiteRows._row", "opsconsole.drawing._row", "Painted._styled"}


async def move(desk: Desk, rows: int) -> None:
    """Carry the key out and paint, with no turn for anything else meanwhile."""
    for _ in range(rows):
        assert await desk.console._carried_out(events.Key("j", "j"))
    desk.text()


def counting(counted: Counter[str], name: str, of: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **named: Any) -> Any:
        counted[name] += 1
        return of(*args, **named)

    return call


class Still:
    """A fleet in a file, where a minute passes by a clock of its own."""

    def __init__(self, path: Path) -> None:
        make_file(path)
        self.now = START
        self.store = SqliteStore(path)
        self.store.prepare(new_fleet="f-0123456789ab")
        self.runtime = Runtime(self.store, clock=lambda: self.now)
        self.feed = Feed(lambda: self.runtime, WHO, monotonic=lambda: 0.0)
        self.statements: list[str] = []
        event.listen(self.store._engine, "checkout", self._listen)

    def close(self) -> None:
        """End it."""
        self.runtime.close()

    def _listen(self, driver: sqlite3.Connection, *_: object) -> None:
        driver.set_trace_callback(self.statements.append)

    def look(self, seconds: int) -> int:
        """How often rows are read in some seconds, but for the lease: it is asked where no keeper answers."""
        self.statements.clear()
        for _ in range(seconds):
            self.now += timedelta(seconds=1)
            self.feed._look(self.runtime)
        return sum(each.startswith("SELECT") and "FROM lease" not in each for each in self.statements)


def test_a_minute_in_which_nothing_is_committed_reads_no_row_again_and_each_commit_is_seen(tmp_path: Path) -> None:
    with closing(Still(tmp_path / "fleet.db")) as still:
        still.look(1)
        assert still.look(60) == 0

        with still.store.write(timeout_s=60) as transaction:
            transaction.put_workers([worker("w1", START)])
        assert still.look(1) > 0
        assert list(still.feed.picture().facts.workers) == ["w1"]
        assert still.look(60) == 0

        still.runtime.reserve("content_pages", 3)
        still.look(1)
        (used,) = [usage.used for usage in still.runtime.observe().usage if usage.name == "content_pages"]
        assert used == 3
        still.now += timedelta(seconds=2 * 86_400)
        (used,) = [usage.used for usage in still.runtime.observe().usage if usage.name == "content_pages"]
        assert used == 0, "time alone empties a window"


@pytest.mark.asyncio
async def test_heartbeats_that_change_nothing_visible_wake_nothing_and_paint_nothing() -> None:
    desk = Desk(small_fleet())
    async with desk.at(120, 36):
        woken: list[bool] = []
        desk.feed.wake = lambda: woken.append(True)
        for _ in range(5):
            desk.fleet.pass_time(0.2)
            desk.feed._look(desk.fleet)
        assert woken == []


def test_one_changed_cell_is_a_few_bytes_on_the_wire() -> None:
    with terminal("fleet", warm="tests.console.child", width=120, height=36) as opened:
        opened.until_said("[PART]")
        opened.until_said("1000/9000")
        opened.until(lambda: opened.bytes_within(1.0) == 0)
        before = len(opened.sent)
        opened.type(b"\x1b[24~")
        opened.until_said("1001/9000")
        opened.until(lambda: opened.bytes_within(1.0) == 0)
        sent = bytes(opened.sent[before:])
        assert len(sent) <= BYTES_MAX, re.sub(rb"\x1b", b"ESC", sent)
