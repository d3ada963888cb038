"""Lines of styled text: what every part of the screen is made of before it is a widget.

A view or a dialog says *what* stands where, as `Line`s; a widget only paints the cells that differ from the ones it
painted before. So the whole screen can be tested as text, and one changed digit costs one digit on the wire.

A style here is a meaning (`Style`), never a colour: the theme chooses colours, and words carry the meaning without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Self

from opsconsole.text import clean, fit, is_plain, width

TEXT_MAX = 1000
"""Cells of one piece of text; no terminal is as wide. A name of a megabyte is cut before anybody measures it."""


class Style(StrEnum):
    """What a piece of text is, for the theme to dress."""

    PLAIN = "plain"
    DIM = "dim"
    """Frames, units and what is only there for completeness."""
    STRONG = "strong"
    """Titles and the thing a line is about."""
    KEY = "key"
    """A key that can be pressed now."""
    GOOD = "good"
    """As it should be: running, verified, acknowledged."""
    WARN = "warn"
    """Somebody should look."""
    BAD = "bad"
    """Somebody must act: missing, partial, refused."""
    STOPPED = "stopped"
    """The word for a stop that is in force: reverse video, so that it stands out without colour."""
    CURSOR = "cursor"
    """The selected row of the focused pane: reverse video, beside its ``>``."""


class _Text(NamedTuple):
    text: str
    style: Style = Style.PLAIN


class Piece(_Text):
    """Text and what it is. To make one is to clean its text, so no view, dialog or bar can forget to."""

    __slots__ = ()

    def __new__(cls, text: str, style: Style = Style.PLAIN) -> Self:
        """Harmless, whoever `text` comes from. Nearly all there is, short printable ASCII, is only looked at."""
        if len(text) > TEXT_MAX or not (text.isascii() and text.isprintable()):
            text = clean(text, TEXT_MAX)
        return tuple.__new__(cls, (text, style))


class Span(Piece):
    """A run of text on a line."""

    __slots__ = ()


Line = tuple[Span, ...]


def line(cells: int, *spans: Span, style: Style = Style.PLAIN) -> Line:
    """Exactly `cells` cells: the spans from the left, cut or padded (in `style`) on the right."""
    room, kept = cells, list[Span]()
    for span in spans:
        if room <= 0:
            break
        taken = width(span.text)
        if taken > room:
            span = Span(fit(span.text, room), span.style)  # noqa: PLW2901 - the cut span takes the place of the whole
            taken = room
        if taken:
            kept.append(span)
            room -= taken
    if room > 0:
        kept.append(Span(" " * room, style))
    return joined(kept)


def joined(spans: Iterable[Span]) -> Line:
    """The same text with neighbours of one style made one span, for each span costs an escape sequence."""
    merged: list[Span] = []
    for span in spans:
        if merged and merged[-1].style is span.style:
            merged[-1] = Span(merged[-1].text + span.text, span.style)
        elif span.text:
            merged.append(span)
    return tuple(merged)


def wrapped(spans: Iterable[Span], cells: int, indent: int = 0) -> list[Line]:
    """The spans broken between words into lines of `cells` cells; those after the first are indented."""
    lines: list[Line] = []
    current: list[Span] = []
    room = cells
    for word in _words(spans):
        if length((word,)) > room and current:
            lines.append(line(cells, *current))
            current = [Span(" " * indent)] if indent else []
            room = cells - indent
            word = Span(word.text.lstrip(" "), word.style)  # noqa: PLW2901 - a line does not begin with a blank
        current.append(word)
        room -= length((word,))
    return [*lines, line(cells, *current)]


def _words(spans: Iterable[Span]) -> Iterable[Span]:
    """Pieces that are not broken: a word with the blanks before it."""
    for span in spans:
        for piece in re.findall(r" *[^ ]+| +$", span.text):
            yield Span(piece, span.style)


def length(spans: Iterable[Span]) -> int:
    """Cells that the spans take together."""
    return sum(width(span.text) for span in spans)


def plain(drawn: Iterable[Span]) -> str:
    """The text of a line without its styles, for tests and for people who read goldens."""
    return "".join(span.text for span in drawn)


def difference(old: Line, new: Line) -> tuple[int, int] | None:
    """The cells ``[start, end)`` outside of which two lines of equal length look the same; None if they do throughout.

    Lines with wide characters or with marks are compared as a whole: half a character cannot be repainted.
    """
    if old == new:
        return None
    before, after = _cells(old), _cells(new)
    if before is None or after is None or len(before) != len(after):
        return 0, max(length(old), length(new))
    start = next(at for at, (one, other) in enumerate(zip(before, after, strict=True)) if one != other)
    end = next(at for at in range(len(after), 0, -1) if before[at - 1] != after[at - 1])
    return start, end


def _cells(drawn: Line) -> list[tuple[str, Style]] | None:
    if not all(is_plain(span.text) for span in drawn):
        return None
    return [(char, span.style) for span in drawn for char in span.text]
