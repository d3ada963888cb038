"""What a stop of any level would hit, before anybody fires it: workers, services tier by tier, and by when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.course import under_way
from opsconsole.views.picture import Picture
from opsconsole.views.words import counted, listed, scope
from opsgate.hold import HALT
from opsgate.order import BUDGET_S, MODE_OF_LEVEL, STRENGTH, Level
from opsgate.selector import Selector

if TYPE_CHECKING:
    from core.ports import WorkerRow
    from core.stop_plan import Step

NAMED: Final = 8
TIERS_SHOWN: Final = 20

Said = tuple[Span, ...]


def stop_reach(picture: Picture, level: Level, selectors: Sequence[Selector]) -> list[Said]:
    """It stops nothing and asks nobody: worked out from what is known."""
    return [
        _head(level, selectors),
        *_workers(picture, selectors),
        *_services(picture, level, selectors),
        *_meets(picture, level, selectors),
    ]


def brief_reach(picture: Picture) -> str:
    """``5 services``: what a stop of everything drives beside the workers; empty where there is none. It is said while
    a stop is armed, so it counts and looks at nothing."""
    known = len(picture.state.services)
    return counted(known, "service") if known else ""


def _head(level: Level, selectors: Sequence[Selector]) -> Said:
    does = "halts at the next checkpoint" if MODE_OF_LEVEL[level] == HALT else "lets work in flight end, then halts it"
    said = f" stop of {scope(tuple(selectors))}: {does}; to be verified within {BUDGET_S[level]:g} s"
    return (Span(level, Style.STRONG), Span(said))


def _workers(picture: Picture, selectors: Sequence[Selector]) -> Iterator[Said]:
    facts = picture.facts
    hit = [row for row in facts.workers.values() if row.state != "left" and _serves(row, selectors)]
    live = sorted((row for row in hit if row.worker_id not in facts.lost), key=lambda row: row.worker_id)
    named = listed([row.worker_id for row in live], NAMED)
    yield (
        Span(f"{counted(len(live), 'worker')}, {sum(row.in_flight for row in live)} in flight: {named}".rstrip(": ")),
    )
    away = [row.worker_id for row in hit if row.worker_id in facts.lost or row.worker_id in facts.cut_off]
    if away:
        yield (Span(f"out of reach, may not hear it: {listed(sorted(away), NAMED)}", Style.BAD),)


def _serves(row: WorkerRow, selectors: Sequence[Selector]) -> bool:
    worker = row.fact()
    return any(map(worker.serves, selectors))


def _services(picture: Picture, level: Level, selectors: Sequence[Selector]) -> Iterator[Said]:
    from core.services import touched
    from core.stop_plan import plan

    known = picture.state.services
    names = touched(known, selectors, level)
    if not names:
        why = " that a selector names" if level == "service_specific" and known else ""
        yield (Span(f"no service{why} is driven by it", Style.DIM),)
        return
    steps = plan(level, known, names, picture.now, picture.now + timedelta(seconds=BUDGET_S[level]))
    tiers = [(tier, list(found)) for tier, found in groupby(steps, key=lambda step: step.tier)]
    running = sum(known[name].standing != "stopped" for name in names)
    yield (Span(f"{counted(len(names), 'service')} in {counted(len(tiers), 'tier')}, {running} not stopped now:"),)
    for tier, found in tiers[:TIERS_SHOWN]:
        named = listed([step.service for step in found], NAMED)
        yield (Span(f"tier {tier}  ", Style.DIM), Span(named, Style.STRONG), Span(f"  {_deeds(picture, found[0])}"))
    if len(tiers) > TIERS_SHOWN:
        yield (Span(f"and {len(tiers) - TIERS_SHOWN} more tiers", Style.DIM),)


def _deeds(picture: Picture, step: Step) -> str:
    """``stop at 0 s, kill at 30 s, over by 60 s``: by the time since the order."""
    said = [f"{deed.action} at {(deed.from_at - picture.now).total_seconds():.3g} s" for deed in step.deeds]
    return f"{', '.join(said)}, over by {(step.ends_at - picture.now).total_seconds():.3g} s"


def _meets(picture: Picture, level: Level, selectors: Sequence[Selector]) -> Iterator[Said]:
    """The emergencies that it would join, and the recoveries that it would turn back."""
    for emergency in picture.state.active_emergencies():
        if not any(mine.overlaps(theirs) for mine in selectors for theirs in emergency.selectors):
            continue
        harder = STRENGTH[level] > STRENGTH[emergency.level]
        said = f", which becomes {level}" if harder else f", which stays {emergency.level}"
        yield (Span(f"joins {clean(emergency.emergency_id, 20)}{said}"),)
    for emergency, recovery in under_way(picture):
        if any(mine.overlaps(theirs) for mine in selectors for theirs in emergency.selectors):
            yield (Span(f"turns back recovery {clean(recovery.recovery_id, 20)}", Style.BAD),)
