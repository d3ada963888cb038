"""How a table is drawn into a frame of a given size, with a cursor and marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from opsconsole.lines import Line, Span, Style, length, line
from opsconsole.table import Cell, Column, Row, Table
from opsconsole.text import cut, fit
from opsconsole.widths import GAP, Needs, fit_columns

SIGNS = 2
NO_SIGNS = " " * SIGNS
"""Stand before each row: ``*`` is marked, ``>`` is under the cursor. Signs, for some themes hide reverse video."""


class Edges(NamedTuple):
    """The lines around a pane: heavy ones where the keys go, so that it is seen without colour."""

    style: Style
    rule: str
    side: Span
    top: tuple[str, str]
    """The left corner and the right one."""
    bottom: tuple[str, str]


LIGHT = Edges(Style.DIM, "─", Span("│", Style.DIM), ("┌", "┐"), ("└", "┘"))
HEAVY = Edges(Style.PLAIN, "━", Span("┃", Style.PLAIN), ("┏", "┓"), ("┗", "┛"))


class Frame(NamedTuple):
    """How a table is looked at: the pane's title, the keys that work in it, and whether it has the focus."""

    title: str
    hints: tuple[tuple[str, str], ...] = ()
    focused: bool = False
    boxed: bool = True
    """Without a box on the smallest screens, where two columns and two rows are worth more than a frame."""

    @property
    def edges(self) -> Edges:
        """What is drawn around it."""
        return HEAVY if self.focused else LIGHT


class Place(NamedTuple):
    """Where in the rows a pane stands: the first visible row, the key under the cursor, and the marked keys."""

    top: int = 0
    cursor: str | None = None
    marks: frozenset[str] = frozenset()


class Kept:
    """What was made of a table, for as long as it is the same one: a cursor that moves changes two lines of it."""

    def __init__(self) -> None:
        self._table: Table | None = None
        self._rows: dict[int, Row] = {}
        self._how: object = None
        self._lines: dict[object, Line] = {}

    def rows(self, table: Table, visible: range) -> list[Row]:
        """The rows of `table` that are visible."""
        if table is not self._table:
            self._table, self._rows, self._lines = table, {}, {}
        for index in visible:
            if index not in self._rows:
                self._rows[index] = table.rows[index]
        return [self._rows[index] for index in visible]

    def line(self, how: object, which: object, make: Callable[[], Line]) -> Line:
        """One line of it, drawn in the manner `how`, which is the same for all lines of a picture."""
        if how != self._how:
            self._how, self._lines = how, {}
        if which not in self._lines:
            self._lines[which] = make()
        return self._lines[which]


def body_rows(table: Table, frame: Frame, height: int) -> int:
    """How many rows of `table` a pane of `height` rows shows at a time."""
    return max(0, height - 2 * frame.boxed - _has_header(table))


def draw(
    table: Table,
    frame: Frame,
    place: Place,
    width: int,
    height: int,
    needs: Needs | None = None,
    kept: Kept | None = None,
) -> list[Line]:
    """The pane as exactly `height` lines of `width` cells.

    `needs` is what its columns needed the last time it was drawn; it takes in what is visible now. `kept` is what was
    made of it then.
    """
    kept = kept or Kept()
    inner = width - 2 * frame.boxed
    room = body_rows(table, frame, height)
    visible = range(place.top, min(place.top + room, len(table.rows)))
    rows = kept.rows(table, visible)
    needed = (needs or Needs()).with_rows(table.columns, rows, (width, height))
    widths = fit_columns(table.columns, inner - SIGNS - frame.boxed, needed)
    how = frame, width, widths

    def boxed(drawn: Line) -> Line:
        return line(width, frame.edges.side, *drawn, frame.edges.side) if frame.boxed else drawn

    def said(row: Row) -> Line:
        signs = ("*" if row.key in place.marks else " ") + (">" if row.key == place.cursor else " ")
        return kept.line(how, (row.key, signs), lambda: boxed(_row(table, row, signs, widths, inner, frame)))

    body = [kept.line(how, "header", lambda: boxed(_header(table.columns, widths, inner)))] * _has_header(table)
    body += map(said, rows)
    if not len(table.rows):
        body.append(boxed(line(inner, Span(NO_SIGNS + table.empty, Style.DIM))))
    body += [boxed(line(inner))] * (room + _has_header(table) - len(body))
    if not frame.boxed:
        return body[:height]
    top = kept.line(how, "top", lambda: _top_edge(table, frame, width))
    return [top, *body, _bottom_edge(table, frame, width, visible)][:height]


def _has_header(table: Table) -> bool:
    return any(column.title for column in table.columns)


def _header(columns: Iterable[Column], widths: Sequence[int], inner: int) -> Line:
    titles = (Cell(column.title, Style.DIM) for column in columns)
    return line(inner, Span(NO_SIGNS), *_cells(columns, titles, widths))


def _row(table: Table, row: Row, signs: str, widths: Sequence[int], inner: int, frame: Frame) -> Line:
    spans = (Span(signs), *_cells(table.columns, row.cells, widths))
    if not (">" in signs and frame.focused):
        return line(inner, *spans)
    reversed_ = (Span(span.text, Style.CURSOR) for span in line(inner, *spans))
    return line(inner, *reversed_)


def _cells(columns: Iterable[Column], cells: Iterable[Cell], widths: Sequence[int]) -> list[Span]:
    spans: list[Span] = []
    for column, cell, width in zip(columns, cells, widths, strict=True):
        if width:
            if spans:
                spans.append(Span(" " * GAP))
            spans += _padded(fit(cell.text, width, right=column.right), cell.style)
    return spans


def _padded(text: str, style: Style) -> tuple[Span, ...]:
    """A cell. What is drawn in reverse video is reversed as far as its text goes, not to the end of its column."""
    if style is not Style.STOPPED:
        return (Span(text, style),)
    word = text.rstrip()
    return Span(word, style), Span(" " * (len(text) - len(word)))


def _top_edge(table: Table, frame: Frame, width: int) -> Line:
    edge, rule, _, (left, right), _ = frame.edges
    spans = [Span(f"{left}{rule} ", edge), Span(frame.title, Style.STRONG)]
    if table.alarm:
        spans.append(Span(f" {table.alarm}", Style.BAD if table.alarm.startswith("!") else Style.WARN))
    for key, does in frame.hints if frame.focused else ():
        hint = (Span("  ", edge), Span(key, Style.KEY), Span(f" {does}"))
        if length(spans) + length(hint) + 4 <= width:
            spans += hint
    spans.append(Span(" ", edge))
    return line(width, *spans, Span(rule * max(0, width - length(spans) - 1) + right, edge))


def _bottom_edge(table: Table, frame: Frame, width: int, visible: range) -> Line:
    edge, rule, _, _, (left, right) = frame.edges
    hidden = len(table.rows) - len(visible)
    shown = f"{visible.start + 1}-{visible.stop} of {len(table.rows)}" if hidden else ""
    note = "  ".join(filter(None, (table.note, shown)))
    said = cut(Span(note).text, max(0, width - 6))
    tail = Span(f" {said} {rule}{right}" if said else right, edge)
    return line(width, Span(left + rule * (width - 1 - length((tail,))), edge), tail)
