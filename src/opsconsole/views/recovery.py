"""What a recovery would need now: the checks of each emergency, and what a resume of everything would release."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.capabilities.recovery import Check, recovery_checks
from core.state import Emergency, State
from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.words import ago, scope, shortened
from opsgate.evaluate import describe
from opsgate.hold import Hold

COLUMNS = (Column("", 5, 8, rank=0), Column("", 20, 200, rank=1))

VERDICTS = {"ok": Cell("[ok]", Style.GOOD), "warn": Cell("[!!]", Style.WARN), "fail": Cell("[XX]", Style.BAD)}
"""How the checks of a recovery are marked. A sign that fails refuses; one that warns is for the person to weigh."""


def recovery(picture: Picture) -> Table:
    """The checklist. Empty when there is nothing to come back from."""
    rows = [row for emergency in picture.state.active_emergencies() for row in _of_emergency(picture, emergency)]
    rows += [*_of_pause(picture), *_of_others(picture)]
    rows += [_overdue(hold) for hold in picture.state.holds.values() if hold.overdue]
    return Table(columns=COLUMNS, rows=Listed(rows), empty="nothing to recover: no emergency and no global pause")


def check_cells(check: Check) -> tuple[Cell, Cell]:
    """One check as its sign and its words."""
    return VERDICTS[check.verdict], Cell(shortened(clean(check.detail, 200)))


def as_seen(picture: Picture) -> State:
    """The state with the acknowledgements of row 1: heartbeats tell of some before the journal does."""
    stops = picture.state.stops
    for each in picture.facts.progress:
        acked = tuple(worker for worker in each.stop.of if worker in each.acked)
        stops = stops.set(each.stop.stop_id, replace(each.stop, acked=acked))
    return picture.state._replace(stops=stops)


def resumable(picture: Picture) -> tuple[Hold, ...]:
    """The operators' holds on everything: what ``R`` releases where there is no emergency."""
    return tuple(hold for hold in picture.facts.holds.everywhere if hold.source == "operator")


def _of_emergency(picture: Picture, emergency: Emergency) -> Iterator[Row]:
    name = clean(emergency.emergency_id, 20)
    about = f"R recovers {scope(emergency.selectors)}, stopped {ago(emergency.opened_at, picture.now)}"
    yield Row(emergency.emergency_id, (Cell(name, Style.STRONG), Cell(about)))
    for number, check in enumerate(recovery_checks(as_seen(picture), emergency)):
        sign, words = check_cells(check)
        for line, part in enumerate(words.text.split("; ")):
            cells = Cell("") if line else sign, Cell(part)
            yield Row(f"{emergency.emergency_id}#{number}.{line}", cells)


def _of_pause(picture: Picture) -> list[Row]:
    holds = resumable(picture)
    if not holds:
        return []
    blocked = bool(picture.state.active_emergencies())
    does = "stays: recover the emergency first" if blocked else "R resumes all"
    heading = Row("all", (Cell("PAUSE", Style.STRONG), Cell(does)))
    return [heading, *(Row(hold.hold_id, (Cell("  -"), Cell(clean(describe(hold), 200)))) for hold in holds)]


def _of_others(picture: Picture) -> list[Row]:
    """Holds on everything of other sources than these two: a person ends them by force."""
    others = [hold for hold in picture.facts.holds.everywhere if hold.source not in {"emergency", "operator"}]
    said = [f"{clean(describe(hold), 120)}: resume --all --force" for hold in others]
    return [Row(hold.hold_id, (VERDICTS["warn"], Cell(words))) for hold, words in zip(others, said, strict=True)]


def _overdue(hold: Hold) -> Row:
    text = f"{hold.hold_id} on {hold.selector}: its end fell due while no keeper ran; a person has to release it"
    return Row(f"overdue/{hold.hold_id}", (VERDICTS["warn"], Cell(clean(text, 200))))
