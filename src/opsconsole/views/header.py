"""Row 1 and 2: the state of the fleet in one line, and how it is known in another. Never covered, at any size.

Both are lists of parts, most important first; where the terminal is narrow the last ones go. Row 1 never says more than
was observed: a stop in force is ``STOPPING 9/12`` until the journal says verified, then ``STOPPED``, ``PARTIAL`` with
the missing named, or ``UNVERIFIED``. Where only a part is held it says which. What is older than five seconds is
``[ ????]``, which counts as not stopped. What there was no room for leaves a ``~`` at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from opsconsole.lines import Line, Span, Style, length, line
from opsconsole.text import CUT_MARK, clean
from opsconsole.text import width as width_of
from opsconsole.views.course import STATUS, brief, under_way
from opsconsole.views.holding import seen_by, since, whose
from opsconsole.views.last_known import UNKNOWN, WHY_MAX, freshness, last_known
from opsconsole.views.partly import NarrowStops, held, narrow_stops
from opsconsole.views.picture import Picture
from opsconsole.views.verdict import Verdict, fate, together
from opsconsole.views.words import BUCKET_S, age, counted, listed, stopwatch
from opsgate.selector import EVERYTHING

SEPARATOR = Span(" | ", Style.DIM)

RUN = Span("[ RUN]", Style.STRONG)
PART = Span("[PART]", Style.WARN)
"""Something is held, but not all of everything: the same word as `status` has for it."""
STOP = Span("[STOP]", Style.STOPPED)

MORE = Span(CUT_MARK, Style.WARN)
"""There is more to say than there is room for."""

UNBOUNDED = 10_000
"""More cells than any terminal has."""

WIDE = 100
"""From so many cells on there is room to say what comes next."""

REASON_MIN = 12
"""A reason cut shorter than this says nothing."""

JUST_NOW = timedelta(seconds=BUCKET_S)

Part = tuple[Span, ...]


def row1(picture: Picture, width: int) -> Line:
    """The truth in one line: word, scope, age, who, acknowledgements."""
    if picture.word == "unknown":
        return last_known(picture, width)
    if picture.word == "stopped":
        return _stopped(picture, width)
    if picture.word == "partly":
        return _partly(picture, width)
    return _fitted(width, [(Span(" "), RUN, Span(" RUNNING ", Style.STRONG), _work(picture)), *_out_of_reach(picture)])


def row2(picture: Picture, width: int) -> Line:
    """How it is known: profile and backend, who looks and with which rights, how fresh, which revision."""
    who = picture.who
    rights = Span("RO" if who.read_only else "RW", Style.STRONG)
    role = (Span(f" role={clean(who.role, 20)}"),) if who.role else ()
    place = (Span(clean(who.profile, 20), Style.STRONG), Span(" ")) if who.profile else ()
    whom: Part = (Span(" "), *place, rights, Span(f" as {clean(who.operator, 30)}"), *role)
    if who.is_remote and not (who.role and not picture.link.refused):
        since_when = f"as {clean(who.operator, 30)} any more" if who.role else "" if picture.link.refused else "yet"
        whom = (Span(" "), *place, Span(f"not let in {since_when}".rstrip(), Style.WARN))
    beside_whom = width - length((*whom, SEPARATOR, Span(" "), MORE))
    parts: list[Part] = [whom, (freshness(picture, beside_whom),), (Span(f"rev {picture.state.revision}"),)]
    if picture.facts.seen is not None and not picture.facts.seen.keeper:
        parts.append((Span("NO KEEPER: nothing verifies or expires", Style.BAD),))
    if picture.link.newer:
        parts.append((Span("NEWER SERVER: not all of it shows here, upgrade", Style.WARN),))
    if picture.link.round_trip_ms is not None and picture.link.live:
        parts.append((Span(f"rtt {picture.link.round_trip_ms}ms"),))
    if picture.facts.seen is not None and picture.facts.seen.present and picture.link.live:
        parts.append((Span(f"also here: {listed(picture.facts.seen.present, 3)}"),))
    if picture.link.slow_s:
        parts.append((Span(f"slow, {picture.link.slow_s:.1f}s an answer", Style.WARN),))
    room = width - length((*_joined(width, parts), SEPARATOR))
    if shown := address(clean(who.backend, 80), room):
        parts.append((Span(shown, Style.DIM),))
    left = width - length(_joined(width, parts))
    parts[1] = (freshness(picture, beside_whom, why_max=WHY_MAX + max(left, 0)),)
    return _fitted(width, parts)


def address(url: str, room: int) -> str:
    """The backend's address, or as much of its end as there is room for: ``sqlite:.../opsconsole.db``; else nothing."""
    if width_of(url) <= room:
        return url
    scheme, _, place = url.partition("://")
    ends = [place[at:] for at, sign in enumerate(place) if at and sign in "/@" and place[at + 1 : at + 2] != "/"]
    shortened = (f"{head}...{end}" for head in (f"{scheme}:", "") for end in ends)
    return next((each for each in shortened if width_of(each) <= room), "")


