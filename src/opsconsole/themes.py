"""The colours. Each is one of the 256 that terminals agree on, so that a picture and a slow line show the same."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import BUILTIN_THEMES, Theme

PREFIX = "opsconsole-"
"""Before the name of each, for Textual has themes of its own."""

DARK = Theme(
    name=PREFIX + "dark",
    primary="#5fafff",
    accent="#5fd7ff",
    foreground="#e4e4e4",
    background="#121212",
    success="#5fd787",
    warning="#ffaf5f",
    error="#ff5f5f",
    dark=True,
    variables={"foreground-muted": "#8a8a8a"},
)
"""Keys are blue and alarms are warm, so that nobody takes one for the other; the words say it all without either."""

LIGHT = Theme(
    name=PREFIX + "light",
    primary="#005faf",
    accent="#005faf",
    foreground="#121212",
    background="#ffffff",
    success="#005f00",
    warning="#875f00",
    error="#af0000",
    dark=False,
    variables={"foreground-muted": "#626262"},
)
"""The same meanings on white; each hue is dark enough to be read there."""

HIGH_CONTRAST = Theme(
    name=PREFIX + "high-contrast",
    primary="#ffffff",
    accent="#00ffff",
    foreground="#ffffff",
    background="#000000",
    success="#00ff00",
    warning="#ffff00",
    error="#ff8787",
    dark=True,
    variables={"foreground-muted": "#d0d0d0"},
)
"""White on black, and nothing greyed out."""

ANSI = Theme(
    name=PREFIX + "ansi",
    ansi=True,
    primary="ansi_blue",
    accent="ansi_cyan",
    foreground="ansi_default",
    background="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    dark=True,
    variables=BUILTIN_THEMES["ansi-dark"].variables | {"foreground-muted": "ansi_default"},
)
"""The 16 colours of the terminal's palette over its own foreground and background, whatever its owner made of them."""

ALL = (DARK, LIGHT, HIGH_CONTRAST, ANSI)


class WithoutColor(LineFilter):
    """Takes every colour away, even the word for the terminal's own: bold and reverse video are left."""

    def apply(self, segments: Sequence[Segment], background: Color) -> list[Segment]:
        """The same text without a hue."""
        return [Segment(text, _weight(style) if style else None, control) for text, style, control in segments]


@lru_cache(maxsize=256)
def _weight(style: Style) -> Style:
    return Style(bold=style.bold or None, reverse=style.reverse or None)
