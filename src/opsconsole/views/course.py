"""A recovery in steps as a person follows it: where it is, what it waits for, what comes next and when, at the
earliest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from opsconsole.lines import Style
from opsconsole.table import Cell, Row
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.samples import watched
from opsconsole.views.words import BUCKET_S, ago, bar, clock, duration, listed, scope, stopwatch

if TYPE_CHECKING:
    from core.recoveries import Recovery
    from core.state import Emergency

BAR_CELLS: Final = 22
GATES_NAMED: Final = 12
CHECKS_SHOWN: Final = 8

STATUS: Final = {
    "running": ("RECOVERING", Style.WARN),
    "held": ("HELD", Style.WARN),
    "rolling-back": ("TURNING BACK", Style.BAD),
    "completed": ("completed", Style.GOOD),
    "failed": ("FAILED", Style.BAD),
    "aborted": ("aborted", Style.WARN),
    "rolled-back": ("rolled back", Style.WARN),
}
"""How each status of a recovery is called, and how good that is."""


def under_way(picture: Picture) -> list[tuple[Emergency, Recovery]]:
    """The recoveries that go on, those of the oldest emergencies first."""
    found = ((each, each.recovery) for each in picture.state.active_emergencies())
    return [(emergency, recovery) for emergency, recovery in found if recovery is not None and recovery.is_active]


def phase_of(recovery: Recovery) -> str:
    """``3/5``: which of the five phases it is in."""
    from core.recoveries import PHASES

    return f"{PHASES.index(recovery.phase) + 1}/{len(PHASES)}"


def brief(picture: Picture, recovery: Recovery, *, short: bool = False) -> str:
    """``RECOVERING 3/5 gradual_restore 25%, next in 00:20``; in short without the phase's name and what is next.
    ``TURNING BACK 2/5 services stopped`` of one that restores no more: its phase is what it has left."""
    word = STATUS[recovery.status][0]
    if recovery.status == "rolling-back":
        return f"{word} {_stopped_again(picture, recovery)}{'' if short else ' services stopped'}"
    if short:
        return f"{word} {phase_of(recovery)} {recovery.admit:.0%}"
    said = f"{word} {phase_of(recovery)} {recovery.phase} {recovery.admit:.0%}"
    soon = countdown(picture, recovery)
    return f"{said}, next {soon}" if recovery.status == "running" and soon else said


def _stopped_again(picture: Picture, recovery: Recovery) -> str:
    """``2/5``: how many of the services that it may have started were seen stopped since it turned back."""
    from core.recovery_work import still_running

    left = still_running(picture.state, recovery)
    return f"{len(recovery.attempted) - len(left)}/{len(recovery.attempted)}"


def left_s(picture: Picture, recovery: Recovery) -> float:
    """Seconds until the present step can be over, if all is well from now on; whoever watches may take longer."""
    due = recovery.step_at + timedelta(seconds=recovery.present.wait_s)
    return max(0.0, (due - picture.now).total_seconds())


def countdown(picture: Picture, recovery: Recovery) -> str:
    """``in 00:18``, where nothing but time lies before what comes next; empty where something must be seen first."""
    from core.recovery_work import is_seen

    left, step = left_s(picture, recovery), recovery.present
    waits = step.kind == "start" and not all(
        is_seen(picture.state, recovery, each, "running") for each in step.services
    )
    return f"in {stopwatch(left)}" if left >= 1 and not waits else ""


def rows_of(picture: Picture, emergency: Emergency, recovery: Recovery) -> Iterator[Row]:
    """What the pane says of one, most important first."""
    said = list(_said(picture, emergency, recovery))
    for number, (word, answer) in enumerate(said):
        key = emergency.emergency_id if not number else f"{emergency.emergency_id}#r{number}"
        yield Row(key, (word, answer))


def ended_row(picture: Picture, emergency: Emergency, recovery: Recovery) -> Row:
    """One that is over, in a line."""
    word, style = STATUS[recovery.status]
    when = ago(recovery.ended_at or recovery.step_at, picture.now)
    why = f": {clean(recovery.why, 120)}" if recovery.why else ""
    said = f"{clean(recovery.recovery_id, 20)} {word} {when}, by {clean(recovery.procedure, 60)}{why}"
    return Row(f"{emergency.emergency_id}#over", (Cell("  last", Style.DIM), Cell(said, style)))


def _said(picture: Picture, emergency: Emergency, recovery: Recovery) -> Iterator[tuple[Cell, Cell]]:
    word, style = STATUS[recovery.status]
    what = f"{word} {scope(emergency.selectors)} by {clean(recovery.procedure, 60)}"
    by = "by itself" if recovery.automatic else f"by {clean(recovery.by, 30)}"
    begun = f"{clean(recovery.recovery_id, 20)} {by} {ago(recovery.started_at, picture.now)}"
    yield Cell(clean(emergency.emergency_id, 20), Style.STRONG), Cell(f"{what}, {begun}", style)
    if recovery.status == "rolling-back":
        yield from _turning_back(picture, recovery)
        return
    if recovery.status == "held" and recovery.why:
        yield _labelled("why"), Cell(clean(recovery.why, 200), Style.WARN)
    yield _labelled("phase"), Cell(_phase(recovery))
    yield _labelled("now"), Cell(_now(picture, recovery), Style.STRONG)
    yield from _waits(recovery)
    yield _labelled("next"), Cell(_next(picture, recovery))
    if recovery.status == "running":
        yield _labelled("over"), Cell(_over(picture, recovery))
    yield _labelled("ramp"), Cell(f"{bar(recovery.admit, BAR_CELLS)} {recovery.admit:.0%} of the work admitted")
    yield from _gates(picture, recovery)
    if line := watched(picture, emergency.trigger, emergency.account):
        yield _labelled("watched"), Cell(line)
    back = [name for name in recovery.services if _standing(picture, name) == "running"]
    if recovery.services:
        yield _labelled("back"), Cell(f"{len(back)}/{len(recovery.services)} services run {listed(back, 6)}".rstrip())
    if recovery.present.kind in {"check", "prepare"}:
        yield from _found([check for check in recovery.checks if check.startswith(("[ok]", "[!!]"))])
    yield _labelled("why"), Cell(clean(recovery.reason, 200), Style.DIM)


def _labelled(word: str) -> Cell:
    return Cell(f"  {word}", Style.DIM)


def _phase(recovery: Recovery) -> str:
    done = recovery.step / len(recovery.steps)
    place = f"step {recovery.step + 1} of {len(recovery.steps)}"
    return f"{phase_of(recovery)} {recovery.phase} {bar(done, BAR_CELLS)} {place}"


def _now(picture: Picture, recovery: Recovery) -> str:
    from core.procedures import described

    said = described(recovery.present)
    if recovery.status == "held":
        return f"held: {said}; R continues it from the beginning of this step"
    if recovery.deadline_at is None:
        return said
    late_s = (recovery.deadline_at - picture.now).total_seconds()
    return f"{said}; {stopwatch(late_s)} left" if late_s > 0 else f"{said}; time is up"


def _next(picture: Picture, recovery: Recovery) -> str:
    from core.procedures import described

    coming = recovery.steps[recovery.step + 1] if recovery.step + 1 < len(recovery.steps) else None
    does = described(coming) if coming else f"release its holds and end {clean(recovery.emergency_id, 20)}"
    if recovery.status == "held":
        return f"when it goes on: {does}"
    return f"{countdown(picture, recovery) or 'when that is seen'}: {does}"


def _over(picture: Picture, recovery: Recovery) -> str:
    """When all of it can be over, if every step takes no longer than it has to."""
    rest_s = left_s(picture, recovery) + sum(step.wait_s for step in recovery.steps[recovery.step + 1 :])
    at = clock(picture.now + timedelta(seconds=rest_s))
    return f"in {duration(max(BUCKET_S, rest_s))}, at {at} UTC at the earliest"


def _waits(recovery: Recovery) -> Iterator[tuple[Cell, Cell]]:
    """What the present step waits for, with the driver's own words, as the journal was told last."""
    from core.recovery_work import waits_of

    for number, waits in enumerate(waits_of(recovery)[:CHECKS_SHOWN]):
        yield _labelled("" if number else "waits"), Cell(f"for {clean(waits, 200)}", Style.WARN)


