"""Strings that have broken screens: each would do harm if a face showed it as it came."""

from __future__ import annotations

import random

HOSTILE = {
    "title": "\x1b]0;owned\x07",
    "colour": "\x1b[31mred\x1b[0m",
    "c1 colour": "\x9b31mred",
    "clear screen": "\x1b[2J\x1b[H",
    "query": "\x1b[6n\x1b[c",
    "newline": "a\nb\r\nc\td",
    "nul": "a\x00b",
    "delete": "a\x7f\x08b",
    "right to left": "\u202eoff\u202c \u2066x\u2069",
    "zero width": "shop\u200b-\u200ceu\u200d\ufeff",
    "zalgo": "s" + "\u0301\u0327" * 200 + "hop",
    "leading mark": "\u0301shop",
    "surrogate": "a\ud800b\udfff",
    "private": "\ue000\U000f0000",
    "unassigned": "\u0378\U0001f8ff",
    "wide": "\u7ad9\u70b9" * 150,
    "flags and families": "\U0001f1e9\U0001f1ea\U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f44d\U0001f3fd",
    "emoji selector": "\u2764\ufe0f\u2764\ufe0e",
    "blank letters": "a\u3164\u115f\u1160\uffa0\u2800b",
    "jamo": "\u1112\u1161\u11ab",
    "separators": "a\u2028b\u2029c\x85d",
    "spaces": "a\u00a0b\u2003c\u3000d",
    "markup": "[red]x[/nope] [@click=app.quit]y[/]",
    "long": "x" * 100_000,
}

PIECES = (
    *(text[:300] for text in HOSTILE.values()),
    "[b]", "[/]", "[/b]", "[link=x]", "\x1b]8;;http://x\x07", "\x1bP+q\x1b\\", "\x9d0;t\x9c", "\x90", "\x1b[?1049l",
    "\x1bc",
    "\u2066", "\u2069", "\u200e", "\ufe0f", "\u0600", "\ud83d", "\udc80", "\0", "\r", "\n", "\x85", "\x7f", "\x08",
    "'", '"', "=1+1", "@SUM(A1)", "{}", "{e}", "%s", "\\", "--all", "-", " ", "s1", "/", "#", "S-1/w-1",
)  # fmt: skip
"""What the strings of a sweep are made of."""

INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters by their category, and nothing to see."""


def strings(seed: int, number: int) -> list[str]:
    """Texts of at most 300 characters: what has broken screens in every order, and any character there is."""
    chance = random.Random(seed)
    return ["".join(_piece(chance) for _ in range(chance.randint(1, 6)))[:300] for _ in range(number)]


def _piece(chance: random.Random) -> str:
    if chance.random() < 0.7:
        return chance.choice(PIECES)
    return "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randint(1, 8)))


def harmless(text: str) -> bool:
    """Whether `text` changes nothing on a terminal but the cells it stands in: no control, C1, bidirectional or
    zero-width character, surrogate, private or unassigned one, and no space but the plain one."""
    return text.isprintable() and INVISIBLE.isdisjoint(text)
