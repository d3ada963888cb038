"""The keys that move about in a list. They are in a table of their own, because a keymap may change them too."""

from __future__ import annotations

from typing import Final, NamedTuple


class Move(NamedTuple):
    """One way to move: its id, its keys, what the list does, and what that is called."""

    id: str
    keys: str
    does: str
    about: str


MOVES: Final = (
    Move("grid.down", "j,down", "move(1)", "down"),
    Move("grid.up", "k,up", "move(-1)", "up"),
    Move("grid.page-down", "pagedown,ctrl+f", "page(1)", "page down"),
    Move("grid.page-up", "pageup,ctrl+b", "page(-1)", "page up"),
    Move("grid.half-down", "ctrl+d", "half_page(1)", "half a page down"),
    Move("grid.half-up", "ctrl+u", "half_page(-1)", "half a page up"),
    Move("grid.first", "g,home", "first", "first row"),
    Move("grid.last", "G,end", "last", "last row"),
)
