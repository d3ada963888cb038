"""The journal as a list: what happened, newest first, as far back as it was read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.views.events import sentence
from opsconsole.views.words import counted

if TYPE_CHECKING:
    from core.messages import Recorded

COLUMNS = (
    Column("TIME (UTC)", 14, 14, rank=0),
    Column("WHO", 6, 10, rank=2),
    Column("WHAT", 20, 160, rank=1),
    Column("REV", 5, 6, rank=3, right=True),
)
WIDE = (Column("DOOR", 7, 8, rank=4), Column("EVENT", 12, 20, rank=5), Column("BELONGS TO", 10, 36, rank=6))


class Read(NamedTuple):
    """What has been read of the journal: `events`, oldest first, and in words what is older."""

    events: Sequence[Recorded] = ()
    older: str = ""


def audit(read: Read, *, wide: bool = False) -> Table:
    """The table of what was read, newest first."""
    shown = Listed(row_of(recorded, wide=wide) for recorded in reversed(read.events))
    note = "  ".join(filter(None, (counted(len(shown), "event"), read.older)))
    return Table(columns=COLUMNS + WIDE if wide else COLUMNS, rows=shown, note=note, empty="no event was read yet")


def row_of(recorded: Recorded, *, wide: bool = False) -> Row:
    """One event. Its revision is its key."""
    said, style = sentence(recorded)
    header = recorded.header
    cells = [
        Cell(f"{header.at:%m-%d %H:%M:%S}"),
        Cell(clean(header.actor.name, 40)),
        Cell(said, style),
        Cell(str(recorded.revision)),
    ]
    if wide:
        cells += [Cell(header.door), Cell(recorded.event.kind), Cell(clean(header.correlation_id, 40))]
    return Row(str(recorded.revision), tuple(cells))
