"""Free text as it is typed: a reason, a title. Rejected when it cannot be kept as it is, never cut or repaired."""

from __future__ import annotations

from typing import Final

REASON_MAX: Final = 300


def problem_of(text: str) -> str | None:
    """What is wrong with a free text, for the person who typed it, or None."""
    if len(text) > REASON_MAX:
        return f"{len(text)} characters are too many: write at most {REASON_MAX}, and a link to the rest"
    if any("\ud800" <= char <= "\udfff" for char in text):
        return "it is no valid text: write it in the encoding of this terminal"
    return None
