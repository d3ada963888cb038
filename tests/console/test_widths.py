"""Columns are as wide as what stands in them, and stay so while the list moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opsconsole.drawing import Frame, Place, draw
from opsconsole.lines import plain
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.widths import GAP, Needs, fit_columns

COLUMNS = (Column("NAME", 6, 12, rank=0), Column("WHY", 8, 30, rank=2), Column("AGE", 4, 4, rank=1, right=True))
LONG = "twelve-cells"


def rows(*names: str, why: str = "") -> list[Row]:
    return [Row(name, (Cell(name), Cell(why), Cell("12m"))) for name in names]


def drawn(needs: Needs, *names: str, width: int = 33, top: int = 0, height: int = 4) -> list[str]:
    table = Table(COLUMNS, Listed(rows(*names)))
    return [plain(row) for row in draw(table, Frame("T"), Place(top), width, height, needs)][1:-1]


def test_a_name_is_not_cut_while_another_column_is_empty() -> None:
    assert fit_columns(COLUMNS, 26, Needs().with_rows(COLUMNS, rows("a"), (0, 0))) == (6, 12, 4)
    assert fit_columns(COLUMNS, 26, Needs().with_rows(COLUMNS, rows(LONG), (0, 0))) == (12, 6, 4)
    assert fit_columns(COLUMNS, 28, Needs().with_rows(COLUMNS, rows(LONG), (0, 0))) == (12, 8, 4)


def test_the_more_important_column_gets_first_what_it_needs() -> None:
    needs = Needs().with_rows(COLUMNS, rows(LONG, why="a reason that is long"), (0, 0))
    assert fit_columns(COLUMNS, 32, needs) == (12, 12, 4)


def test_what_is_of_one_width_gives_nothing_up() -> None:
    assert fit_columns(COLUMNS, 21, Needs().with_rows(COLUMNS, rows(LONG), (0, 0)))[2] == 4


def test_no_column_is_wider_than_its_most_whatever_stands_in_it() -> None:
    assert Needs().with_rows(COLUMNS, rows("n" * 500, why="w" * 500), (0, 0)) == (12, 30, 3)


def test_wide_characters_count_as_the_cells_that_they_take() -> None:
    assert Needs().with_rows(COLUMNS, rows("\u5546\u5e97\u5546\u5e97"), (0, 0))[0] == 8


def test_a_column_grows_at_once_and_does_not_shrink_when_the_long_name_is_scrolled_away() -> None:
    needs = Needs()
    drawn(needs, "a", LONG, height=5)
    scrolled = drawn(needs, "a", LONG, "b", top=2, height=5)
    assert scrolled[0] == "│  NAME          WHY        AGE │"
    assert drawn(Needs(), "b", height=5)[0] == "│  NAME    WHY              AGE │"


def test_a_column_that_grows_moves_nothing_at_the_right_edge() -> None:
    needs = Needs()
    before, after = drawn(needs, "a"), drawn(needs, LONG)
    assert before[0].index("AGE") == after[0].index("AGE")


def test_in_another_size_the_widths_are_made_anew() -> None:
    needs = Needs()
    drawn(needs, LONG)
    assert drawn(needs, "b", width=34)[0] == "│  NAME    WHY               AGE │"


def test_with_other_columns_the_widths_are_made_anew() -> None:
    needs = Needs()
    needs.with_rows(COLUMNS, rows(LONG), (80, 24))
    assert needs.with_rows(COLUMNS[:1], [], (80, 24)) == (4,)


@given(st.integers(0, 120), st.text("abc", max_size=40), st.text("abc", max_size=40))
def test_no_more_is_given_to_columns_than_there_is(room: int, name: str, why: str) -> None:
    widths = fit_columns(COLUMNS, room, Needs().with_rows(COLUMNS, rows(name, why=why), (0, 0)))
    gaps = GAP * max(0, sum(width > 0 for width in widths) - 1)
    assert sum(widths) + gaps <= room
    assert all(width <= column.most for width, column in zip(widths, COLUMNS, strict=True)) or sum(widths) == room


@given(st.integers(0, 120), st.text("abc", max_size=40))
def test_which_columns_are_shown_hangs_on_the_room_alone(room: int, name: str) -> None:
    some = fit_columns(COLUMNS, room, Needs().with_rows(COLUMNS, rows(name), (0, 0)))
    none = fit_columns(COLUMNS, room, Needs().with_rows(COLUMNS, [], (0, 0)))
    assert [width > 0 for width in some] == [width > 0 for width in none]
