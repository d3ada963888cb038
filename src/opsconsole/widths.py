"""How wide each column of a table is: as wide as what stands in it, as far as there is room.

A column that became narrower with every shorter name would make the whole list jump. So it grows at once, and shrinks
only when the list is looked at in another size or with other columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opsconsole.table import Column, Row
from opsconsole.text import width

GAP = 2
"""Blank cells between two columns."""


class Needs:
    """What each column of one list has needed since it was last looked at in another way."""

    def __init__(self) -> None:
        self._of: tuple[tuple[Column, ...], tuple[int, int]] | None = None
        self._cells: tuple[int, ...] = ()

    def with_rows(self, columns: tuple[Column, ...], rows: Iterable[Row], size: tuple[int, int]) -> tuple[int, ...]:
        """Cells for each column, now that `rows` are visible in a pane of `size`: its widest ever, within its most.

        It may be less than the least that a column claims.
        """
        if self._of != (columns, size):
            self._of, self._cells = (columns, size), tuple(width(column.title) for column in columns)
        for row in rows:
            widest = zip(self._cells, (width(cell.text) for cell in row.cells), strict=True)
            self._cells = tuple(map(max, widest))
        self._cells = tuple(min(cells, column.most) for cells, column in zip(self._cells, columns, strict=True))
        return self._cells


def fit_columns(columns: Sequence[Column], room: int, needs: Sequence[int]) -> tuple[int, ...]:
    """The width of each column in `room` cells, 0 for one that has to go.

    What is spare after the least of each goes to what the columns need, the most important first; then to the hungriest
    up to its most, which gives way when another one grows, so that those at the right edge stay where they are. And
    nothing is cut beside a column that holds air: the least important of those gives it up first.
    """
    shown: list[int] = []
    spare = room
    for index in sorted(range(len(columns)), key=lambda index: columns[index].rank):
        least = columns[index].least + GAP * bool(shown)
        if least > spare:
            break
        shown.append(index)
        spare -= least
    widths = [column.least if index in shown else 0 for index, column in enumerate(columns)]
    hungriest = sorted(shown, key=lambda index: columns[index].least - columns[index].most)
    wishes = [(index, needs[index]) for index in shown] + [(index, columns[index].most) for index in hungriest]
    for index, wish in wishes:
        given = max(0, min(spare, wish - widths[index]))
        widths[index] += given
        spare -= given
    givers = [index for index in reversed(shown) if columns[index].most > columns[index].least]
    for index in shown:
        for giver in givers:
            given = max(0, min(widths[giver] - needs[giver], needs[index] - widths[index]))
            widths[index] += given
            widths[giver] -= given
    if not shown and columns:
        widths[0] = max(0, room)
    return tuple(widths)
