"""The emergencies in force, and below each its stops with who has and who has not acknowledged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.services import MISSING_PREFIX, ServiceStep
from core.state import Emergency
from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean, width
from opsconsole.views.course import phase_of
from opsconsole.views.holding import opened
from opsconsole.views.picture import Picture, Progress
from opsconsole.views.verdict import Verdict, together
from opsconsole.views.words import age, ago, counted, listed, scope

SCOPE_CELLS = (14, 19, 64)
"""The scope's column, which the names of workers share: its least, the most that it claims, the most that it takes. It
claims no more than leaves room for the age and the owner in a pane of 120 columns."""

NAMED_MAX = 20
"""Missing workers that get a line each; how many there are in all is in the counts."""

ENDED_SHOWN = 3

UNREACHABLE = "not stoppable while cut off"


def emergencies(picture: Picture) -> Table:
    """The table of emergencies: active ones with everything, then the last few that were recovered."""
    active = picture.state.active_emergencies()
    rows = [row for emergency in active for row in _rows(picture, emergency)]
    rows += [_ended(picture, emergency) for emergency in ended(picture)]
    return Table(
        columns=_columns(rows),
        rows=Listed(rows),
        alarm=f"!{len(active)}" if active else "",
        empty="no emergency: ! then S stops everything",
    )


def ended(picture: Picture) -> Sequence[Emergency]:
    """The last few that were recovered, the latest first."""
    over = [each for each in picture.state.emergencies.values() if each.ended_at is not None]
    over.sort(key=lambda each: each.ended_at or each.opened_at, reverse=True)
    return over[:ENDED_SHOWN]


def unreachable(picture: Picture, worker: str) -> str:
    """Why an order does not reach a worker now; empty where nothing is known to be in its way."""
    if worker in picture.facts.lost:
        row = picture.facts.workers.get(worker)
        heard = f"last heard {ago(row.heartbeat_at, picture.now)}" if row else "never heard"
        return f"{heard}, {UNREACHABLE}"
    if worker in picture.facts.cut_off:
        return f"its gate is cut off, {UNREACHABLE}"
    return ""


def never(picture: Picture, emergency: Emergency) -> tuple[str, ...]:
    """Who had not acknowledged its stops when it was recovered, and may run on for all that is recorded; a service
    that nobody saw stopped is ``service:NAME``."""
    stops = (picture.state.stops.get(stop_id) for stop_id in emergency.stop_ids)
    return tuple(dict.fromkeys(worker for stop in stops if stop for worker in stop.missing))


def _columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    least, claim, most = SCOPE_CELLS
    longest = max((width(row.cells[4].text) for row in rows), default=least)
    return (
        Column("ID", 6, 10, rank=0),
        Column("RESULT", 11, 12, rank=1),
        Column("ACKS", 5, 9, rank=5, right=True),
        Column("AGE", 4, 4, rank=4, right=True),
        Column("SCOPE, WORKERS", max(least, min(longest, claim)), max(least, min(longest, most)), rank=2),
        Column("OWNER", 7, 14, rank=3),
        Column("LEVEL", 9, 16, rank=8),
        Column("BY", 5, 20, rank=7),
        Column("WHY", 12, 60, rank=6),
    )


def _rows(picture: Picture, emergency: Emergency) -> Iterator[Row]:
    stops = [each for each in picture.facts.progress if each.stop.emergency_id == emergency.emergency_id]
    verdict = together(stops, picture.now)
    yield Row(
        emergency.emergency_id,
        (
            Cell(clean(emergency.emergency_id, 20), Style.STRONG),
            _result(emergency, verdict),
            Cell(verdict.seen if verdict else "-"),
            Cell(age(opened(picture, emergency), picture.now)),
            Cell(scope(emergency.selectors)),
            owner(emergency),
            Cell(emergency.level),
            Cell(clean(emergency.opened_by, 30)),
            _why(emergency),
        ),
    )
    for each in stops:
        yield from _running(picture, each)
        yield from _missing(picture, each)


def _result(emergency: Emergency, verdict: Verdict | None) -> Cell:
    """How far its recovery has come, where there is one; else what its stops have come to."""
    recovery = emergency.recovery
    if recovery is not None and recovery.is_active:
        word, style = {
            "running": ("RECOV", Style.WARN),
            "held": ("HELD", Style.WARN),
            "rolling-back": ("TURNS BACK", Style.BAD),
        }[recovery.status]
        return Cell(word if recovery.status == "rolling-back" else f"{word} {phase_of(recovery)}", style)
    return Cell(verdict.word, verdict.style) if verdict else Cell("-")


def owner(emergency: Emergency) -> Cell:
    """Whose it is; who knows of it where it is nobody's; that nobody has said so where nobody has."""
    if emergency.owner:
        return Cell(clean(emergency.owner, 30), Style.GOOD)
    if emergency.acked_by:
        return Cell(f"acked {clean(emergency.acked_by, 30)}", Style.WARN)
    return Cell("UNACKED", Style.BAD)


