"""The colours. Each is one of the 256 that terminals agree on, so that a picture and a slow line show the same."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="opsconsole-dark",
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
