"""Where everything stands, as a pure function of the size of the terminal.

Row 1 and 2 (the state, and how it is known) are there at every size, at the top, covered by nothing. The last row has
the keys and the one above it the latest news; prompts grow upwards from there. Between them stand the panes: all six
where there is room, else one at a time below a strip of tabs with their counters.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

PANES = ("global", "sites", "flags", "limits", "emergencies", "recovery")
"""The six panes, in the order of their keys 1 to 6."""

FURTHER = ("workflows", "workers", "holds", "audit")
"""Lists that are looked at one at a time, with all the room, in the order of their keys 7, 8, 9 and 0."""

UNNUMBERED = ("services", "triggers")
"""Lists of the same kind without a key, for there are no more numbers: ``:services`` shows them."""

NAMES = (*PANES, *FURTHER, *UNNUMBERED)
"""Every list that can be shown by its name, first those with a key in the order of the keys 1 to 9 and 0."""

ROWS_WALL = (("global", "sites", "emergencies"), ("flags", "limits", "recovery"))

EVENTS_ROWS_MIN = 50
EVENTS_ROWS = 13


class Mode(StrEnum):
    """How much room there is."""

    LINE = "line"
    """Too small for anything but the truth in one line."""
    TINY = "tiny"
    """Row 1 and 2, one pane without a frame, keys."""
    NARROW = "narrow"
    """One framed pane at a time, a strip of tabs, a ticker."""
    GRID = "grid"
    """Six panes, two beside each other."""
    WALL = "wall"
    """Six panes, three beside each other, and the events where there are rows enough."""


class Box(NamedTuple):
    """A rectangle in cells: column and row of its upper left corner, width and height."""

    x: int
    y: int
    width: int
    height: int


class Plan(NamedTuple):
    """What is shown at one size, and where. `boxes` is keyed by the name of the part."""

    mode: Mode
    boxes: dict[str, Box]

    def panes(self) -> tuple[str, ...]:
        """The names of the panes that are shown."""
        return tuple(name for name in PANES if name in self.boxes)


def plan(width: int, height: int, focus: str = "sites", *, zoomed: bool = False) -> Plan:
    """The plan for a terminal of `width` x `height` cells, with the pane `focus` in front where only one fits.

    `zoomed` gives that one pane all the room that the six would share; a list that is none of the six always has it.
    """
    if width < 40 or height < 10:
        return Plan(Mode.LINE, {"row1": Box(0, 0, width, 1)})
    edges = {"row1": Box(0, 0, width, 1), "row2": Box(0, 1, width, 1), "keys": Box(0, height - 1, width, 1)}
    if width < 60 or height < 15:
        return Plan(Mode.TINY, edges | {"flash": Box(0, height - 2, width, 1), focus: Box(0, 2, width, height - 4)})
    if width < 100 or height < 30:
        return Plan(Mode.NARROW, edges | _narrow(width, height, focus))
    edges["flash"] = Box(0, height - 2, width, 1)
    middle = Box(0, 2, width, height - 4)
    if zoomed or focus not in PANES:
        return Plan(Mode.GRID, edges | {focus: middle})
    if width < 160:
        return Plan(Mode.GRID, edges | _grid(middle, (("global", "sites"), ("flags", "limits"), PANES[4:])))
    if height >= EVENTS_ROWS_MIN:
        middle = Box(0, 2, width, height - 4 - EVENTS_ROWS)
        edges["events"] = Box(0, 2 + middle.height, width, EVENTS_ROWS)
    return Plan(Mode.WALL, edges | _grid(middle, ROWS_WALL))


def prompt(of: Plan, rows: int, *, over_news: bool = False) -> Box:
    """Where a prompt of `rows` rows stands: on the bottom, above the news or over them, never over row 1 and 2.

    In one line it takes that line, for there the prompt is the truth that matters most.
    """
    if of.mode is Mode.LINE:
        return of.boxes["row1"]
    bottom = of.boxes["flash"].y + over_news
    shown = min(rows, bottom - 2)
    return Box(0, bottom - shown, of.boxes["row1"].width, shown)


def _narrow(width: int, height: int, focus: str) -> dict[str, Box]:
    return {
        "tabs": Box(0, 2, width, 1),
        focus: Box(0, 3, width, height - 6),
        "ticker": Box(0, height - 3, width, 1),
        "flash": Box(0, height - 2, width, 1),
    }


def _grid(area: Box, rows: tuple[tuple[str, ...], ...]) -> dict[str, Box]:
    """The named panes in rows of equal height and columns of equal width; what is left over goes to the first."""
    boxes: dict[str, Box] = {}
    for names, (y, height) in zip(rows, _shares(area.y, area.height, len(rows)), strict=True):
        for name, (x, width) in zip(names, _shares(area.x, area.width, len(names)), strict=True):
            boxes[name] = Box(x, y, width, height)
    return boxes


def _shares(start: int, total: int, parts: int) -> list[tuple[int, int]]:
    size, spare = divmod(total, parts)
    shares: list[tuple[int, int]] = []
    for part in range(parts):
        share = size + (part < spare)
        shares.append((start, share))
        start += share
    return shares
