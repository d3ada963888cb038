"""What keys are called: by the terminal library, by a configuration file, and on the screen."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable
from typing import Final

_SHORT: Final = {
    "SOLIDUS": "slash",
    "REVERSE SOLIDUS": "backslash",
    "COMMERCIAL AT": "at",
    "HYPHEN-MINUS": "minus",
    "PLUS SIGN": "plus",
    "LOW LINE": "underscore",
}
_NAMED: Final = {
    "tab": "Tab",
    "shift+tab": "Shift-Tab",
    "space": "Space",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "insert": "Ins",
    "delete": "Del",
    "escape": "Esc",
    "enter": "Enter",
    "backspace": "Backspace",
}
_SAME_AS_ANOTHER: Final = frozenset("hijm")
"""With ctrl these are Backspace, Tab and Enter on most terminals: bound, they would act when nobody meant them."""


def name_of(character: str) -> str:
    """What the key that types this ASCII `character` is called: itself, or ``question_mark`` for ``?``."""
    if character.isalnum():
        return character
    unicode_name = unicodedata.name(character)
    return _SHORT.get(unicode_name, unicode_name.lower().replace("-", "_").replace(" ", "_"))


_CHARACTERS: Final = {name_of(char): char for char in string.punctuation}
_WITH_CTRL: Final = {f"ctrl+{letter}": f"^{letter}" for letter in string.ascii_lowercase}
_FUNCTION: Final = {f"f{number}": f"F{number}" for number in range(1, 13)}
_SHOWN: Final = _CHARACTERS | _WITH_CTRL | _FUNCTION | _NAMED


def read_key(text: str) -> str | None:
    """The key that a person means by ``x``, ``?``, ``ctrl+x``, ``^x``, ``f5`` or ``pagedown``; None for no such key."""
    if len(text) == 1 and text.isascii() and text.isprintable() and text != " ":
        return name_of(text)
    name = f"ctrl+{text[1:]}" if len(text) == 2 and text[0] == "^" else text
    name = name.lower().replace("-", "+")
    if name not in _SHOWN or name.removeprefix("ctrl+") in _SAME_AS_ANOTHER:
        return None
    return name


def show_key(name: str) -> str:
    """A key as people read it."""
    return _SHOWN.get(name, name)


def show_keys(names: Iterable[str]) -> str:
    """Keys as people read them; empty for none."""
    return " ".join(map(show_key, names))
