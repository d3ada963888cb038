"""What is inside a row: the holds and the workers of a site, the acknowledgements of an emergency, the use of a limit.

A row's key begins with what it is (``worker/w-01``), so that it can be entered, asked why and copied in its turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Table
from opsconsole.text import clean
from opsconsole.views.audit import Read, audit
from opsconsole.views.course import brief
from opsconsole.views.emergencies import never, owner, standing
from opsconsole.views.holding import way_back, whose
from opsconsole.views.last_known import runs
from opsconsole.views.log import about
from opsconsole.views.picture import Picture, Progress
from opsconsole.views.services import inside_service
from opsconsole.views.site import site_row
from opsconsole.views.subject import Subject
from opsconsole.views.timeline import of_stop
from opsconsole.views.triggers import inside_trigger
from opsconsole.views.use import use_of
from opsconsole.views.verdict import together
from opsconsole.views.words import age, ago, clock, scope, spread
from opsconsole.views.workers import scope_of, without_acknowledgement, workers
from opsgate.evaluate import rank
from opsgate.hold import Hold
from opsgate.selector import Selector

if TYPE_CHECKING:
    from core.ports import WorkerRow
    from core.state import Emergency


COLUMNS = (
    Column("WHAT", 9, 9, rank=2),
    Column("NAME", 12, 24, rank=0),
    Column("STATE", 8, 11, rank=1),
    Column("AGE", 4, 4, rank=3, right=True),
    Column("MORE", 16, 90, rank=4),
)
EMPTY = {
    "site": "nothing holds it, and no worker is known to work on it",
    "worker": "nothing was ever heard of it here",
    "emergency": "no stop of it is in force: l shows what happened",
    "hold": "it is not in force any more: l shows what happened",
    "service": "it is not registered any more: l shows what happened",
    "trigger": "there is no such trigger any more: l shows what happened",
}


def inside(picture: Picture, subject: Subject, read: Read, *, wide: bool = False) -> Table:
    """The table of what is inside `subject`; of a log, the events that were `read` and are about it."""
    if subject.log:
        shown = Read(about(picture.state, subject.kind, subject.key, read.events), read.older)
        return audit(shown, wide=wide)
    match subject.kind:
        case "acks":
            return workers(picture, without_acknowledgement(picture), wide=wide)
        case "limit":
            return use_of(picture, subject.key)
        case "emergency":
            rows = list(_of_emergency(picture, subject.key))
        case "worker":
            rows = list(_of_worker(picture, subject.key))
        case "hold":
            rows = list(_of_hold(picture, subject.key))
        case "service":
            rows = list(inside_service(picture, subject.key))
        case "trigger":
            rows = list(inside_trigger(picture, subject.key))
        case _:
            rows = list(_of_name(picture, subject.kind, subject.key))
    return Table(columns=COLUMNS, rows=Listed(rows), empty=EMPTY.get(subject.kind, "nothing holds it"))


def _of_name(picture: Picture, dimension: str, name: str) -> Iterator[Row]:
    """What holds a name, the operations that are held, and the workers that declared it."""
    wanted = Selector.recorded(dimension, name)
    holds = picture.state.holds_touching((wanted,))
    here = [hold for hold in holds if hold.is_global or hold.selector.get(dimension) == name]
    yield from (_hold(picture, hold) for hold in sorted(here, key=rank))
    if dimension != "site":
        return
    elsewhere = [hold for hold in holds if hold not in here]
    for hold in sorted(elsewhere, key=rank):
        yield _hold(picture, hold, f"of {clean(str(hold.selector), 60)}: ")
    rows = (*picture.facts.serving.get(name, ()), *picture.facts.serving.get("", ()))
    yield from (_worker(picture, row) for row in sorted(rows, key=lambda row: row.worker_id))


def _of_worker(picture: Picture, name: str) -> Iterator[Row]:
    row = picture.facts.workers.get(name)
    if row is not None:
        yield _worker(picture, row)
        yield _fact("works on", "scope", scope_of(row))
        since = age(row.registered_at, picture.now)
        said = f"pid {row.pid}, has seen revision {row.revision}"
        yield Row("fact/since", (Cell("began"), Cell(clock(row.registered_at)), Cell(""), Cell(since), Cell(said)))
    for each in picture.facts.progress:
        if name in each.listed:
            yield _stop(picture, each, name)
    for site in row.scope.get("site", ()) if row else ():
        holds = picture.facts.holds.by_name.get(("site", site), ())
        named, state, reason, _by, held_for, *_ = site_row(picture, site, holds).cells
        yield Row(f"site/{site}", (Cell("site"), named, state, held_for, reason))


def _of_hold(picture: Picture, hold_id: str) -> Iterator[Row]:
    """What it covers and when it ends, the stop that placed it, and for each worker it concerns whether it obeys."""
    hold = picture.state.holds.get(hold_id)
    if hold is None:
        return
    yield _hold(picture, hold)
    admits = f", lets {hold.admit:.0%} through" if hold.admit else ""
    yield _fact("covers", "scope", f"{clean(str(hold.selector), 120)}{admits}")
    ends = f"by itself at {clock(hold.expires_at)} UTC" if hold.expires_at else "not by itself"
    yield _fact("ends", "ends", f"{ends}; {way_back(hold)}")
    for each in picture.facts.progress:
        if hold_id in each.stop.hold_ids:
            yield _stop(picture, each)
    site = hold.selector.get("site")
    serving = picture.facts.serving
    rows = (
        (*serving.get(site, ()), *serving.get("", ()))
        if site
        else (row for row in picture.facts.workers.values() if row.state != "left")
    )
    for row in sorted(rows, key=lambda row: (row.revision >= hold.revision, row.worker_id)):
        seen = "has seen it" if row.revision >= hold.revision else f"has NOT seen it, only revision {row.revision}"
        yield _worker(picture, row, seen)


def _of_emergency(picture: Picture, emergency_id: str) -> Iterator[Row]:
    """Its stops; below each the workers on its list, those first that have not acknowledged. Of one that was recovered
    those who never did."""
    emergency = picture.state.emergencies.get(emergency_id)
    if emergency is not None:
        yield from _case(picture, emergency)
    if emergency is not None and emergency.ended_at is not None:
        yield from (_never(picture, name) for name in never(picture, emergency))
        stops = (picture.state.stops.get(stop_id) for stop_id in emergency.stop_ids)
        yield from (row for stop in stops if stop for row in of_stop(picture, stop))
    for each in picture.facts.progress:
        if each.stop.emergency_id != emergency_id:
            continue
        yield _stop(picture, each)
        yield from of_stop(picture, each.stop)
        for name in each.missing:
            yield _listed(picture, each, name, standing(picture, each, name))
        for name in sorted(each.listed - set(each.missing)):
            yield _listed(picture, each, name, Cell("stopped", Style.GOOD))


def _case(picture: Picture, emergency: Emergency) -> Iterator[Row]:
    """What fired it, whose it is, and how far its recovery has come."""
    if emergency.trigger:
        yield _fact("fired by", "trigger", clean(f"{emergency.trigger}: {emergency.cause}", 200))
    if emergency.attention:
        yield _fact("ATTENTION", "attention", clean(emergency.attention, 300))
    if emergency.ended_at is None:
        known = f", acknowledged {ago(emergency.acked_at, picture.now)}" if emergency.acked_at else ""
        yield _fact("owner", "owner", f"{owner(emergency).text}{known}")
    if emergency.recovery is not None:
        recovery = emergency.recovery
        why = f": {recovery.why}" if recovery.why else ""
        said = f"{recovery.recovery_id} {brief(picture, recovery)}, by {recovery.procedure}{why}"
        yield _fact("recovery", "recovery", clean(said, 300))


def _hold(picture: Picture, hold: Hold, before: str = "") -> Row:
    said = f"{before}{hold.source} {whose(picture, hold)}: {hold.reason or 'no reason given'}"
    cells = (
        Cell("hold"),
        Cell(clean(hold.hold_id, 40)),
        Cell(hold.mode, Style.STOPPED if not before else Style.WARN),
        Cell(age(hold.placed_at, picture.now)),
        Cell(clean(said, 200)),
    )
    return Row(f"hold/{hold.hold_id}", cells)


def _fact(word: str, key: str, said: str) -> Row:
    return Row(f"fact/{key}", (Cell(word), Cell(""), Cell(""), Cell(""), Cell(said)))


def _worker(picture: Picture, row: WorkerRow, more: str = "") -> Row:
    lost, left = row.worker_id in picture.facts.lost, row.state == "left"
    state = Cell("LOST", Style.BAD) if lost else Cell("left", Style.DIM) if left else runs(picture, "live")
    owing = [each.stop.stop_id for each in picture.facts.progress if row.worker_id in each.missing]
    said = f"{row.in_flight} in flight{', no acknowledgement' if owing else ''}{f', {more}' if more else ''}"
    cells = (
        Cell("worker"),
        Cell(clean(row.worker_id, 128)),
        state,
        Cell(age(row.heartbeat_at, picture.now)),
        Cell(said),
    )
    return Row(f"worker/{row.worker_id}", cells)


def _stop(picture: Picture, each: Progress, worker: str = "") -> Row:
    verdict = together((each,), picture.now)
    word = Cell(verdict.word, verdict.style) if verdict else Cell("-")
    if worker:
        word = Cell("stopped", Style.GOOD) if worker not in each.missing else standing(picture, each, worker)
    said = f"{each.stop.level} of {scope(each.stop.selectors)}, {len(each.acked)}/{len(each.stop.of)} acknowledged"
    said += f": {spread(each.stop.ack_times)}" if each.stop.ack_times else ""
    ordered = age(each.stop.ordered_at, picture.now)
    cells = (Cell("stop"), Cell(clean(each.stop.stop_id, 40)), word, Cell(ordered), Cell(clean(said, 200)))
    return Row(f"stop/{each.stop.stop_id}", cells)


def _listed(picture: Picture, each: Progress, name: str, state: Cell) -> Row:
    row = picture.facts.workers.get(name)
    heard = age(row.heartbeat_at, picture.now) if row else "?"
    said = f"{row.in_flight} in flight, pid {row.pid}" if row else "nothing was heard of it here"
    key = f"worker/{name}/{each.stop.stop_id}"
    return Row(key, (Cell("worker"), Cell(clean(name, 128)), state, Cell(heard), Cell(said)))


def _never(picture: Picture, name: str) -> Row:
    row = picture.facts.workers.get(name)
    heard = age(row.heartbeat_at, picture.now) if row else "?"
    known = f"{row.in_flight} in flight, pid {row.pid}" if row else "nothing was heard of it here"
    said = f"never acknowledged; {known}"
    cells = (Cell("worker"), Cell(clean(name, 128)), Cell("MISSED", Style.WARN), Cell(heard), Cell(said))
    return Row(f"worker/{name}", cells)
