"""Copy names and rows by way of the terminal."""

from __future__ import annotations

from opsconsole.actions.base import Action, Desk


class Copy(Action):
    """A key, to paste it elsewhere."""

    id, keys = "copy", "y"
    about = "send the names of the marked rows, else of the selected one, to the terminal's clipboard"

    def why_not(self, desk: Desk) -> str:
        """There must be something to send."""
        return "" if desk.pane.selected or desk.pane.browser.marks else "there is no row under the cursor"

    def run(self, desk: Desk) -> None:
        """A terminal does not say whether it took it."""
        keys = [
            desk.pane.name_of(key, desk.picture)
            for key in desk.pane.browser.meant or filter(None, [desk.pane.selected])
        ]
        desk.copy("\n".join(keys), f"{len(keys)} keys" if len(keys) > 1 else keys[0])


class CopyRow(Copy):
    """All of a row."""

    id, keys = "copy-row", "Y"
    about = "send all of the selected row, as text, to the terminal's clipboard"

    def why_not(self, desk: Desk) -> str:
        """There must be a row."""
        return "" if desk.pane.selected else "there is no row under the cursor"

    def run(self, desk: Desk) -> None:
        """Its cells, two blanks between them."""
        pane = desk.pane
        at = pane.table.rows.find(pane.selected or "")
        if at is not None:
            row = pane.table.rows[at]
            said = "  ".join(cell.text.strip() for cell in row.cells)
            desk.copy(said, f"row of {pane.name_of(row.key, desk.picture)}")
