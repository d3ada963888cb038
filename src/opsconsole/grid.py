"""The live table of a pane.

It is a line-API widget without scrollbars: rows are virtual, only visible ones are made and compared, and nothing in it
ticks. How somebody moves about in it is a `Browser`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from opsconsole.arrange import Sort
from opsconsole.browse import Browser
from opsconsole.drawing import Frame, Kept, Place, body_rows, draw
from opsconsole.lines import Line
from opsconsole.painted import Painted
from opsconsole.table import Table


class Grid(Painted, can_focus=True):
    """Shows one `Table` in a frame. Its cursor and its scroll position are its own and nobody else's."""

    selectable: ClassVar[bool] = True
    """Whether there is anything to select; a list that is only read has no cursor."""

    def __init__(self, frame: Frame, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.frame = frame
        self.browser = Browser(selectable=self.selectable)
        self._kept = Kept()

    @property
    def selected(self) -> str | None:
        """The key under the cursor, if its row is shown."""
        return self.browser.selected

    @property
    def table(self) -> Table:
        """The rows that are shown, in the order in which they are."""
        return self.browser.table

    @property
    def place(self) -> Place:
        """Where in them it stands."""
        return self.browser.place

    def show(self, table: Table) -> None:
        """Show another state of the same things. Costs nothing on the wire where nothing visible changed."""
        self.browser.show(table)
        self._see()

    def look(self, frame: Frame) -> None:
        """Change the frame: another title, other keys, with or without a box."""
        self.frame = frame
        self._see()

    def filter(self, text: str) -> None:
        """Show only what `text` asks for."""
        self.browser.filter(text)
        self._see()

    def sort_by(self, sort: Sort) -> None:
        """Order by a column."""
        self.browser.sort_by(sort)
        self._see()

    def seek(self, by: int) -> bool:
        """Select the next row (with -1 the one before) that the last filter asked for; False if there is none."""
        found = self.browser.seek(by)
        self._see()
        return found

    def look_anew(self, change: Callable[[Browser], None]) -> None:
        """Change how the list is looked at, and show it so."""
        change(self.browser)
        self._see()

    def on_focus(self) -> None:
        """The frame and the cursor say where keys go."""
        self.look(self.frame._replace(focused=True))

    def on_blur(self) -> None:
        """As `on_focus`."""
        self.look(self.frame._replace(focused=False))

    def on_resize(self) -> None:
        """Another size may hide the cursor."""
        self._see()

    def draw(self, width: int, height: int) -> list[Line]:
        """The lines of this pane."""
        return draw(self.table, self.frame, self.place, width, height, self.browser.needs, self._kept)

    def action_move(self, by: int) -> None:
        """Select the row `by` rows further on."""
        self.browser.move(by)
        self._see()

    def action_page(self, by: int) -> None:
        """Move by the rows that are visible."""
        self.browser.page(by)
        self._see()

    def action_half_page(self, by: int) -> None:
        """Move by half the rows that are visible. Scrolling keys never act on anything."""
        self.browser.page(by / 2)
        self._see()

    def action_first(self) -> None:
        """Select the first row, which is the worst."""
        self.browser.select(0)
        self._see()

    def action_last(self) -> None:
        """Select the last row."""
        self.browser.select(len(self.table.rows) - 1)
        self._see()

    def _see(self) -> None:
        """Paint what is to be seen now, the cursor's row among it unless it was scrolled away from."""
        room = body_rows(self.table, self.frame, self.size.height)
        if room != self.browser.room:
            self.browser.resize(room)
        self.repaint()
        self.moved()

    def moved(self) -> None:
        """Something else is looked at than before."""
