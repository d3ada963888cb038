"""An emergency, a worker, a limit: what is known of each, and what can be done about it, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator

from core.state import Emergency, State, Stop
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.emergencies import NAMED_MAX, never, standing, unreachable
from opsconsole.views.holding import opened
from opsconsole.views.limits import CRITICAL_SHARE, share, used
from opsconsole.views.picture import Picture, Progress
from opsconsole.views.verdict import together
from opsconsole.views.words import ago, clock, counted, listed, scope, spread, window
from opsconsole.views.workers import never_acknowledged

Said = tuple[Span, ...]


def of_emergency(picture: Picture, emergency: Emergency) -> list[Said]:
    """What its stops came to, and who of their lists is missing."""
    if emergency.ended_at is not None:
        ended = f"recovered {ago(emergency.ended_at, picture.now)} by {clean(emergency.ended_by, 30)}"
        lines: list[Said] = [(Span(f"{ended}: it holds nothing any more", Style.GOOD),)]
        absent = never(picture, emergency)
        if absent:
            lines.append((Span(f"never acknowledged: {listed(absent, NAMED_MAX)}", Style.WARN),))
        return lines
    stops = [each for each in picture.facts.progress if each.stop.emergency_id == emergency.emergency_id]
    verdict = together(stops, picture.now)
    if verdict is None:
        return []
    head = f"{verdict.word}, {verdict.acks} acknowledged"
    lines = [(Span(head, verdict.style),)]
    lines += [(Span(f"acknowledged after {spread(each.stop.ack_times)}"),) for each in stops if each.stop.ack_times]
    owed = [(each, worker) for each in stops for worker in each.missing]
    lines += [_owed(picture, each, worker) for each, worker in owed[:NAMED_MAX]]
    if len(owed) > NAMED_MAX:
        lines.append((Span(f"and {counted(len(owed) - NAMED_MAX, 'worker')} more", Style.BAD),))
    return lines


def without_reason(state: State, emergency: Emergency) -> tuple[Stop, ...]:
    """Its stops that were fired without a reason and have got none since, oldest first."""
    from core.capabilities.explaining import unexplained

    return unexplained(state, emergency)


def emergency_case(picture: Picture, emergency_id: str) -> list[Said]:
    """All of an emergency: by whom, since when, of what, what it came to, and the way back."""
    emergency = picture.state.emergencies.get(emergency_id)
    if emergency is None:
        return [(Span("it was recovered, and is in the journal only"),)]
    begun = opened(picture, emergency)
    by = f"stopped by {clean(emergency.opened_by, 30)} at {clock(begun)} UTC, {ago(begun, picture.now)}"
    lines: list[Said] = [
        (Span(f"{scope(emergency.selectors)}, {emergency.level}: {by}", Style.STRONG),),
        (Span(f"reason: {clean(emergency.reason, 200) or 'none given yet, e gives it'}"),),
        *of_emergency(picture, emergency),
    ]
    if emergency.ended_at is None:
        says = f" recovers {clean(emergency_id, 20)}: a reason, the scope typed, three seconds in which any key cancels"
        lines.append((Span("R", Style.KEY), Span(says)))
    return lines


def worker_case(picture: Picture, worker: str, stop_id: str = "") -> list[Said]:
    """A worker: what it owes, what was last heard of it, what it runs, and what can be done."""
    name = clean(worker, 128)
    row = picture.facts.workers.get(worker)
    lines = [
        _owed(picture, each, worker)
        for each in picture.facts.progress
        if worker in each.missing and each.stop.stop_id == (stop_id or each.stop.stop_id)
    ]
    owes = bool(lines)
    if missed := never_acknowledged(picture).get(worker):
        said = f"never acknowledged the stop of {clean(missed, 20)}, recovered since: look whether it can stop"
        lines.append((Span(said, Style.WARN),))
    elif not owes:
        lines.append((Span("owes no acknowledgement now", Style.GOOD),))
    if row is None:
        lines.append((Span("nothing was ever heard of it here"),))
    else:
        sites = ", ".join(clean(site, 60) for site in row.scope.get("site", ())[:5]) or "everything"
        heard = f"last heard {ago(row.heartbeat_at, picture.now)}, has seen revision {row.revision}"
        pid = "" if owes else f"pid {row.pid}, "
        lines.append((Span(f"{pid}serves {sites}; {heard}"),))
        lines.append((Span(f"{counted(row.in_flight, 'piece')} of work in flight"),))
    if worker in picture.facts.lost:
        away = f"if its process is gone: opsconsole workers forget {name}. If it runs: end it on its host"
        lines.append((Span(away, Style.WARN),))
    elif row is not None and owes:
        lines.append(
            (Span(f"it runs, and does not stop: look at pid {row.pid} on its host, or end it there", Style.WARN),)
        )
    return lines


def limit_case(picture: Picture, name: str) -> list[Said]:
    """A limit: how much of it is used, whom it refuses, and what changes it."""
    limit = picture.state.limits.get(name)
    if limit is None:
        return [(Span("there is no such limit any more"),)]
    spent, full = used(picture, limit), share(picture, limit)
    units = (
        "nobody has counted yet"
        if spent is None
        else f"{spent} of {limit.limit} used in the last {window(limit.window_s)}"
    )
    charges = clean(limit.operation or "nothing by itself", 60)
    lines: list[Said] = [
        (Span(f"{units}; it charges {charges}", Style.BAD if full >= CRITICAL_SHARE else Style.STRONG),)
    ]
    if not limit.limit:
        lines.append((Span(f"a limit of 0 is a stop: {charges} is held", Style.BAD),))
    elif spent is not None and spent >= limit.limit:
        lines.append((Span("it is used up: reservations are refused, with the time to try again; nothing is paused"),))
    else:
        lines.append(
            (Span("a used-up limit refuses reservations and pauses nothing; it frees itself as time goes by"),)
        )
    changed = f"set by {clean(limit.changed_by, 30)} {ago(limit.changed_at, picture.now)}"
    command = f"opsconsole limits set {clean(name, 60)} UNITS"
    return [*lines, (Span(f"{changed}; to change it: "), Span(command, Style.KEY))]


def workers_case(picture: Picture) -> list[Said]:
    """The workers that owe something or are out of reach, one line each; how many there are where all is well."""
    facts = picture.facts
    lines: list[Said] = [(Span(f"{counted(facts.live, 'worker')} live, {facts.in_flight} in flight", Style.STRONG),)]
    lines += list(_out_of_reach(picture))
    lines += [_owed(picture, each, worker) for each in facts.progress for worker in each.missing][:NAMED_MAX]
    if len(lines) == 1 and picture.word == "unknown":
        lines.append((Span("as last known: nothing newer was heard of any of them", Style.WARN),))
    elif len(lines) == 1:
        lines.append((Span("each was heard of within the last seconds, and none owes an acknowledgement", Style.GOOD),))
    return lines


def _out_of_reach(picture: Picture) -> Iterator[Said]:
    for worker in (*picture.facts.lost, *picture.facts.cut_off)[:NAMED_MAX]:
        name = clean(worker, 64)
        yield (Span(f"{name} ", Style.STRONG), Span(unreachable(picture, worker), Style.BAD))


def _owed(picture: Picture, progress: Progress, worker: str) -> Said:
    cell = standing(picture, progress, worker)
    reach = unreachable(picture, worker)
    row = picture.facts.workers.get(worker)
    pid = f", pid {row.pid}" if row else ""
    ordered = f"ordered {ago(progress.stop.ordered_at, picture.now)}"
    if progress.stop.recounted_revision:
        ordered = "counted anew since work was let in"
    said = f" owes its acknowledgement, {ordered}{pid}"
    return (
        Span(f"{cell.text} ", cell.style),
        Span(clean(worker, 64), Style.STRONG),
        Span(said),
        Span(f", {reach}" if reach else ""),
    )