def one_line(picture: Picture, width: int) -> Line:
    """All there is room for below 40 x 10: the word, the count and its age, and the two keys that matter."""
    truth: list[Span] = [_word_of(picture)]
    verdict = together(picture.facts.global_progress, picture.now)
    if verdict is not None and picture.word == "stopped":
        truth.append(Span(f" {verdict.acks} {age(verdict.since, picture.now)}", verdict.style))
    elif picture.word == "partly" and (narrow := narrow_stops(picture)) is not None:
        begun = age(narrow.verdict.since, picture.now)
        truth.append(Span(f" {narrow.seen} {begun}", narrow.verdict.style))
    elif picture.word == "unknown" and picture.link.age_s is not None:
        truth.append(Span(f" {stopwatch(picture.link.age_s)}", Style.BAD))
    stop, stop_short = (Span("! S", Style.KEY), Span(" stop")), (Span("! S", Style.KEY),)
    quit_ = (Span("  "), Span("q", Style.KEY), Span(" quit"))
    for keys in ((SEPARATOR, *stop, *quit_), (SEPARATOR, *stop), (SEPARATOR, *stop_short), (Span(" "), *stop_short)):
        if length((*truth, *keys)) <= width:
            return line(width, *truth, *keys)
    return line(width, *truth)


def _word_of(picture: Picture) -> Span:
    return {"running": RUN, "partly": PART, "stopped": STOP, "unknown": UNKNOWN}[picture.word]


def _work(picture: Picture) -> Span:
    if not picture.state.workers:
        return Span("no worker is registered")
    return Span(f"{counted(picture.facts.live, 'worker')}, {picture.facts.in_flight} in flight")


def _partly(picture: Picture, width: int) -> Line:
    """What is held, the most urgent first, and then what works: a share of everything, stops, recoveries, holds."""
    mark, work = (Span(" "), PART, Span(" ")), (_work(picture),)
    stops, aside, others = narrow_stops(picture), _out_of_reach(picture), _held(picture)
    if picture.state.holds_on(EVERYTHING):
        share = Span(f"{picture.admitted:.0%} ADMITTED", Style.STRONG)
        head: Part = (*mark, share, Span(" "), *work)
        rest: list[Part] = []
        recoveries = _recoveries(picture, width, head)
        if length(_joined(UNBOUNDED, [head, *recoveries])) > width - length((MORE,)):
            head, rest = (*mark, share), [work]
        more = [stops.head(width), *_stops_beside(stops)] if stops else []
        return _fitted(width, [head, *recoveries, *more, *rest, *aside, *others])
    recoveries = _recoveries(picture, width, mark)
    if stops:
        recoveries = [stops.head(width - length((*mark, MORE))), *_stops_beside(stops), *recoveries]
    head, *rest = [*recoveries, work, *aside, *others] if recoveries else [*others, work, *aside]
    return _fitted(width, [(*mark, *head), *rest])


def _recoveries(picture: Picture, width: int, beside: Part) -> list[Part]:
    """How far each recovery has come that goes on; in short where it has no room beside something else."""
    for short in (False, True) if width >= WIDE else (True,):
        parts: list[Part] = [
            (
                Span(f"{clean(emergency.emergency_id, 20)} "),
                Span(brief(picture, recovery, short=short), STATUS[recovery.status][1]),
            )
            for emergency, recovery in under_way(picture)
        ]
        if length(_joined(UNBOUNDED, [beside, *parts])) <= width - length((MORE,)):
            break
    return parts


def _services(verdict: Verdict) -> list[Part]:
    """How many of the services on the lists were seen stopped, and which were not; where all were, that comes after the
    workers that are missing."""
    if not verdict.services:
        return []
    count = Span(f"services {verdict.stopped}", Style.GOOD if not verdict.running else verdict.style)
    if not verdict.running:
        return [(count,)]
    if verdict.word == "STOPPING":
        return [(count,), (Span(f"waiting for {listed(verdict.running, 2)}"),)]
    return [(count, Span(f" {len(verdict.running)} MISSING", Style.BAD)), (Span(listed(verdict.running, 2)),)]


def _stopped(picture: Picture, width: int) -> Line:
    """The hold on everything. Acknowledgements go before who and why, which take the room that is left."""
    parts = [*_acknowledgements(picture, width), *_aside(picture)]
    head = _head(picture, brief=False)
    verdict = together(picture.facts.global_progress, picture.now)
    vital = parts[: 2 if verdict and (verdict.services or under_way(picture)) else 1]
    if parts and length(_joined(UNBOUNDED, [head, *vital])) > width:
        head = _head(picture, brief=True)
        if length((*head, SEPARATOR, *parts[0])) > width:
            # the count comes before how many are missing from it, and before their names
            spans = [*head, SEPARATOR, parts[0][0]]
            return line(width, *spans, *_more(spans, width))
    reason = picture.facts.holds.everywhere[0].reason
    room = width - length(_joined(width, [head, *parts])) - 1
    if reason and room >= REASON_MIN:
        head = (*head, Span(f" {clean(reason, room)}"))
    return _fitted(width, [head, *parts])


