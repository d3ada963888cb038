"""Tables as values, and how one is drawn into a frame of a given size.

A view makes a `Table`: columns, rows that may be made only when they are looked at, and a note. `draw` turns the part
that is visible into lines. Neither knows a widget, so a pane can be read, compared and tested as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from opsconsole.lines import Line, Span, Style, length, line
from opsconsole.text import fit

GAP = "  "
SIGNS = 2
NO_SIGNS = " " * SIGNS
"""Stand before each row: ``*`` is marked, ``>`` is under the cursor. Signs, for some themes hide reverse video."""


class Cell(NamedTuple):
    """What stands in one column of one row, already cleaned."""

    text: str
    style: Style = Style.PLAIN


class Row(NamedTuple):
    """One row: the key of the thing it shows, which the cursor holds on to, and a cell for each column."""

    key: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column `least` cells wide, at most `most`. Where room is short, the highest `rank` goes first."""

    title: str
    least: int
    most: int
    rank: int = 0
    right: bool = False


class Rows(Protocol):
    """Rows in their order. They may be made when asked for: of a hundred thousand, fifty are visible."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Row: ...

    def key(self, index: int, /) -> str:
        """The key of one row, without making the row."""

    def find(self, key: str) -> int | None:
        """Where the row of `key` stands now; None if it is gone."""


class Listed:
    """Rows that are all made."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows = tuple(rows)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {row.key: index for index, row in reversed(tuple(enumerate(self._rows)))}

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int, /) -> Row:
        return self._rows[index]

    def key(self, index: int, /) -> str:
        """The key of one row."""
        return self._rows[index].key

    def find(self, key: str) -> int | None:
        """Where the row of `key` stands; None if there is none."""
        return self._places.get(key)


@dataclass(frozen=True, slots=True)
class Table:
    """What a pane shows. `alarm` is its counter (``!3``, ``*1``, empty); `empty` is said in place of no rows."""

    columns: tuple[Column, ...]
    rows: Rows
    alarm: str = ""
    note: str = ""
    empty: str = "nothing to show"
    things: object = None
    """What the rows are rows of: the same object for as long as nothing came and nothing went. None: not known."""


class Frame(NamedTuple):
    """How a table is looked at: the pane's title, the keys that work in it, and whether it has the focus."""

    title: str
    hints: tuple[tuple[str, str], ...] = ()
    focused: bool = False
    boxed: bool = True
    """Without a box on the smallest screens, where two columns and two rows are worth more than a frame."""


class Place(NamedTuple):
    """Where in the rows a pane stands: the first visible row, the key under the cursor, and the marked keys."""

    top: int = 0
    cursor: str | None = None
    marks: frozenset[str] = frozenset()


def body_rows(table: Table, frame: Frame, height: int) -> int:
    """How many rows of `table` a pane of `height` rows shows at a time."""
    return max(0, height - 2 * frame.boxed - _has_header(table))


def draw(table: Table, frame: Frame, place: Place, width: int, height: int) -> list[Line]:
    """The pane as exactly `height` lines of `width` cells."""
    inner = width - 2 * frame.boxed
    widths = fit_columns(table.columns, inner - SIGNS - frame.boxed)
    room = body_rows(table, frame, height)
    body = [_header(table.columns, widths, inner)] if _has_header(table) else []
    visible = range(place.top, min(place.top + room, len(table.rows)))
    body += [_row(table, table.rows[index], widths, inner, frame, place) for index in visible]
    if not len(table.rows):
        body.append(line(inner, Span(NO_SIGNS + table.empty, Style.DIM)))
    body += [line(inner)] * (room + _has_header(table) - len(body))
    if not frame.boxed:
        return body[:height]
    edge = Span("|", Style.DIM)
    boxed = [line(width, edge, *inside, edge) for inside in body]
    return [_top_edge(table, frame, width), *boxed, _bottom_edge(table, frame, width, visible)][:height]


