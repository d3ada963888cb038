"""The live table of a pane: rows by key, a cursor that holds on to a thing and not to a place.

It is a line-API widget without scrollbars: rows are virtual, only visible ones are made and compared, and nothing in
it ticks. Lists here reorder themselves, worst first, while somebody reads them; so the cursor is the *key* of a row.
When that row goes, nothing is selected until the cursor is moved: no key press may land on a neighbour by accident.
"""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from opsconsole.lines import Line
from opsconsole.painted import Painted
from opsconsole.table import Frame, Listed, Place, Table, body_rows, draw

NOTHING = Table(columns=(), rows=Listed(), empty="waiting for the first state")


class Grid(Painted, can_focus=True):
    """Shows one `Table` in a frame. Its cursor and its scroll position are its own and nobody else's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "down", id="grid.down"),
        Binding("k,up", "move(-1)", "up", id="grid.up"),
        Binding("pagedown,ctrl+f", "page(1)", "page down", id="grid.page-down"),
        Binding("pageup,ctrl+b", "page(-1)", "page up", id="grid.page-up"),
        Binding("ctrl+d", "half_page(1)", "half a page down", id="grid.half-down"),
        Binding("ctrl+u", "half_page(-1)", "half a page up", id="grid.half-up"),
        Binding("g,home", "first", "first row", id="grid.first"),
        Binding("G,end", "last", "last row", id="grid.last"),
    ]

    selectable: ClassVar[bool] = True
    """Whether there is anything to select; a list that is only read has no cursor."""

    def __init__(self, frame: Frame, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.frame = frame
        self.table = NOTHING
        self.place = Place()
        self._last_index = 0

    @property
    def selected(self) -> str | None:
        """The key under the cursor, if its row is still there."""
        cursor = self.place.cursor
        return cursor if cursor is not None and self.table.rows.find(cursor) is not None else None

    def show(self, table: Table) -> None:
        """Show another state of the same things. Costs nothing on the wire where nothing visible changed."""
        was_visible = self._in_view(self._index())
        self.table = table
        if self.selectable and self.place.cursor is None and len(table.rows):
            self.place = Place(0, table.rows[0].key)
        index = self._index()
        if index is not None:
            self._last_index = index
        self._scroll(to=index if was_visible else None)
        self.repaint()

    def look(self, frame: Frame) -> None:
        """Change the frame: another title, other keys, with or without a box."""
        self.frame = frame
        self._scroll(to=self._index())
        self.repaint()

    def on_focus(self) -> None:
        """The frame and the cursor say where keys go."""
        self.look(self.frame._replace(focused=True))

    def on_blur(self) -> None:
        """As `on_focus`."""
        self.look(self.frame._replace(focused=False))

    def on_resize(self) -> None:
        """Another size may hide the cursor."""
        self._scroll(to=self._index())
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """The lines of this pane."""
        return draw(self.table, self.frame, self.place, width, height)

    def action_move(self, by: int) -> None:
        """Select the row `by` rows further on."""
        self._select(self._last_index if self._index() is None else self._last_index + by)

    def action_page(self, by: int) -> None:
        """Move by the rows that are visible."""
        self._select(self._last_index + by * max(1, self._room()))

    def action_half_page(self, by: int) -> None:
        """Move by half the rows that are visible. Scrolling keys never act on anything."""
        self._select(self._last_index + by * max(1, self._room() // 2))

    def action_first(self) -> None:
        """Select the first row, which is the worst."""
        self._select(0)

    def action_last(self) -> None:
        """Select the last row."""
        self._select(len(self.table.rows) - 1)

    def _select(self, index: int) -> None:
        rows = self.table.rows
        if not len(rows):
            return
        self._last_index = max(0, min(len(rows) - 1, index))
        self.place = self.place._replace(cursor=rows[self._last_index].key)
        self._scroll(to=self._last_index)
        self.repaint()

    def _index(self) -> int | None:
        return None if self.place.cursor is None else self.table.rows.find(self.place.cursor)

    def _room(self) -> int:
        return body_rows(self.table, self.frame, self.size.height)

    def _in_view(self, index: int | None) -> bool:
        return index is not None and self.place.top <= index < self.place.top + self._room()

    def _scroll(self, to: int | None) -> None:
        room, top = self._room(), self.place.top
        if room < 1:  # no row can be seen yet, so there is nothing to scroll into sight
            return
        if to is not None:
            top = max(to - room + 1, min(top, to))
        self.place = self.place._replace(top=max(0, min(top, len(self.table.rows) - room)))