def _why(emergency: Emergency) -> Cell:
    """That a person is needed; else the trigger with the value that fired it; else the reason."""
    if emergency.attention:
        return Cell(clean(emergency.attention, 120), Style.BAD)
    if emergency.trigger:
        return Cell(f"{clean(emergency.trigger, 40)}: {clean(emergency.cause, 80)}".rstrip(": "), Style.STRONG)
    return Cell(clean(emergency.reason or "no reason given yet", 120))


def _running(picture: Picture, progress: Progress) -> Iterator[Row]:
    """A line for each service that nobody has seen stopped: how it stands, and what was tried last."""
    stop = progress.stop
    steps = [step for step in stop.services if not step.has_stopped]
    for step in steps[:NAMED_MAX]:
        cells = (
            "",
            service_standing(progress, step),
            "",
            age(stop.ordered_at, picture.now),
            Cell(f"service {clean(step.service, 128)}", Style.STRONG),
            "",
            "",
            "",
            Cell(tried(step), Style.DIM),
        )
        yield Row(f"{stop.stop_id}/{MISSING_PREFIX}{step.service}", _as_cells(cells))
    if (more := len(steps) - NAMED_MAX) > 0:
        yield _more(f"{stop.stop_id}/{MISSING_PREFIX}", counted(more, "service"))


def service_standing(progress: Progress, step: ServiceStep) -> Cell:
    """How a service on the list stands: one that is seen to run after its time is up is not stopped, in capitals."""
    if step.has_stopped:
        return Cell("stopped", Style.GOOD)
    word = "unknown" if step.standing == "unknown" else clean(step.standing, 20)
    if progress.stop.result == "pending":
        return Cell(word, Style.WARN)
    return Cell("NOT SEEN" if step.standing == "unknown" else "NOT STOPPED", Style.BAD)


def tried(step: ServiceStep) -> str:
    """What drivers were asked for last, and what came of it."""
    if not step.actions:
        return f"tier {step.tier}, nothing tried yet"
    last = step.actions[-1]
    detail = f": {clean(last.detail, 80)}" if last.detail else ""
    return f"tier {step.tier}, {last.action} {last.outcome} after {last.took_s:.1f}s{detail}"


def _as_cells(cells: Sequence[Cell | str]) -> tuple[Cell, ...]:
    return tuple(each if isinstance(each, Cell) else Cell(each) for each in cells)


def _more(key: str, many: str) -> Row:
    return Row(key, _as_cells(("", "and", "", "", f"{many} more", "", "", "", "")))


def _missing(picture: Picture, progress: Progress) -> Iterator[Row]:
    """A line for each worker that a stop still waits for: since when it owes its word, and what is known of it."""
    stop = progress.stop
    for worker in progress.missing[:NAMED_MAX]:
        yield Row(
            f"{stop.stop_id}/{worker}",
            (
                Cell(""),
                standing(picture, progress, worker),
                Cell(""),
                Cell(age(stop.ordered_at, picture.now)),
                Cell(clean(worker, 128), Style.STRONG),
                Cell(""),
                Cell(""),
                Cell(""),
                Cell(_known(picture, progress, worker), Style.DIM),
            ),
        )
    if (more := len(progress.missing) - NAMED_MAX) > 0:
        yield _more(f"{stop.stop_id}/", counted(more, "worker"))


def standing(picture: Picture, progress: Progress, worker: str) -> Cell:
    """What a worker on the list that has not acknowledged is called: it is missing only when time is up."""
    if worker in picture.facts.lost:
        return Cell("LOST", Style.BAD)
    if worker in picture.facts.cut_off:
        return Cell("CUT OFF", Style.BAD)
    pending = progress.stop.result == "pending"
    return Cell("waiting for", Style.WARN) if pending else Cell("MISSING", Style.BAD)


def _known(picture: Picture, progress: Progress, worker: str) -> str:
    """What is known of a worker that owes its word."""
    if said := unreachable(picture, worker):
        return said
    row = picture.facts.workers.get(worker)
    if row is None:
        return "nothing is known of it"
    seen = progress.stop.stop_id in row.stops
    busy = row.draining.get(progress.stop.stop_id, 0) if seen else row.in_flight
    return f"{busy} in flight{'' if seen else ', has not seen it'}"


def _ended(picture: Picture, emergency: Emergency) -> Row:
    dim = Style.DIM
    absent = never(picture, emergency)
    said = clean(emergency.reason, 120)
    said = f"never acknowledged: {listed(absent)}; {said}" if absent else said
    return Row(
        emergency.emergency_id,
        (
            Cell(clean(emergency.emergency_id, 20), dim),
            Cell("recovered", dim),
            Cell(f"{len(absent)} never", Style.WARN) if absent else Cell("-", dim),
            Cell(age(emergency.ended_at or emergency.opened_at, picture.now), dim),
            Cell(scope(emergency.selectors), dim),
            Cell(clean(emergency.owner, 30), dim),
            Cell(emergency.level, dim),
            Cell(clean(emergency.ended_by, 30), dim),
            Cell(said, Style.WARN if absent else dim),
        ),
    )
