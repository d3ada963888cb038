"""A table is drawn into any size, the least important columns go first, and the cursor is more than colour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.drawing import Frame, Place, body_rows, draw
from opsconsole.lines import Style, length, plain
from opsconsole.table import Cell, Column, Listed, Made, Row, Table
from opsconsole.text import clean
from tests.console.conftest import Golden
from tests.console.hostile import HOSTILE

COLUMNS = (Column("NAME", 6, 12, rank=0), Column("WHY", 8, 30, rank=2), Column("AGE", 4, 4, rank=1, right=True))


def table(*names: str) -> Table:
    return Table(COLUMNS, Listed(Row(name, (Cell(name), Cell("because"), Cell("12m"))) for name in names), note="x")


def test_the_selected_row_is_marked_with_a_sign_and_in_reverse_where_the_focus_is() -> None:
    drawn = draw(table("one", "two"), Frame("T", focused=True), Place(0, "two"), 40, 6)
    assert plain(drawn[3]).startswith("┃ >two")
    assert Style.CURSOR in {span.style for span in drawn[3]}
    unfocused = draw(table("one", "two"), Frame("T"), Place(0, "two"), 40, 6)
    assert plain(unfocused[3]).startswith("│ >two")
    assert Style.CURSOR not in {span.style for span in unfocused[3]}


def test_a_focused_frame_is_told_by_its_rule_and_names_its_keys() -> None:
    frame = Frame("2 Sites", (("p", "pause"),), focused=True)
    assert plain(draw(table("one"), frame, Place(), 40, 4)[0]).startswith("┏━ 2 Sites  p pause ━━━")
    assert plain(draw(table("one"), frame._replace(focused=False), Place(), 40, 4)[0]).startswith("┌─ 2 Sites ───")


@pytest.mark.parametrize("width", [14, 20, 30, 60])
def test_the_least_important_column_goes_first(width: int, golden: Golden) -> None:
    drawn = draw(table("shop-eu", "search"), Frame("T", focused=True), Place(0, "search"), width, 5)
    golden("\n".join(map(plain, drawn)))


@given(st.integers(1, 200), st.integers(1, 60), st.integers(0, 80), st.booleans(), st.booleans())
def test_a_pane_takes_exactly_its_cells_at_any_size(
    width: int, height: int, rows: int, boxed: bool, focused: bool
) -> None:
    many = table(*(f"n{number}" for number in range(rows)))
    drawn = draw(many, Frame("T", focused=focused, boxed=boxed), Place(0, "n0"), width, height)
    assert all(length(row) == width for row in drawn)
    assert len(drawn) <= height


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_names_move_no_frame(name: str) -> None:
    drawn = draw(table(clean(HOSTILE[name])), Frame("T"), Place(), 40, 5)
    assert all(length(row) == 40 for row in drawn)
    assert all(plain(row).endswith("│") for row in drawn[1:-1])


def test_only_visible_rows_are_made() -> None:
    class Lazy:
        made = 0

        def __len__(self) -> int:
            return 100_000

        def __getitem__(self, index: int, /) -> Row:
            self.made += 1
            return Row(str(index), (Cell(str(index)), Cell(""), Cell("")))

        def key(self, index: int, /) -> str:
            return str(index)

        def find(self, key: str) -> int | None:
            return int(key)

    rows = Lazy()
    drawn = draw(Table(COLUMNS, rows), Frame("T"), Place(50_000, "50000"), 60, 20)
    assert "50000" in plain(drawn[2])
    assert rows.made == body_rows(Table(COLUMNS, rows), Frame("T"), 20) == 17
    assert "50001-50017 of 100000" in plain(drawn[-1])


def test_rows_by_key_are_made_when_they_are_looked_at_and_found_without_being_made() -> None:
    made: list[str] = []

    def make(key: str) -> Row:
        made.append(key)
        return Row(key, (Cell(key), Cell(""), Cell("")))

    rows = Made([f"n{number}" for number in range(10_000)], make)
    assert (rows.find("n7000"), rows.find("gone"), rows.key(3), len(rows)) == (7000, None, "n3", 10_000)
    assert made == []
    draw(Table(COLUMNS, rows), Frame("T"), Place(7000, "n7000"), 60, 20)
    assert made == [f"n{number}" for number in range(7000, 7017)]


def test_no_row_is_said_in_words() -> None:
    drawn = draw(Table(COLUMNS, Listed(), empty="no site is registered"), Frame("T"), Place(), 40, 6)
    assert "no site is registered" in plain(drawn[2])
