"""Text for the clipboard of whoever sits at the terminal, as bytes for that terminal.

A terminal takes it by an escape sequence (OSC 52) and does not answer, so what can be said is that it was sent, never
that it was copied. tmux and screen pass it on only in a wrapping of their own.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

BYTES_MAX = 50_000
"""More than this common terminals drop without a word."""
SCREEN_CHUNK = 512
"""screen passes on strings of at most 768 bytes."""


def sequence(text: str, environ: Mapping[str, str]) -> str:
    """What to send so that `text` is in the clipboard. `environ` says what stands between here and the terminal.

    Raises ValueError when `text` is more than a terminal takes.
    """
    data = text.encode()
    if len(data) > BYTES_MAX:
        raise ValueError(f"too long for a clipboard: {len(data)} bytes, a terminal takes {BYTES_MAX}")
    plain = f"\x1b]52;c;{b64encode(data).decode()}\x07"
    term = environ.get("TERM", "")
    if environ.get("TMUX") or term.startswith("tmux"):
        return f"\x1bPtmux;{plain.replace(chr(27), chr(27) * 2)}\x1b\\"
    if environ.get("STY") or term.startswith("screen"):
        return "".join(f"\x1bP{plain[at : at + SCREEN_CHUNK]}\x1b\\" for at in range(0, len(plain), SCREEN_CHUNK))
    return plain
