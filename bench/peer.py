"""The console's screen as Textual's own widgets make it, for the comparison in ``console``."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import Grid
from textual.widgets import DataTable, Static

from opsconsole.panes import PANES
from opsconsole.views.picture import Picture


class Peer(App[None]):
    """The same rows in the same places, a DataTable for each pane and a Static for each line."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - as Textual wants it
    CSS = """
        Grid { grid-size: 2 3; } DataTable { height: 100%; } Static { height: 1; }
        .-narrow Grid { grid-size: 1 1; } .-narrow DataTable { display: none; } .-narrow #limits { display: block; }
    """
    BINDINGS = [("j", "cursor(1)"), ("k", "cursor(-1)"), ("ctrl+f", "page")]  # noqa: RUF012 - as Textual wants it
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._picture = picture

    def compose(self) -> ComposeResult:
        yield Static("[ RUN] RUNNING", id="row1", markup=False)
        yield Static("BENCH RW as ana | live", id="row2")
        with Grid():
            for pane in PANES:
                yield DataTable(id=pane.name, cursor_type="row")
        yield Static("", id="flash")
        yield Static("! S STOP ALL", id="keys")

    def on_mount(self) -> None:
        for number, pane in enumerate(PANES, 1):
            table = pane(number).view(self._picture)
            shown = self.query_one(f"#{pane.name}", DataTable)
            for place, column in enumerate(table.columns):
                shown.add_column(column.title, key=str(place), width=column.least)
            for place in range(len(table.rows)):
                row = table.rows[place]
                shown.add_row(*(cell.text for cell in row.cells), key=row.key)
        self.sites = self.query_one("#sites", DataTable)
        self.limits = self.query_one("#limits", DataTable)
        self.sites.focus()

    def action_cursor(self, by: int) -> None:
        self.sites.move_cursor(row=self.sites.cursor_row + by, animate=False)

    def action_page(self) -> None:
        self.sites.action_page_down()

    def one(self, number: int) -> None:
        """As `bench.screens.Crowd.one`, and so on."""
        self.limits.update_cell("content_pages", "1", f"{number}/9000")

    def tick(self, number: int) -> None:
        self.sites.update_cell(f"s{number:06}", "1", "PAUSED")
        self.query_one("#flash", Static).update(f"paused s{number:06}: tick-{number:04}")

    def news(self, number: int) -> None:
        for limit, units in (("content_pages", 3), ("sites", 1), ("gsc_requests", 5)):
            self.limits.update_cell(limit, "1", f"{number * units % 1000}/9000")
        self.query_one("#row1", Static).update(f"12 workers, {number % 2 * 12} in flight")
