"""Lines have exactly the width they were asked for, and only what differs between two of them is repainted."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from opsconsole.lines import Line, Span, Style, difference, length, line, plain, wrapped
from opsconsole.text import clean

STYLES = st.sampled_from(list(Style))
SPANS = st.lists(st.builds(Span, st.text(max_size=20).map(clean), STYLES), max_size=6)


@given(SPANS, st.integers(0, 60))
def test_a_line_takes_exactly_its_cells(spans: list[Span], cells: int) -> None:
    assert length(line(cells, *spans)) == cells


@given(SPANS, st.integers(0, 60))
def test_neighbours_of_one_style_are_one_span(spans: list[Span], cells: int) -> None:
    drawn = line(cells, *spans)
    assert all(one.style is not other.style for one, other in pairwise(drawn))


@given(SPANS, st.integers(1, 40), st.integers(0, 3))
def test_wrapping_loses_no_word_that_fits(spans: list[Span], cells: int, indent: int) -> None:
    rows = wrapped(spans, cells, indent)
    assert all(length(row) == cells for row in rows)
    words = "".join(span.text for span in spans).split()
    if all(len(word) <= cells - indent for word in words) and all(word.isascii() for word in words):
        assert " ".join(map(plain, rows)).split() == words


def test_one_changed_digit_costs_one_cell() -> None:
    before, after = line(40, Span("AGE 12m")), line(40, Span("AGE 13m"))
    assert difference(before, after) == (5, 6)


def test_a_changed_style_is_a_change() -> None:
    assert difference(line(9, Span("ok")), line(9, Span("ok", Style.BAD))) == (0, 2)


def test_the_same_look_is_no_change() -> None:
    assert difference(line(9, Span("a"), Span("b")), line(9, Span("ab"))) is None


def test_half_a_wide_character_is_never_repainted() -> None:
    assert difference(line(9, Span("站1")), line(9, Span("站2"))) == (0, 9)


ASCII_LINES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)


@given(ASCII_LINES, ASCII_LINES)
def test_painting_the_difference_makes_the_new_line(before: str, after: str) -> None:
    old: Line = line(12, Span(before))
    new: Line = line(12, Span(after))
    screen = plain(old)
    if found := difference(old, new):
        start, end = found
        screen = screen[:start] + plain(new)[start:end] + screen[end:]
    assert screen == plain(new)
