"""The holds in force: what each covers, whose it is, and when it ends."""

from __future__ import annotations

from collections.abc import Iterable

from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Made, Row, Table
from opsconsole.text import clean
from opsconsole.views.holding import whose
from opsconsole.views.picture import Picture
from opsconsole.views.words import age, counted, until
from opsgate.evaluate import rank
from opsgate.hold import Hold

COLUMNS = (
    Column("HOLD", 8, 12, rank=0),
    Column("SCOPE", 14, 40, rank=1),
    Column("SOURCE", 9, 9, rank=3),
    Column("MODE", 5, 5, rank=5),
    Column("BY", 5, 14, rank=2),
    Column("AGE", 4, 4, rank=4, right=True),
    Column("ENDS", 7, 9, rank=6),
    Column("WHY", 8, 60, rank=7),
)
WIDE = (
    Column("ADMITS", 6, 6, rank=8, right=True),
    Column("OWNER", 8, 20, rank=9),
    Column("REV", 5, 9, rank=10, right=True),
)


def holds(picture: Picture, among: Iterable[Hold] | None = None, *, wide: bool = False) -> Table:
    """The table of holds (of those `among`), in the documented order: the widest and gravest first."""
    shown = sorted(picture.state.holds.values() if among is None else among, key=_gravest_first)
    named = {hold.hold_id: hold for hold in shown}
    return Table(
        columns=COLUMNS + WIDE if wide else COLUMNS,
        rows=Made(list(named), lambda hold_id: _row(picture, named[hold_id], wide=wide)),
        alarm=f"*{len(shown)}" if shown else "",
        note=counted(len(shown), "hold"),
        empty="nothing is held",
    )


def _gravest_first(hold: Hold) -> tuple[object, ...]:
    return (*rank(hold), hold.hold_id)


def _row(picture: Picture, hold: Hold, *, wide: bool) -> Row:
    cells = [
        Cell(clean(hold.hold_id, 30)),
        Cell(clean(str(hold.selector), 120), Style.STRONG),
        Cell(clean(hold.source, 20), Style.BAD if hold.source == "emergency" else Style.PLAIN),
        Cell(hold.mode),
        Cell(whose(picture, hold)),
        Cell(age(hold.placed_at, picture.now)),
        Cell(until(hold.expires_at, picture.now)),
        Cell(clean(hold.reason, 120)),
    ]
    if wide:
        cells += [Cell(f"{hold.admit:.0%}"), Cell(clean(hold.owner, 40)), Cell(str(hold.revision))]
    return Row(hold.hold_id, tuple(cells))
