"""The names of keys, as scripts write them: a character stands for itself, other keys have names."""

from __future__ import annotations

import re
from typing import Final

NAMED: Final = (
    "backspace",
    "delete",
    "down",
    "end",
    "enter",
    "escape",
    "home",
    "insert",
    "left",
    "pagedown",
    "pageup",
    "right",
    "space",
    "tab",
    "up",
    *(f"f{number}" for number in range(1, 13)),
)
"""Keys that type nothing; ``ctrl+``, ``shift+`` and ``alt+`` may stand before them."""

_MODIFIED: Final = re.compile(r"((?:ctrl|shift|alt)\+)+(.+)")


def is_key(name: str) -> bool:
    """Whether there is such a key."""
    if len(name) == 1:
        return name.isprintable()
    if found := _MODIFIED.fullmatch(name):
        return found[2] in NAMED or (len(found[2]) == 1 and found[2].isprintable())
    return name in NAMED
