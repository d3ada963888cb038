"""The layout is a pure function of the size, and row 1 is never covered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.layout import PANES, Box, Mode, Plan, plan, prompt
from tests.console.conftest import Golden

SIZES = st.tuples(st.integers(1, 300), st.integers(1, 120))


def drawing(of: Plan, width: int, height: int) -> str:
    """Every box with its name, as a map of the screen."""
    cells = [[" "] * width for _ in range(height)]
    for name, box in of.boxes.items():
        for x in range(box.x, box.x + box.width):
            for y in range(box.y, box.y + box.height):
                edge_x, edge_y = x in (box.x, box.x + box.width - 1), y in (box.y, box.y + box.height - 1)
                cells[y][x] = "+" if edge_x and edge_y else "-" if edge_y else "|" if edge_x else " "
        for at, char in enumerate(f" {name} "[: box.width - 2]):
            cells[box.y][box.x + 1 + at] = char
    return "\n".join("".join(row).rstrip() for row in cells)


@pytest.mark.parametrize(
    ("width", "height", "mode"),
    [
        (39, 24, Mode.LINE),
        (80, 9, Mode.LINE),
        (40, 10, Mode.TINY),
        (60, 15, Mode.NARROW),
        (80, 24, Mode.NARROW),
        (120, 36, Mode.GRID),
        (200, 60, Mode.WALL),
        (200, 40, Mode.WALL),
    ],
)
def test_what_stands_where(width: int, height: int, mode: Mode, golden: Golden) -> None:
    drawn = plan(width, height)
    assert drawn.mode is mode
    golden(drawing(drawn, width, height))


@given(SIZES, st.sampled_from(PANES), st.booleans())
def test_nothing_overlaps_and_nothing_is_off_the_screen(size: tuple[int, int], focus: str, zoomed: bool) -> None:
    taken: set[tuple[int, int]] = set()
    for box in plan(*size, focus, zoomed=zoomed).boxes.values():
        assert box.x >= 0
        assert box.y >= 0
        assert box.width > 0
        assert box.height > 0
        assert box.x + box.width <= size[0]
        assert box.y + box.height <= size[1]
        cells = {(x, y) for x in range(box.x, box.x + box.width) for y in range(box.y, box.y + box.height)}
        assert not cells & taken
        taken |= cells


@given(SIZES, st.sampled_from(PANES), st.booleans())
def test_the_pane_in_front_is_shown_wherever_a_pane_is(size: tuple[int, int], focus: str, zoomed: bool) -> None:
    drawn = plan(*size, focus, zoomed=zoomed)
    assert (focus in drawn.boxes) == (drawn.mode is not Mode.LINE)


@given(SIZES, st.integers(1, 60))
def test_no_prompt_ever_covers_row_1_or_2_the_news_or_the_keys(size: tuple[int, int], rows: int) -> None:
    drawn = plan(*size)
    box = prompt(drawn, rows)
    if drawn.mode is Mode.LINE:
        assert box == Box(0, 0, size[0], 1)
    else:
        assert box.y >= 2
        assert box.height >= 1
        assert box.y + box.height <= drawn.boxes["flash"].y


@given(SIZES)
def test_the_state_is_the_first_row_at_every_size(size: tuple[int, int]) -> None:
    assert plan(*size).boxes["row1"] == Box(0, 0, size[0], 1)


def test_every_size_up_to_a_wall_has_its_rows_and_no_two_boxes_overlap() -> None:
    """Row 1 everywhere, row 2 and the keys wherever there is more than the one line, and no cell has two owners."""
    for width in range(1, 251):
        for height in range(1, 81):
            drawn = plan(width, height)
            edges = {"row1": 0} if drawn.mode is Mode.LINE else {"row1": 0, "row2": 1, "keys": height - 1}
            for name, row in edges.items():
                assert drawn.boxes[name] == Box(0, row, width, 1)
            boxes = list(drawn.boxes.values())
            assert all(box.x >= 0 and box.x + box.width <= width for box in boxes)
            assert all(box.y >= 0 and box.y + box.height <= height for box in boxes)
            for at, one in enumerate(boxes):
                for other in boxes[:at]:
                    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
                    assert beside or one.y + one.height <= other.y or other.y + other.height <= one.y
