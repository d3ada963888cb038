"""Row 1 and 2: the state of the fleet in one line, and how it is known in another. Never covered, at any size.

Both are lists of parts, most important first; where the terminal is narrow the last ones go. Row 1 never says more than
was observed: a stop in force is ``STOPPING 9/12`` until the journal says verified, then ``STOPPED``, ``PARTIAL`` with
the missing named, or ``UNVERIFIED``. What is older than five seconds is ``[ ????]``, which counts as not stopped.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from opsconsole.lines import Line, Span, Style, length, line
from opsconsole.text import clean
from opsconsole.views.holding import whose
from opsconsole.views.picture import Picture
from opsconsole.views.verdict import Verdict, together
from opsconsole.views.words import BUCKET_S, age, clock, counted, listed, stopwatch
from opsgate.hold import HALT

SEPARATOR = Span(" | ", Style.DIM)

RUN = Span("[ RUN]", Style.STRONG)
STOP = Span("[STOP]", Style.STOPPED)
UNKNOWN = Span("[ ????]", Style.STOPPED)

REASON_MIN = 12
"""A reason cut shorter than this says nothing."""

JUST_NOW = timedelta(seconds=BUCKET_S)

Part = tuple[Span, ...]


def row1(picture: Picture, width: int) -> Line:
    """The truth in one line: word, scope, age, who, acknowledgements."""
    if picture.word == "unknown":
        return _fitted(width, [_last_known(picture), *_aside(picture)])
    if picture.word == "stopped":
        return _stopped(picture, width)
    return _fitted(width, [_running(picture), *_narrow_stops(picture), *_aside(picture)])


def row2(picture: Picture, width: int) -> Line:
    """How it is known: profile and backend, who looks and with which rights, how fresh, which revision."""
    who = picture.who
    rights = Span("RO" if who.read_only else "RW", Style.STRONG)
    place = (Span(clean(who.profile, 20), Style.STRONG), Span(" ")) if who.profile else ()
    parts: list[Part] = [
        (Span(" "), *place, rights, Span(f" as {clean(who.operator, 30)}")),
        (freshness(picture),),
        (Span(f"rev {picture.state.revision}"),),
    ]
    if picture.facts.seen is not None and not picture.facts.seen.keeper:
        parts.append((Span("NO KEEPER: nothing verifies or expires", Style.BAD),))
    if picture.link.slow_s:
        parts.append((Span(f"slow, {picture.link.slow_s:.1f}s an answer", Style.WARN),))
    parts.append((Span(clean(who.backend, 80), Style.DIM),))
    return _fitted(width, parts)


def freshness(picture: Picture) -> Span:
    """``live``, ``STALE 00:14`` or ``CONNECTING``, with what the backend said instead of an answer."""
    link = picture.link
    why = f" - {clean(link.trouble, 60)}" if link.trouble else ""
    if link.age_s is None:
        return Span(f"CONNECTING{why}", Style.WARN)
    if link.live:
        return Span(f"live, but{why[2:]}", Style.WARN) if why else Span("live", Style.GOOD)
    return Span(f"STALE {stopwatch(link.age_s)}{why}", Style.BAD)


def one_line(picture: Picture, width: int) -> Line:
    """All there is room for below 40 x 10: the word, the count, and the two keys that matter."""
    verdict = together(picture.facts.global_progress, picture.now)
    parts = [_word_of(picture), Span(" ")]
    if verdict:
        parts.append(Span(f"{verdict.acks} {age(verdict.since, picture.now)} ", verdict.style))
    return line(width, *parts, Span("! S", Style.KEY), Span(" stop "), Span("q", Style.KEY), Span(" quit"))


def _word_of(picture: Picture) -> Span:
    return {"running": RUN, "stopped": STOP, "unknown": UNKNOWN}[picture.word]


def _running(picture: Picture) -> Part:
    work = f"{counted(picture.facts.live, 'worker')}, {picture.facts.in_flight} in flight"
    return (Span(" "), RUN, Span(" RUNNING ", Style.STRONG), Span(work))


def _stopped(picture: Picture, width: int) -> Line:
    """The hold on everything. Acknowledgements go before who and why, which take the room that is left."""
    parts = [*_acknowledgements(picture), *_aside(picture)]
    head = _head(picture, brief=False)
    if parts and length((*head, SEPARATOR, *parts[0])) > width:
        head = _head(picture, brief=True)
    reason = picture.facts.holds.everywhere[0].reason
    room = width - length(_joined(width, [head, *parts])) - 1
    if reason and room >= REASON_MIN:
        head = (*head, Span(f" {clean(reason, room)}"))
    return _fitted(width, [head, *parts])


def _head(picture: Picture, *, brief: bool) -> Part:
    """The word for the hold on everything: an emergency's by its verification, an operator's by its mode."""
    hold = picture.facts.holds.everywhere[0]
    verdict = together(picture.facts.global_progress, picture.now)
    word, since = (verdict.word, verdict.since) if verdict else ("PAUSE", hold.placed_at)
    for_ = "" if picture.now - since < JUST_NOW else f" {age(since, picture.now)}"
    if brief:
        return (Span(" "), STOP, Span(f" {word}", Style.STRONG), Span(for_))
    by = Span(f"{for_} by {whose(picture, hold)}")
    return (Span(" "), STOP, Span(f" GLOBAL {word}", Style.STRONG), by)


def _last_known(picture: Picture) -> Part:
    """What was true when the backend last answered; it may not be true now. A stop that has left comes before it."""
    if picture.sent:
        sent = f" STOP SENT {clock(picture.sent[-1].ordered_at)}"
        return (Span(" "), UNKNOWN, Span(sent, Style.STRONG), Span(", nobody has recorded it yet"))
    if picture.link.age_s is None:
        return (Span(" "), UNKNOWN, Span(" NOT YET KNOWN"), Span(" - ! S works", Style.STRONG))
    word = "STOPPED" if picture.facts.holds.everywhere else "RUNNING"
    verdict = together(picture.facts.global_progress, picture.now) if picture.facts.holds.everywhere else None
    if verdict is not None:
        word = f"{verdict.word} {verdict.acks}"
    ago = f"{clock(picture.now)}, {stopwatch(picture.link.age_s)} ago"
    return (Span(" "), UNKNOWN, Span(f" LAST KNOWN {word} {ago}"), Span(" - ! S works", Style.STRONG))


def _acknowledgements(picture: Picture) -> list[Part]:
    verdict = together(picture.facts.global_progress, picture.now)
    parts: list[Part] = []
    if verdict is not None:
        parts += [(Span(f"acks {verdict.acks}", verdict.style), *_missing(verdict)), *_names(verdict)]
    if picture.facts.in_flight:
        hold = picture.facts.holds.everywhere[0]
        does = "to halt" if hold.mode == HALT else "draining"
        parts.append((Span(f"{picture.facts.in_flight} in flight, {does}", Style.WARN),))
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


def _narrow_stops(picture: Picture) -> list[Part]:
    """Stops of a part of the fleet, while the rest runs."""
    verdict = together(picture.facts.progress, picture.now)
    if verdict is None:
        return []
    stops = counted(len(picture.facts.progress), "stop")
    count = Span(f"{stops} {verdict.word} {verdict.acks}", verdict.style)
    return [(count, *_missing(verdict)), *_names(verdict)]


def _aside(picture: Picture) -> list[Part]:
    """What else an operator would ask: lost workers, paused sites, flags that are off."""
    facts, parts = picture.facts, list[Part]()
    if facts.lost:
        parts.append((Span(f"{len(facts.lost)} LOST", Style.BAD), Span(f" {listed(facts.lost, 2)}")))
    by_dimension = {
        "site": sum(dimension == "site" for dimension, _ in facts.holds.by_name),
        "operation": sum(dimension == "operation" for dimension, _ in facts.holds.by_name),
    }
    if by_dimension["site"]:
        parts.append((Span(f"{counted(by_dimension['site'], 'site')} held", Style.WARN),))
    if by_dimension["operation"]:
        parts.append((Span(f"{counted(by_dimension['operation'], 'flag')} off", Style.WARN),))
    return parts


def _fitted(width: int, parts: Iterable[Part]) -> Line:
    """The parts that fit, as one line."""
    return line(width, *_joined(width, parts))


def _joined(width: int, parts: Iterable[Part]) -> list[Span]:
    """The first part, and as many of the others as fit whole."""
    first, *others = parts
    spans = list(first)
    for part in others:
        if length(spans) + length((SEPARATOR, *part)) <= width:
            spans += (SEPARATOR, *part)
    return spans
