"""The use of a limit, tenth by tenth of its window."""

from __future__ import annotations

from datetime import timedelta

from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.views.picture import Picture
from opsconsole.views.words import clock, window

USE = (
    Column("UNTIL", 8, 8, rank=0),
    Column("USED", 6, 8, rank=1, right=True),
    Column("SHARE", 6, 6, rank=3, right=True),
    Column("", 12, 60, rank=2),
)


def use_of(picture: Picture, name: str) -> Table:
    """The use of a limit by tenths of its window, the latest first."""
    limit, usage = picture.state.limits.get(name), picture.facts.usage.get(name)
    if limit is None or usage is None:
        return Table(columns=USE, rows=Listed(), empty="nobody has counted yet")
    tenth = timedelta(seconds=limit.window_s / max(1, len(usage.history)))
    peak = max(1, *usage.history, 1)
    rows = [
        Row(
            f"use/{at}",
            (
                Cell(clock(picture.now - at * tenth) if at else "now"),
                Cell(str(units)),
                Cell(f"{units * 100 // limit.limit}%" if limit.limit else "STOP"),
                Cell("█" * (units * 40 // peak), Style.DIM),
            ),
        )
        for at, units in enumerate(reversed(usage.history))
    ]
    note = f"{usage.used} of {limit.limit} in the last {window(limit.window_s)}"
    return Table(columns=USE, rows=Listed(rows), note=note, empty="no use in this window")
