"""What was true when the backend last answered, and how the state is known: said wherever it may not be true now."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from opsconsole.lines import Line, Span, Style, length, line
from opsconsole.table import Cell
from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.verdict import together
from opsconsole.views.words import clock, stopwatch

UNKNOWN = Span("[ ????]", Style.STOPPED)

WHY_MIN, WHY_MAX = 12, 60
"""Cells of what a backend said: cut shorter it says nothing, and longer only where the rest leaves room."""


def last_known(picture: Picture, width: int) -> Line:
    """What was true when the backend last answered; it may not be true now. A stop that has left comes before it."""
    asides = [] if picture.link.live and not picture.link.tries else [Span(connection(picture), Style.BAD)]
    heads = _what_was_seen(picture)
    if picture.sent:
        asides.insert(0, Span(heads[0].strip()))
        at = clock(picture.sent[-1].ordered_at)
        heads = (f" STOP SENT {at}, nobody has recorded it yet", f" STOP SENT {at}, not recorded", " STOP SENT")
        if picture.taken:
            heads = (f" STOP RECORDED {at} by a server, not seen here yet", f" STOP RECORDED {at}", " STOP RECORDED")
        elif picture.refusal:
            heads = (f" STOP REFUSED {at}, latched on this host alone", f" STOP REFUSED {at}", " STOP REFUSED")
    dash = Span(" - ", Style.DIM)
    for head, works in zip(heads, ("! S still works", "! S works", "! S"), strict=True):
        last = (dash, Span(works, Style.STRONG))
        spans = [Span(" "), UNKNOWN, Span(head, Style.STRONG)]
        if length((*spans, *last)) <= width:
            break
    for aside in asides:
        if length((*spans, dash, aside, *last)) <= width:
            spans += (dash, aside)
    return line(width, *spans, *last)


def runs(picture: Picture, word: str) -> Cell:
    """A word for what runs, with confidence only where that was observed: ``runs``; ``runs?`` of what is not known."""
    return Cell(f"{word}?", Style.DIM) if picture.word == "unknown" else Cell(word, Style.GOOD)


def freshness(picture: Picture, room: int = 1000, *, why_max: int = WHY_MAX) -> Span:
    """``live``, ``STALE 00:14`` or ``CONNECTING``, with as much of what the backend said instead of an answer as there
    is room for."""
    link = picture.link
    if link.age_s is None:
        word, style = "NOTHING SHOWN" if link.refused else "CONNECTING", Style.WARN
    elif link.live:
        word, style = "live", Style.WARN if link.trouble else Style.GOOD
    else:
        word, style = f"STALE {stopwatch(link.age_s)}", Style.BAD
    dash = ", but " if link.live else " - "
    left = min(why_max, room - len(word) - len(dash))
    return Span(f"{word}{dash}{clean(link.trouble, left)}" if link.trouble and left >= WHY_MIN else word, style)


def connection(picture: Picture) -> str:
    """Why nothing newer is shown, and when it is tried again: ``backend unreachable, retry 3 in 4s``."""
    link = picture.link
    if link.replaced:
        return "ANOTHER FLEET is at this address now: leave and start again"
    said = "backend unreachable" if link.age_s is not None or link.trouble else "no answer yet"
    if link.refused:
        said = "NOT LET IN by the server"
    if not link.tries:
        return said
    when = "now" if link.retry_s is None else f"in {ceil(link.retry_s)}s"
    return f"{said}, retry {link.tries} {when}"


def last_word(picture: Picture) -> str:
    """The state as it was read last, with its count: ``RUNNING``, ``PARTLY HELD``, ``STOPPING 9/12``, ``PAUSED``."""
    verdict = together(picture.facts.global_progress, picture.now)
    if not picture.facts.holds.everywhere:
        return "PARTLY HELD" if picture.facts.word == "partly" else "RUNNING"
    return f"{verdict.word} {verdict.acks}" if verdict else "PAUSED"


def no_release(picture: Picture) -> str:
    """Why nothing can be released now, for a release has to be recorded; empty where it could be."""
    if not picture.link.live:
        return "not while the backend does not answer"
    return "not before the stop that was sent is recorded" if picture.sent else ""


def _what_was_seen(picture: Picture) -> tuple[str, str, str]:
    """What was seen last, and when: in full, shorter, and as short as it can be said."""
    if picture.link.age_s is None:
        return (" NOT YET KNOWN",) * 3
    word = last_word(picture)
    if picture.link.live:
        return (f" LAST KNOWN {word}",) * 3
    at, old = picture.now - timedelta(seconds=picture.link.age_s), stopwatch(picture.link.age_s)
    return f" LAST KNOWN {word} {clock(at)}, {old} ago", f" LAST KNOWN {word}, {old} ago", f" WAS {word} {old}"
