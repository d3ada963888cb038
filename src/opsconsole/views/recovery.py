"""The way back: how far a recovery has come, or what one would need now: each stop and its verification, and what would
hold all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from core.state import Emergency, State, Stop
from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.views.course import ended_row, phase_of, rows_of, under_way
from opsconsole.views.holding import opened, way_back
from opsconsole.views.last_known import no_release
from opsconsole.views.picture import Picture
from opsconsole.views.words import ago, clock, listed, scope
from opsgate.evaluate import describe
from opsgate.hold import Hold
from opsgate.selector import EVERYTHING

if TYPE_CHECKING:
    from core.capabilities.recovery import Check

COLUMNS = (Column("", 5, 9, rank=0), Column("", 20, 200, rank=1))

VERDICTS = {"ok": Cell("[ok]", Style.GOOD), "warn": Cell("[!!]", Style.WARN), "fail": Cell("[XX]", Style.BAD)}
"""How the checks of a recovery are marked. A sign that fails refuses; one that warns is for the person to weigh."""

OTHERS_SHOWN = 5


def recovery(picture: Picture) -> Table:
    """The checklist. Empty when there is nothing to come back from."""
    active = picture.state.active_emergencies()
    rows = [row for emergency in active for row in _of_emergency(picture, emergency)]
    rows += [*_of_pause(picture), *_of_others(picture)]
    if rows and (in_the_way := no_release(picture)):
        rows.insert(0, Row("unknown", (VERDICTS["fail"], Cell(in_the_way, Style.BAD))))
    rows += [_overdue(hold) for hold in picture.state.holds.values() if hold.overdue]
    rows += _completed(picture)
    empty = "nothing to recover: no emergency and no global pause"
    return Table(columns=COLUMNS, rows=Listed(rows), alarm=_alarm(picture), empty=empty)


def _alarm(picture: Picture) -> str:
    """How many emergencies wait for a person, else how many recoveries turn back, else the phase of the one that goes
    on, or how many do."""
    if waiting := sum(bool(each.attention) for each in picture.state.active_emergencies()):
        return f"!{waiting}"
    going = under_way(picture)
    if back := sum(recovery.status == "rolling-back" for _, recovery in going):
        return f"!{back}"
    return f"*{len(going)}" if len(going) > 1 else phase_of(going[0][1]) if going else ""


def _completed(picture: Picture) -> list[Row]:
    """The last one that came to its end, while nothing else is the matter."""
    over = [each for each in picture.state.emergencies.values() if each.ended_at and each.recovery]
    if picture.state.active_emergencies() or not over:
        return []
    last = max(over, key=lambda each: (each.ended_at or each.opened_at, each.emergency_id))
    return [ended_row(picture, last, last.recovery)] if last.recovery else []


def checklist(picture: Picture, emergency: Emergency) -> Iterator[tuple[Cell, str]]:
    """What the engine would look at, as signs and words; a line without a sign goes on with the one above.

    The verdicts are the engine's. The words are by time and person, for nobody can follow the id of a stop.
    """
    from core.capabilities.recovery import recovery_checks, services_of

    state = as_seen(picture)
    checks = recovery_checks(state, emergency, picture.now)
    for stop_id, check in zip(emergency.stop_ids, checks, strict=False):
        yield from _of_stop(state.stops[stop_id], check)
    others = staying(picture, emergency)
    for check in checks[len(emergency.stop_ids) :]:
        if not others:
            when = "step by step" if services_of(picture.state, emergency) else "at once"
            yield VERDICTS[check.verdict], f"nothing else holds it: work starts {when}"
    for number, hold in enumerate(others[:OTHERS_SHOWN]):
        said = clean(describe(hold), 160)
        yield (Cell(""), f"and {said}") if number else (VERDICTS["warn"], f"stays held: {said}")
    if len(others) > OTHERS_SHOWN:
        yield Cell(""), f"and {len(others) - OTHERS_SHOWN} more holds"


def as_seen(picture: Picture) -> State:
    """The state with the acknowledgements of row 1: heartbeats tell of some before the journal does."""
    stops = picture.state.stops
    for each in picture.facts.progress:
        acked = tuple(worker for worker in each.stop.of if worker in each.acked)
        stops = stops.set(each.stop.stop_id, replace(each.stop, acked=acked))
    return picture.state._replace(stops=stops)


def staying(picture: Picture, emergency: Emergency | None) -> tuple[Hold, ...]:
    """What holds on when `emergency` is recovered; without one, when what operators paused for everybody is resumed."""
    if emergency is None:
        gone = {hold.hold_id for hold in resumable(picture)}
        return tuple(hold for hold in picture.state.holds.values() if hold.hold_id not in gone)
    own = {hold_id for stop_id in emergency.stop_ids for hold_id in picture.state.stops[stop_id].hold_ids}
    touching = picture.state.holds_touching(emergency.selectors)
    return tuple(hold for hold in touching if hold.hold_id not in own and hold.owner != emergency.emergency_id)


def resumable(picture: Picture) -> tuple[Hold, ...]:
    """The operators' holds on everything: what ``R`` releases where there is no emergency."""
    return tuple(hold for hold in picture.facts.holds.everywhere if hold.source == "operator")


