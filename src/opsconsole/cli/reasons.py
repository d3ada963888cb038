"""Free text as it is typed: a reason, a title. Rejected when it cannot be kept as it is, never cut or repaired; but
for the reason of a stop, for which no stop is ever refused.
"""

from __future__ import annotations

from typing import Final

REASON_MAX: Final = 300
CUT_MARK: Final = " [cut]"


def problem_of(text: str) -> str | None:
    """What is wrong with a free text, for the person who typed it, or None."""
    if len(text) > REASON_MAX:
        return f"{len(text)} characters are too many: write at most {REASON_MAX}, and a link to the rest"
    if any(map(_is_half_a_letter, text)):
        return "it is no valid text: write it in the encoding of this terminal"
    return None


def fitted(typed: str) -> tuple[str, str]:
    """The reason of a stop as it can be kept, and a sentence about what was changed; empty where nothing was.

    Control characters become spaces and half letters become marks; what is too long is cut and says so.
    """
    text = "".join(map(_kept, typed))
    said = [] if text == typed else ["characters that are no text were replaced"]
    if len(text) > REASON_MAX:
        said.append(f"it was cut from {len(text)} to {REASON_MAX} characters")
        text = text[: REASON_MAX - len(CUT_MARK)] + CUT_MARK
    return text, f"the reason is not kept as typed: {' and '.join(said)}" if said else ""


def _kept(char: str) -> str:
    if char < " " or "\x7f" <= char <= "\x9f":
        return " "
    return "\N{REPLACEMENT CHARACTER}" if _is_half_a_letter(char) else char


def _is_half_a_letter(char: str) -> bool:
    """What bytes of another encoding become; no encoding can write it."""
    return "\ud800" <= char <= "\udfff"
