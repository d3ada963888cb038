"""The workers: who is there, what each works on, and whether it has acknowledged what it was told.

Behind them, clients that ask a server for their flags: of those nobody knows more than what they say they found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Made, Row, Table
from opsconsole.text import clean
from opsconsole.views.last_known import runs
from opsconsole.views.picture import Picture
from opsconsole.views.words import age, counted

if TYPE_CHECKING:
    from core.ports import AskingClient, WorkerRow
    from core.state import Stop

COLUMNS = (
    Column("WORKER", 10, 24, rank=0),
    Column("STATE", 7, 7, rank=1),
    Column("ACKS", 4, 7, rank=2, right=True),
    Column("IN-FLIGHT", 9, 9, rank=4, right=True),
    Column("HEARD", 5, 5, rank=3, right=True),
    Column("PID", 7, 7, rank=6, right=True),
    Column("SCOPE", 12, 60, rank=5),
)
WIDE = (
    Column("ENV", 3, 10, rank=7),
    Column("SINCE", 5, 5, rank=8, right=True),
    Column("REV", 5, 9, rank=9, right=True),
)
LOST, MISSING, MISSED, WAITED_FOR, LIVE, LEFT = range(6)
"""The order of severity. Missed: the stop that it never acknowledged was recovered all the same."""


def workers(picture: Picture, among: Iterable[str] | None = None, *, wide: bool = False) -> Table:
    """The table of workers (of those `among`), lost ones and those without acknowledgement first."""
    seen, known = picture.facts.workers, picture.state.workers
    names = set(known).union(seen) if among is None else set(among)
    acks, missed = _acks(picture), never_acknowledged(picture)
    standings = sorted((_severity(picture, name, acks.get(name), missed), name) for name in names)
    severities = {name: severity for severity, name in standings}
    bad = sum(severity in {LOST, MISSING} for severity, _name in standings)
    clients = picture.facts.clients if among is None else {}

    def row(name: str) -> Row:
        if name in clients:
            return _client(picture, name, clients[name], wide=wide)
        return _row(picture, name, severities[name], acks.get(name), wide=wide)

    return Table(
        columns=COLUMNS + WIDE if wide else COLUMNS,
        rows=Made([*severities, *sorted(clients)], row),
        alarm=f"!{bad}" if bad else f"*{len(missed)}" if missed else "",
        note=" and ".join([counted(len(standings), "worker"), *([counted(len(clients), "client")] if clients else ())]),
        empty="no worker is registered" if among is None else "no worker",
    )


def without_acknowledgement(picture: Picture) -> tuple[str, ...]:
    """The workers that a stop in force waits for, or has waited for in vain."""
    return tuple(dict.fromkeys(worker for each in picture.facts.progress for worker in each.missing))


def never_acknowledged(picture: Picture) -> Mapping[str, str]:
    """Worker → the recovered emergency whose stop it never acknowledged, so that nobody knows whether it can stop.

    A stop that it has acknowledged since, or a new beginning, says that it can.
    """
    latest: dict[str, Stop] = {}
    stopped: dict[str, datetime] = {}
    for stop in sorted(picture.state.stops.values(), key=lambda stop: stop.ordered_at):
        for worker in stop.missing:
            latest[worker] = stop
        for worker in stop.acked:
            stopped[worker] = stop.ordered_at
    rows, ended = picture.facts.workers, picture.state.emergencies
    return {
        worker: stop.emergency_id
        for worker, stop in latest.items()
        if ended[stop.emergency_id].ended_at is not None
        and worker in picture.state.workers
        and stopped.get(worker, stop.ordered_at) <= stop.ordered_at
        and (row := rows.get(worker)) is not None
        and row.state != "left"
        and row.registered_at <= stop.ordered_at
    }


def scope_of(row: WorkerRow) -> str:
    """What a worker said that it works on; ``everything`` where it said nothing."""
    parts = [f"{dimension}={','.join(names)}" for dimension, names in sorted(row.scope.items()) if names]
    return clean(" ".join(parts), 120) or "everything"


class _Acks(NamedTuple):
    """Of the stops in force that list a worker: how many it acknowledged, and whether one of the others still waits."""

    acked: int = 0
    of: int = 0
    pending: bool = False

    def cell(self) -> Cell:
        return Cell(f"{self.acked}/{self.of}{'' if self.acked == self.of else '!'}")


def _acks(picture: Picture) -> dict[str, _Acks]:
    found: dict[str, _Acks] = {}
    for each in picture.facts.progress:
        pending = each.stop.result == "pending"
        for name in each.stop.of:
            before, acked = found.get(name, _Acks()), name in each.acked
            waits = before.pending or (pending and not acked)
            found[name] = _Acks(before.acked + acked, before.of + 1, waits)
    return found


def _severity(picture: Picture, name: str, acks: _Acks | None, missed: Mapping[str, str]) -> int:
    known = picture.state.workers.get(name)
    if known is not None and known.lost_at is not None:
        return LOST
    if acks is not None and acks.acked < acks.of:
        return WAITED_FOR if acks.pending else MISSING
    if name in missed:
        return MISSED
    row = picture.facts.workers.get(name)
    return LEFT if row is not None and row.state == "left" else LIVE


def _row(picture: Picture, name: str, severity: int, acks: _Acks | None, *, wide: bool) -> Row:
    row = picture.facts.workers.get(name)
    words = {
        LOST: Cell("LOST", Style.BAD),
        MISSING: Cell("MISSING", Style.BAD),
        MISSED: Cell("MISSED", Style.WARN),
        WAITED_FOR: Cell("waited", Style.WARN),
        LIVE: runs(picture, "live"),
        LEFT: Cell("left", Style.DIM),
    }
    cells = [
        Cell(clean(name, 64), Style.STRONG if severity in {LOST, MISSING} else Style.PLAIN),
        words[severity],
        acks.cell() if acks else Cell("-"),
        Cell(str(row.in_flight) if row else "?"),
        Cell(age(row.heartbeat_at, picture.now) if row else "?"),
        Cell(str(row.pid) if row else "?"),
        Cell(scope_of(row) if row else "?"),
    ]
    if wide:
        cells += [
            Cell(clean(row.env, 20) or "-" if row else "?"),
            Cell(age(row.registered_at, picture.now) if row else "?"),
            Cell(str(row.revision) if row else "?"),
        ]
    return Row(name, tuple(cells))


def _client(picture: Picture, name: str, client: AskingClient, *, wide: bool) -> Row:
    found = f"asks: found on {client.found_on}, off {client.found_off}"
    nothing = Cell("-")
    cells = [
        Cell(clean(name, 64)),
        Cell("client", Style.DIM),
        nothing,
        nothing,
        Cell(age(client.heard_at, picture.now)),
        nothing,
        Cell(found),
    ]
    return Row(name, tuple(cells + [nothing] * len(WIDE) if wide else cells))
