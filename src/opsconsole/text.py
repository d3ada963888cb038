"""Make untrusted text harmless before it is shown: the one choke point of every face.

Names, titles, reasons and notes are stored as they came. A terminal obeys what it is sent: a host called
``ESC ] 0 ; owned BEL`` would set the title of the window, a right-to-left override would turn ``off`` into ``ffo``, and
three hundred stacked accents would paint over row 1. Neither Textual nor Rich filters any of it. So everything that a
person or a machine typed passes `clean` on its way to a screen, a pipe or a log line, and nothing else does that work.
On the screen nobody has to think of it: the pieces of text that lines and tables are made of clean themselves.

No Textual here: the command line uses these functions too, and must start fast.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
CUT_MARK = "~"
"""Stands where text was cut. ASCII, so that it is one cell wide on every terminal."""

DECORATION: Final = "─│┌┐└┘━┃┏┓┗┛▁▂▃▄▅▆▇█░"
"""What frames, bars and curves are drawn with. Each takes one cell, and has an ASCII sign that means the same."""

_PLAIN: Final = re.compile(f"[ -~{DECORATION}]*")

MARKS_MAX = 2
"""Combining marks kept on one character; Vietnamese needs two, a Zalgo name brings dozens."""

_CONTROL_PICTURES = 0x2400
_HOSTILE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc")
_VARIATION_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
_WIDTH_CHANGERS = frozenset(map(chr, [*range(0x1F1E6, 0x1F200), *range(0x1F3FB, 0x1F400)]))
"""Regional indicators and skin tones: terminals disagree on how many cells a sequence of them takes."""

_POINTS_PER_CELL = 1 + MARKS_MAX
_DROPPED_MAX = 64


def clean(text: str, limit: int = 300) -> str:
    """Return `text` so that showing it changes nothing but the cells it stands in.

    C0 controls and DEL become their visible pictures; C1 controls, bidirectional and zero-width characters, lone
    surrogates, private and unassigned code points, blank letters and everything that terminals measure differently
    become U+FFFD; every kind of space becomes a plain one; variation selectors go; at most `MARKS_MAX` combining marks
    stay on a character.

    `limit` is the widest result in terminal cells; what is longer ends in `CUT_MARK`. Printable ASCII, which is nearly
    all there is, takes a fast path.
    """
    if is_plain(text):
        return text if len(text) <= limit else _plain_cut(text, limit)
    return _clean_slowly(text[: limit * _POINTS_PER_CELL + _DROPPED_MAX], limit)


def is_plain(text: str) -> bool:
    """Whether each character is harmless and takes one cell: printable ASCII and `DECORATION`."""
    return (text.isascii() and text.isprintable()) or _PLAIN.fullmatch(text) is not None


def width(text: str) -> int:
    """Cells that cleaned `text` takes on the screen."""
    return len(text) if is_plain(text) else sum(map(_cells, text))


def cut(text: str, limit: int) -> str:
    """Shorten cleaned `text` to at most `limit` cells, ending in `CUT_MARK` if anything was lost."""
    if is_plain(text):
        return text if len(text) <= limit else _plain_cut(text, limit)
    if width(text) <= limit:
        return text
    if limit <= 0:
        return ""
    room = limit - len(CUT_MARK)
    kept = 0
    for char in text:
        room -= _cells(char)
        if room < 0:
            break
        kept += 1
    return text[:kept] + CUT_MARK


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """Cut or pad cleaned `text` to exactly `cells` cells, set against the left edge or the right one."""
    if is_plain(text):
        if len(text) > cells:
            return _plain_cut(text, cells)
        return text.rjust(cells) if right else text.ljust(cells)
    shown = cut(text, cells)
    padding = " " * (cells - width(shown))
    return padding + shown if right else shown + padding


def _plain_cut(text: str, limit: int) -> str:
    return text[: limit - 1] + CUT_MARK if limit > 0 else ""


@lru_cache(maxsize=1024)  # what is on a screen is drawn again and again
def _clean_slowly(text: str, limit: int) -> str:
    shown: list[str] = []
    marks = MARKS_MAX  # no base yet: a mark at the beginning would land on whatever stands to the left
    for char in text:
        if char in _VARIATION_SELECTORS:
            continue  # they ask for another picture of the same character, and terminals disagree on its width
        if _is_mark(char):
            marks += 1
            if marks <= MARKS_MAX:
                shown.append(char)
            elif not shown:
                shown.append(REPLACEMENT)
        else:
            shown.append(_harmless(char))
            marks = 0
    return cut("".join(shown), limit)


@lru_cache(maxsize=2048)
def _is_mark(char: str) -> bool:
    """Whether `char` joins the character before it, without a cell of its own."""
    return unicodedata.category(char) in {"Mn", "Me", "Mc"} and _cells(char) == 0


@lru_cache(maxsize=2048)
def _harmless(char: str) -> str:
    """The one character to show for `char`, which is no combining mark."""
    code = ord(char)
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    hostile = category in _HOSTILE_CATEGORIES or char in _INVISIBLE_LETTERS or char in _WIDTH_CHANGERS
    return REPLACEMENT if hostile or _cells(char) == 0 else char


@lru_cache(maxsize=4096)
def _cells(char: str) -> int:
    """Cells of one character by the table that draws the screen, so that the two never disagree."""
    if char.isascii():
        return 1
    from rich.cells import get_character_cell_size

    return get_character_cell_size(char)