def fit_columns(columns: Sequence[Column], room: int) -> tuple[int, ...]:
    """The width of each column in `room` cells, 0 for one that has to go; the hungriest gets most of what is spare."""
    shown: list[int] = []
    left = room
    for index in sorted(range(len(columns)), key=lambda index: columns[index].rank):
        need = columns[index].least + len(GAP) * bool(shown)
        if need > left:
            break
        shown.append(index)
        left -= need
    widths = [columns[index].least if index in shown else 0 for index in range(len(columns))]
    hunger = {index: columns[index].most - columns[index].least for index in shown}
    spare = min(left, sum(hunger.values()))
    for index in sorted(shown, key=hunger.__getitem__):
        share = -(-spare * hunger[index] // (sum(hunger.values()) or 1))
        widths[index] += share
        spare -= share
        hunger[index] = 0
    if not shown and columns:
        widths[0] = max(0, room)
    return tuple(widths)


def _has_header(table: Table) -> bool:
    return any(column.title for column in table.columns)


def _header(columns: Iterable[Column], widths: Sequence[int], inner: int) -> Line:
    titles = (Cell(column.title, Style.DIM) for column in columns)
    return line(inner, Span(NO_SIGNS), *_cells(columns, titles, widths))


def _row(table: Table, row: Row, widths: Sequence[int], inner: int, frame: Frame, place: Place) -> Line:
    selected = row.key == place.cursor
    signs = ("*" if row.key in place.marks else " ") + (">" if selected else " ")
    spans = (Span(signs), *_cells(table.columns, row.cells, widths))
    if not (selected and frame.focused):
        return line(inner, *spans)
    reversed_ = (Span(span.text, Style.CURSOR) for span in line(inner, *spans))
    return line(inner, *reversed_)


def _cells(columns: Iterable[Column], cells: Iterable[Cell], widths: Sequence[int]) -> list[Span]:
    spans: list[Span] = []
    for column, cell, width in zip(columns, cells, widths, strict=True):
        if width:
            if spans:
                spans.append(Span(GAP))
            spans += _padded(fit(cell.text, width, right=column.right), cell.style)
    return spans


def _padded(text: str, style: Style) -> tuple[Span, ...]:
    """A cell. What is drawn in reverse video is reversed as far as its text goes, not to the end of its column."""
    if style is not Style.STOPPED:
        return (Span(text, style),)
    word = text.rstrip()
    return Span(word, style), Span(" " * (len(text) - len(word)))


def _top_edge(table: Table, frame: Frame, width: int) -> Line:
    rule = "=" if frame.focused else "-"
    edge = Style.PLAIN if frame.focused else Style.DIM
    spans = [Span(f"+{rule} ", edge), Span(frame.title, Style.STRONG)]
    if table.alarm:
        spans.append(Span(f" {table.alarm}", Style.BAD if table.alarm.startswith("!") else Style.WARN))
    for key, does in frame.hints if frame.focused else ():
        hint = (Span("  ", edge), Span(key, Style.KEY), Span(f" {does}"))
        if length(spans) + length(hint) + 4 <= width:
            spans += hint
    spans.append(Span(" ", edge))
    return line(width, *spans, Span(rule * max(0, width - length(spans) - 1) + "+", edge))


def _bottom_edge(table: Table, frame: Frame, width: int, visible: range) -> Line:
    rule = "=" if frame.focused else "-"
    edge = Style.PLAIN if frame.focused else Style.DIM
    hidden = len(table.rows) - len(visible)
    shown = f"{visible.start + 1}-{visible.stop} of {len(table.rows)}" if hidden else ""
    note = "  ".join(filter(None, (table.note, shown)))
    said = fit(note, min(len(note), width - 6)) if note.isascii() else note
    tail = f" {said} {rule}+" if said else "+"
    return line(width, Span("+" + rule * (width - 1 - len(tail)) + tail, edge))