def _head(picture: Picture, *, brief: bool) -> Part:
    """The word for the hold on everything: an emergency's by its verification, an operator's by its mode."""
    hold = picture.facts.holds.everywhere[0]
    verdict = together(picture.facts.global_progress, picture.now)
    word, begun = (verdict.word, verdict.since) if verdict else ("PAUSED", since(picture, hold))
    for_ = "" if picture.now - begun < JUST_NOW else f" {age(begun, picture.now)}"
    if brief:
        return (Span(" "), STOP, Span(f" {word}", Style.STRONG), Span(for_))
    by = Span(f"{for_} by {whose(picture, hold)}")
    return (Span(" "), STOP, Span(f" GLOBAL {word}", Style.STRONG), by)


def _acknowledgements(picture: Picture, width: int) -> list[Part]:
    verdict = together(picture.facts.global_progress, picture.now)
    hold = picture.facts.holds.everywhere[0]
    parts: list[Part] = []
    if verdict is not None and not verdict.of:
        parts.append((Span("no worker was on its list", verdict.style),))
    elif verdict is not None:
        parts += [(Span(f"acks {verdict.acks}", verdict.style), *_missing(verdict)), *_names(verdict)]
    elif picture.facts.workers:
        parts.append((seen_by(picture, hold),))
    if verdict is not None:
        at = 1 if verdict.running or under_way(picture) else len(parts)
        parts[at:at] = _recoveries(picture, width, _head(picture, brief=True)) or _services(verdict)
    if picture.facts.in_flight:
        does = fate(hold.mode, verdict)
        runs = "running" if does.startswith("not ") else "in flight"
        parts.append((Span(f"{picture.facts.in_flight} {runs}, {does}", Style.WARN),))
    return parts


def _missing(verdict: Verdict) -> Part:
    if verdict.missing and verdict.word != "STOPPING":
        return (Span(f" {len(verdict.missing)} MISSING", Style.BAD),)
    return ()


def _names(verdict: Verdict) -> list[Part]:
    if not verdict.missing:
        return []
    waiting = "waiting for " if verdict.word == "STOPPING" else ""
    return [(Span(f"{waiting}{listed(verdict.missing)}"),)]


def _stops_beside(stops: NarrowStops) -> list[Part]:
    """Who has not been seen to stop, of the stops of a part of the fleet; but for the one that is named already."""
    missing = _missing(stops.verdict)
    services = _services(stops.verdict) if stops.verdict.of else _services(stops.verdict)[1:]
    if stops.verdict.services == 1 and not stops.verdict.of:
        services = []
    names = _names(stops.verdict)
    if missing and names:
        names = [(Span(missing[0].text.strip(), missing[0].style), Span(" "), *names[0])]
    return [*names, *services]


def _aside(picture: Picture) -> list[Part]:
    """What else an operator would ask: lost workers, paused sites, flags that are off."""
    return [*_out_of_reach(picture), *_held(picture)]


def _held(picture: Picture) -> list[Part]:
    return [(Span(said, Style.WARN),) for said in held(picture)]


def _out_of_reach(picture: Picture) -> list[Part]:
    facts, parts = picture.facts, list[Part]()
    if facts.lost:
        parts.append((Span(f"{len(facts.lost)} LOST", Style.BAD), Span(f" {listed(facts.lost, 2)}")))
    if facts.cut_off:
        parts.append((Span(f"{len(facts.cut_off)} CUT OFF", Style.BAD), Span(f" {listed(facts.cut_off, 2)}")))
    return parts


def _fitted(width: int, parts: Iterable[Part]) -> Line:
    """The parts that fit, as one line."""
    return line(width, *_joined(width, parts))


def _joined(width: int, parts: Iterable[Part]) -> list[Span]:
    """The first part, and as many of the others as fit whole; with a sign where that is not all of them."""
    first, *others = parts
    whole = list(first)
    for part in others:
        whole += (SEPARATOR, *part)
    if length(whole) <= width:
        return whole
    spans = list(first)
    for part in others:
        if length((*spans, SEPARATOR, *part, MORE)) <= width:
            spans += (SEPARATOR, *part)
    return [*spans, *_more(spans, width)]


def _more(spans: list[Span], width: int) -> Part:
    """The sign for what was left out, apart from what stands there where there is room for that."""
    return (Span(" "), MORE) if length(spans) + 2 <= width else (MORE,)
