"""Strings that have broken screens: each would do harm if a face showed it as it came."""

from __future__ import annotations

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
