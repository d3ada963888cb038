"""The workflows: whether the switch of each is on, what holds it, and who changed it last."""

from __future__ import annotations

from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.views.holding import whose, why
from opsconsole.views.last_known import runs
from opsconsole.views.picture import Picture
from opsconsole.views.words import age, counted
from opsgate.hold import Hold
from opsgate.selector import Selector

COLUMNS = (
    Column("WORKFLOW", 20, 30, rank=0),
    Column("STATE", 5, 5, rank=1),
    Column("SWITCH", 6, 6, rank=2),
    Column("CHANGED", 7, 7, rank=3, right=True),
    Column("CHANGED BY", 10, 16, rank=4),
    Column("HELD BY", 7, 16, rank=5),
    Column("WHY", 8, 80, rank=6),
)


def workflows(picture: Picture) -> Table:
    """The table of workflows, those that may not run first."""
    rows = [_row(picture, name) for name in picture.facts.names.of("workflow")]
    rows.sort(key=lambda row: row.cells[1].style is not Style.STOPPED)
    off = sum(row.cells[1].style is Style.STOPPED for row in rows)
    return Table(
        columns=COLUMNS,
        rows=Listed(rows),
        alarm=f"*{off}" if off else "",
        note=counted(len(rows), "workflow"),
        empty="no workflow is registered",
    )


def _row(picture: Picture, name: str) -> Row:
    from core.capabilities.switches import is_switched_off

    entry = picture.state.names.get(("workflow", name))
    holds = picture.state.holds_on(Selector.recorded("workflow", name))
    state, hold = _standing(picture, holds)
    off = is_switched_off(picture.state, "workflow", Selector.recorded("workflow", name))
    return Row(
        name,
        (
            Cell(clean(name, 64), Style.STRONG if holds else Style.PLAIN),
            state,
            Cell("off", Style.WARN) if off else Cell("on"),
            Cell(age(entry.changed_at, picture.now) if entry else "-"),
            Cell(clean(entry.changed_by, 40) if entry else "-"),
            Cell("-" if hold is None else "switch" if hold.source == "workflow" else whose(picture, hold)),
            Cell(why(hold) if hold else ""),
        ),
    )


def _standing(picture: Picture, holds: tuple[Hold, ...]) -> tuple[Cell, Hold | None]:
    """``off`` by its own switch, ``held`` by somebody else's hold, ``stop*`` by a hold on everything, else ``runs``."""
    switch = next((hold for hold in holds if hold.source == "workflow"), None)
    if switch is not None:
        return Cell("off", Style.STOPPED), switch
    if holds:
        return Cell("held", Style.STOPPED), holds[0]
    if picture.facts.holds.everywhere:
        return Cell("stop*", Style.WARN), picture.facts.holds.everywhere[0]
    return runs(picture, "runs"), None
