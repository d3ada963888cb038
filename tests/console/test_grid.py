"""The cursor is on a thing, not on a place, and what looks the same is not painted again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot
from textual.screen import Screen

from opsconsole.drawing import Frame
from opsconsole.grid import Grid
from opsconsole.movement import MOVES
from opsconsole.painted import STYLE_CLASSES
from opsconsole.table import Cell, Column, Listed, Row, Table
from tests.support.waiting import comes_true

COLUMNS = (Column("NAME", 6, 20), Column("AGE", 4, 4, right=True))
pytestmark = pytest.mark.asyncio


def table(*names: str, age: str = "12m") -> Table:
    return Table(COLUMNS, Listed(Row(name, (Cell(name), Cell(age))) for name in names))


class Watched(Grid):
    """A grid that counts what it asks to have repainted."""

    def __init__(self) -> None:
        super().__init__(Frame("T"), id="grid")
        self.regions: list[Region] = []
        self.whole = 0

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Watched:
        if hasattr(self, "regions"):
            self.regions += regions
            self.whole += not regions
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class Stand(Screen[None]):
    """Just the grid."""

    COMPONENT_CLASSES = STYLE_CLASSES

    def compose(self) -> ComposeResult:
        yield Watched()


class Host(App[None]):
    """One screen."""

    CSS = "Grid { height: 100%; width: 100%; }"

    def get_default_screen(self) -> Stand:
        return Stand()


class Stage:
    def __init__(self, pilot: Pilot[None]) -> None:
        self.app = pilot.app
        self.grid = pilot.app.screen.query_one(Watched)

    def show(self, shown: Table) -> None:
        """Show a table where the one before has been painted, and count from there."""
        self.text()
        self.grid.regions.clear()
        self.grid.whole = 0
        self.grid.show(shown)

    async def press(self, *keys: str) -> None:
        """Carry out what each key does. A key that is sent goes from queue to queue, and may be under way yet when a
        busy machine makes the program look idle."""
        for key in keys:
            move = next(move for move in MOVES if key in move.keys.split(","))
            assert await self.app.run_action(move.does, self.grid)

    def text(self) -> list[str]:
        return [self.grid.render_line(y).text for y in range(self.grid.size.height)]


@asynccontextmanager
async def stage(shown: Table, height: int = 8) -> AsyncIterator[Stage]:
    app = Host()
    async with app.run_test(size=(40, height)) as pilot:
        staged = Stage(pilot)
        staged.grid.show(shown)
        staged.grid.focus()
        await comes_true(lambda: staged.grid.frame.focused and staged.grid.size.height == height)
        yield staged


async def test_the_cursor_stays_on_its_row_when_the_list_reorders() -> None:
    async with stage(table("a", "b", "c")) as on:
        await on.press("j")
        assert on.grid.selected == "b"
        on.show(table("c", "a", "b"))
        assert on.grid.selected == "b"
        assert on.text()[4].startswith("┃ >b")


async def test_when_its_row_is_gone_nothing_is_selected_until_the_cursor_is_moved() -> None:
    async with stage(table("a", "b", "c")) as on:
        await on.press("j")
        on.show(table("a", "c"))
        assert on.grid.selected is None
        assert not any(">" in row for row in on.text())
        await on.press("j")
        assert on.grid.selected == "c"


async def test_a_selected_row_that_moves_out_of_view_is_followed() -> None:
    names = [f"n{number:02}" for number in range(30)]
    async with stage(table(*names)) as on:
        await on.press("j", "k")  # somebody has chosen the row: a list that nobody has touched stays on top
        assert on.grid.selected == "n00"
        on.show(table(*names[1:], "n00"))
        assert any(row.startswith("┃ >n00") for row in on.text())


async def test_a_list_that_was_scrolled_away_from_the_cursor_is_not_pulled_back() -> None:
    names = [f"n{number:02}" for number in range(30)]
    async with stage(table(*names)) as on:
        await on.press("G")
        assert on.grid.selected == "n29"
        await on.press("g")
        assert on.grid.selected == "n00"
        assert on.text()[2].startswith("┃ >n00")


async def test_pages_move_by_what_is_visible_and_stop_at_the_ends() -> None:
    names = [f"n{number:02}" for number in range(30)]
    async with stage(table(*names)) as on:  # 8 rows: 5 of the list
        await on.press("pagedown")
        assert on.grid.selected == "n05"
        await on.press("ctrl+d")
        assert on.grid.selected == "n07"
        await on.press("pageup", "pageup", "k", "up")
        assert on.grid.selected == "n00"


async def test_the_same_table_again_repaints_nothing() -> None:
    async with stage(table("a", "b")) as on:
        on.show(table("a", "b"))
        assert (on.grid.regions, on.grid.whole) == ([], 0)


async def test_one_changed_digit_repaints_one_cell() -> None:
    async with stage(table("a", "b", age="12m")) as on:
        changed = Table(COLUMNS, Listed([Row("a", (Cell("a"), Cell("12m"))), Row("b", (Cell("b"), Cell("13m")))]))
        on.show(changed)
        assert [(region.width, region.height, region.y) for region in on.grid.regions] == [(1, 1, 3)]
        assert on.grid.whole == 0


async def test_many_changed_rows_are_one_repaint_of_the_whole() -> None:
    names = [f"n{number:02}" for number in range(40)]
    async with stage(table(*names), height=40) as on:
        on.show(table(*names, age="13m"))
        assert on.grid.regions == []
        assert on.grid.whole == 1


async def test_moving_in_an_empty_list_does_nothing() -> None:
    async with stage(table()) as on:
        await on.press("j", "k", "G", "g", "pagedown")
        assert on.grid.selected is None


async def test_a_list_that_shrinks_shows_its_end() -> None:
    names = [f"n{number:02}" for number in range(30)]
    async with stage(table(*names)) as on:
        await on.press("G")
        on.show(table("n00", "n01"))
        assert on.text()[2].startswith("┃  n00")


async def test_what_is_shown_before_there_is_any_room_starts_at_its_first_row() -> None:
    grid = Watched()
    assert grid.size.height == 0

    grid.show(table(*"abcdef"))

    assert (grid.place.top, grid.selected) == (0, "a")
