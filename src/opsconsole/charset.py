"""ASCII for terminals that can show nothing else: the last thing that happens to a text before it is painted.

A console font of 256 glyphs, a serial line, a session without UTF-8: whatever else is sent there comes out as rubbish
of another width, and every column behind it shifts. So the fold keeps the width: what decorates becomes the ASCII sign
that means the same, and a character of a name becomes a ``?`` for each cell that it takes, so that nobody takes the
name for another one.
"""

from __future__ import annotations

from typing import Final

from opsconsole.text import DECORATION, width

UNSHOWABLE: Final = "?"

_DECORATION: Final = dict(zip(DECORATION, "-|++++=|++++.:-=+*%#.", strict=True)) | {"·": ".", "…": "~"}
"""The heavy lines of the pane that has the focus stay another sign than the light ones."""


def to_ascii(text: str) -> str:
    """Cleaned `text` in printable ASCII, exactly as many cells wide."""
    if text.isascii():
        return text
    return "".join(map(_folded, text))


def _folded(char: str) -> str:
    if char.isascii():
        return char
    return _DECORATION.get(char, UNSHOWABLE * width(char))
