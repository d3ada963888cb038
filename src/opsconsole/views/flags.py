"""The flags: whether each operation may run, and if not, whose hold says so."""

from __future__ import annotations

from core.state import flag_name
from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.views.holding import since, whose, why
from opsconsole.views.last_known import runs
from opsconsole.views.picture import Picture
from opsconsole.views.words import age, counted
from opsgate.hold import Hold

COLUMNS = (
    Column("FLAG", 25, 28, rank=0),
    Column("STATE", 5, 5, rank=1),
    Column("BY", 5, 12, rank=3),
    Column("AGE", 4, 4, rank=2, right=True),
    Column("WHY", 12, 80, rank=4),
)


def flags(picture: Picture) -> Table:
    """The table of flags, those that are off first."""
    rows = [_row(picture, operation) for operation in picture.facts.names.of("operation")]
    off = sum(row.cells[1].text in {"off", "held"} for row in rows)
    rows.sort(key=lambda row: (row.cells[1].text not in {"off", "held"}, row.cells[0].text))
    return Table(
        columns=COLUMNS,
        rows=Listed(rows),
        alarm=f"*{off}" if off else "",
        note=counted(len(rows), "flag"),
        empty="no operation is registered",
    )


def _row(picture: Picture, operation: str) -> Row:
    holds = [
        hold for hold in picture.facts.holds.by_name.get(("operation", operation), ()) if len(hold.selector.items) == 1
    ]
    state, hold = _standing(picture, holds)
    return Row(
        operation,
        (
            Cell(clean(flag_name(operation), 64), Style.STRONG if holds else Style.PLAIN),
            state,
            Cell(_by(picture, hold) if hold else "-"),
            Cell(age(since(picture, hold), picture.now) if hold else "-"),
            Cell(why(hold) if hold and holds else ""),
        ),
    )


def _standing(picture: Picture, holds: list[Hold]) -> tuple[Cell, Hold | None]:
    """``off`` by its own switch, ``held`` by somebody else's hold, ``stop*`` by a hold on everything, else ``on``."""
    switch = next((hold for hold in holds if hold.source == "flag"), None)
    if switch is not None:
        return Cell("off", Style.STOPPED), switch
    if holds:
        return Cell("held", Style.STOPPED), holds[0]
    if picture.facts.holds.everywhere:
        return Cell("stop*", Style.WARN), picture.facts.holds.everywhere[0]
    return runs(picture, "on"), None


def _by(picture: Picture, hold: Hold) -> str:
    """Who holds it. A switch that is off is its own source, and the journal knows who turned it."""
    return "switch" if hold.source == "flag" else whose(picture, hold)