def _gates(picture: Picture, recovery: Recovery) -> Iterator[tuple[Cell, Cell]]:
    """What has to be seen of each service before the step is done, and what was seen since it began."""
    from core.recovery_work import health_of, is_seen, work_of

    step, state = recovery.present, picture.state
    wanted = "stopped" if step.kind == "prepare" else "running"
    asked = set(work_of(state, recovery).health)
    last = {check.partition("] ")[2].partition(":")[0]: check for check in recovery.checks}
    names = step.services if step.kind != "check" else ()
    for name in names[:GATES_NAMED]:
        standing, seen = _standing(picture, name), is_seen(state, recovery, name, wanted)
        bad = standing in {"failed", "not-stopped"} or (step.kind in {"admit", "watch"} and standing == "stopped")
        service = state.services.get(name)
        detail = f" {clean(service.detail, 60)}" if service and service.detail else ""
        since = f" {ago(service.observed_at, picture.now)}" if service and service.observed_at else ""
        health = f"; {clean(last.get(health_of(name), 'health is asked'), 80)}" if name in asked else ""
        mark = Cell("  [ok]", Style.GOOD) if seen else Cell("  [XX]", Style.BAD) if bad else Cell("  [..]", Style.WARN)
        yield mark, Cell(f"{clean(name, 60)} {standing}{since}{detail}{health}")
    if len(names) > GATES_NAMED:
        ok = sum(is_seen(state, recovery, name, wanted) for name in names)
        yield _labelled(""), Cell(f"and {len(names) - GATES_NAMED} more; {ok}/{len(names)} {wanted}")


def _turning_back(picture: Picture, recovery: Recovery) -> Iterator[tuple[Cell, Cell]]:
    """Why, and what may still run of what it started."""
    from core.recovery_work import still_running

    yield _labelled("why"), Cell(clean(recovery.why, 200), Style.BAD)
    left = still_running(picture.state, recovery)
    done = len(recovery.attempted) - len(left)
    share = done / len(recovery.attempted) if recovery.attempted else 1.0
    stops = f"{done}/{len(recovery.attempted)} services seen stopped again"
    yield _labelled("now"), Cell(f"{bar(share, BAR_CELLS)} {stops}; nothing is admitted", Style.STRONG)
    if left:
        yield _labelled("waits"), Cell(f"for {listed(left, 6)}", Style.WARN)
    yield from _found([check for check in recovery.checks if not check.startswith("[ok]")])


def _found(checks: Sequence[str]) -> Iterator[tuple[Cell, Cell]]:
    """What was found when the journal was told last: ``[ok]``, ``[..]`` or ``[XX]`` of each thing."""
    signs = {"[ok]": Style.GOOD, "[XX]": Style.BAD}
    for check in checks[:CHECKS_SHOWN]:
        sign, _, words = check.partition(" ")
        yield _labelled("found"), Cell(f"{sign} {clean(words, 160)}", signs.get(sign, Style.WARN))


def _standing(picture: Picture, name: str) -> str:
    service = picture.state.services.get(name)
    return "unknown" if service is None else service.standing
