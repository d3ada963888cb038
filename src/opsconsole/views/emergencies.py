"""The emergencies in force, and below each its stops with who has and who has not acknowledged."""

from __future__ import annotations

from collections.abc import Iterator

from core.state import Emergency
from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.views.picture import Picture, Progress
from opsconsole.views.verdict import together
from opsconsole.views.words import age, scope

COLUMNS = (
    Column("ID", 6, 10, rank=0),
    Column("RESULT", 11, 11, rank=1),
    Column("ACKS", 5, 9, rank=2, right=True),
    Column("AGE", 4, 4, rank=4, right=True),
    Column("SCOPE", 18, 30, rank=3),
    Column("BY", 5, 14, rank=5),
    Column("WHY", 6, 60, rank=6),
)

NAMED_MAX = 20
"""Missing workers that get a line each; how many there are in all is in the counts."""

ENDED_SHOWN = 3


def emergencies(picture: Picture) -> Table:
    """The table of emergencies: active ones with everything, then the last few that were recovered."""
    active = picture.state.active_emergencies()
    ended = [each for each in picture.state.emergencies.values() if each.ended_at is not None]
    ended.sort(key=lambda each: each.ended_at or each.opened_at, reverse=True)
    rows = [row for emergency in active for row in _rows(picture, emergency)]
    rows += [_ended(picture, emergency) for emergency in ended[:ENDED_SHOWN]]
    return Table(
        columns=COLUMNS,
        rows=Listed(rows),
        alarm=f"!{len(active)}" if active else "",
        empty="no emergency: ! then S stops everything",
    )


def _rows(picture: Picture, emergency: Emergency) -> Iterator[Row]:
    stops = [each for each in picture.facts.progress if each.stop.emergency_id == emergency.emergency_id]
    verdict = together(stops, picture.now)
    yield Row(
        emergency.emergency_id,
        (
            Cell(clean(emergency.emergency_id, 20), Style.STRONG),
            Cell(verdict.word, verdict.style) if verdict else Cell("-"),
            Cell(verdict.acks if verdict else "-"),
            Cell(age(emergency.opened_at, picture.now)),
            Cell(scope(emergency.selectors)),
            Cell(clean(emergency.opened_by, 30)),
            Cell(clean(emergency.reason or "no reason given yet", 120)),
        ),
    )
    for each in stops:
        yield from _missing(picture, each)


def _missing(picture: Picture, progress: Progress) -> Iterator[Row]:
    """A line for each worker that a stop still waits for, with what was last heard of it."""
    for worker in progress.missing[:NAMED_MAX]:
        row = picture.facts.workers.get(worker)
        busy = row.draining.get(progress.stop.stop_id, 0) if row else 0
        lost = worker in progress.lost
        yield Row(
            f"{progress.stop.stop_id}/{worker}",
            (
                Cell(""),
                _standing(progress, lost=lost),
                Cell(""),
                Cell(age(row.heartbeat_at, picture.now) if row else "-"),
                Cell(clean(worker, 64), Style.STRONG),
                Cell(""),
                Cell(f"{busy} still running" if busy else "no acknowledgement", Style.DIM),
            ),
        )


def _standing(progress: Progress, *, lost: bool) -> Cell:
    """What a worker on the list that has not acknowledged is called: it is missing only when time is up."""
    if lost:
        return Cell("LOST", Style.BAD)
    pending = progress.stop.result == "pending"
    return Cell("waiting for", Style.WARN) if pending else Cell("MISSING", Style.BAD)


def _ended(picture: Picture, emergency: Emergency) -> Row:
    dim = Style.DIM
    return Row(
        emergency.emergency_id,
        (
            Cell(clean(emergency.emergency_id, 20), dim),
            Cell("recovered", dim),
            Cell("-", dim),
            Cell(age(emergency.ended_at or emergency.opened_at, picture.now), dim),
            Cell(scope(emergency.selectors), dim),
            Cell(clean(emergency.ended_by, 30), dim),
            Cell(clean(emergency.reason, 120), dim),
        ),
    )
