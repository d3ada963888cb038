"""How the console is dressed on one terminal: its theme, how many colours, which characters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Colors = Literal["as the terminal says", "16", "none"]

THEMES: Final = ("dark", "light", "high-contrast", "ansi", "none")
"""The names that people type. ``ansi`` takes the 16 colours of the terminal's own palette, ``none`` takes none."""

_SIMPLE_TERMINALS: Final = frozenset({"linux", "screen"})


class Dress(NamedTuple):
    """What is decided before the console starts. Only the theme changes while it runs."""

    theme: str = "dark"
    colors: Colors = "as the terminal says"
    ascii_only: bool = False


DARK: Final = Dress()
"""Where nobody decided anything."""


def is_simple(environ: Mapping[str, str]) -> bool:
    """Whether ``TERM`` names a terminal with few colours and few characters, such as the console of a server."""
    return environ.get("TERM", "").partition("-")[0].partition(".")[0] in _SIMPLE_TERMINALS


def dressed(
    theme: str | None, color: str, *, ascii_only: bool, environ: Mapping[str, str], encoding: str | None
) -> Dress:
    """What the settings `theme`, `color` and `ascii_only` come to on a terminal.

    `encoding` is that of the stream that leads there; where it is not UTF-8, nothing but ASCII leaves. Without a
    setting a simple terminal gets the 16 colours of its own palette, for those are what its operator can read.
    """
    ascii_only = ascii_only or (encoding or "").lower().replace("-", "") != "utf8"
    if color == "never" or theme == "none":
        return Dress("none", "none", ascii_only)
    if color == "ansi16" or (color == "auto" and is_simple(environ)):
        return Dress(theme or "ansi", "16", ascii_only)
    return Dress(theme or "dark", ascii_only=ascii_only)