def _of_emergency(picture: Picture, emergency: Emergency) -> Iterator[Row]:
    recovery = emergency.recovery
    if recovery is not None and recovery.is_active:
        yield from rows_of(picture, emergency, recovery)
        return
    name = clean(emergency.emergency_id, 20)
    what = "everything" if EVERYTHING in emergency.selectors else scope(emergency.selectors)
    checks = list(checklist(picture, emergency))
    fails = bool(no_release(picture)) or any(sign is VERDICTS["fail"] for sign, _ in checks)
    about = f"{picture.who.recovers(what)}, stopped {ago(opened(picture, emergency), picture.now)}"
    if fails:
        about = f"no recovery of {what} while [XX] stands"
    yield Row(emergency.emergency_id, (Cell(name, Style.STRONG), Cell(about)))
    if emergency.attention:
        yield Row(
            f"{emergency.emergency_id}#attention", (VERDICTS["fail"], Cell(clean(emergency.attention, 300), Style.BAD))
        )
    if recovery is not None:
        yield ended_row(picture, emergency, recovery)
    for number, (sign, words) in enumerate(checks):
        yield Row(f"{emergency.emergency_id}#{number}", (sign, Cell(words)))


def _of_stop(stop: Stop, check: Check) -> Iterator[tuple[Cell, str]]:
    acked = len(stop.listed) - len(stop.missing)
    came_to = {
        "verified": "verified",
        "pending": "still counting" if check.verdict == "fail" else "nobody counts",
    }.get(stop.result, stop.result.upper())
    by = clean(stop.ordered_by, 30)
    yield VERDICTS[check.verdict], f"stop by {by} at {clock(stop.ordered_at)}: {acked}/{len(stop.listed)}, {came_to}"
    if stop.missing:
        words = "waiting for" if check.verdict == "fail" else "not known to have stopped:"
        yield Cell(""), f"{words} {listed(stop.missing, 5)}"


def _of_pause(picture: Picture) -> list[Row]:
    holds = resumable(picture)
    if not holds:
        return []
    blocked = bool(picture.state.active_emergencies())
    does = "stays: recover the emergency first" if blocked else "R resumes everything"
    heading = Row("all", (Cell("PAUSE", Style.STRONG), Cell(does)))
    return [heading, *(Row(hold.hold_id, (Cell("  -"), Cell(clean(describe(hold), 200)))) for hold in holds)]


def _of_others(picture: Picture) -> list[Row]:
    """Holds on everything of other sources than these two: a person ends them by force."""
    others = [hold for hold in picture.facts.holds.everywhere if hold.source not in {"emergency", "operator"}]
    said = [f"{clean(describe(hold), 120)}: resume --all --force" for hold in others]
    return [Row(hold.hold_id, (VERDICTS["warn"], Cell(words))) for hold, words in zip(others, said, strict=True)]


def _overdue(hold: Hold) -> Row:
    said = f"{describe(hold)}; its end fell due while no keeper watched: {way_back(hold)}"
    return Row(f"overdue/{hold.hold_id}", (VERDICTS["warn"], Cell(clean(said, 200))))
