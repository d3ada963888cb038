"""Where results and narration go: data to stdout, the rest to stderr, colour only where it was asked for."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from core.errors import OpsError
from opsconsole.nowhere import give_up
from opsconsole.render import Document, Listing, rendered
from opsconsole.text import clean

_REVERSE, _BOLD, _RESET = "\x1b[7m", "\x1b[1m", "\x1b[0m"
_SIGNS: Final = re.compile(r"\[STOP\]|\[PART\]|\[\?{4}\]|\bPARTIAL\b|\bUNVERIFIED\b|\bMISSING\b|^NOT \w+")


class ReaderLeft(Exception):
    """Whoever read our output had enough: no fault. Not an OSError, which Click would take for its own."""


def forgive_encodings() -> None:
    """Let no stream fail on a character that it cannot encode."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def only_ascii() -> None:
    """Write nothing but ASCII from now on, data and narration alike; the rest as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="ascii", errors="backslashreplace")


def say(text: str) -> None:
    """Narrate one line to stderr, made harmless."""
    try:
        print(clean(text, 10_000), file=sys.stderr, flush=True)  # noqa: T201 - the one place that narrates
    except OSError:
        give_up(sys.stderr)  # nobody hears it any more; what is done is done all the same


def complain(text: str) -> None:
    """Say on stderr what is wrong, as the last line of a command that failed."""
    say(f"opsconsole: {text}")


def write(result: Listing | Document, output: str, color: str) -> None:
    """Write a result to stdout."""
    painted = output == "table" and _wants_color(color, sys.stdout)
    for line in rendered(result, output):
        put(_SIGNS.sub(_emphasised, line) if painted else line)
    flush()


def put(line: str) -> None:
    """Write one line of data to stdout. Raises `ReaderLeft`, or `OpsError` when it cannot be written."""
    with _writing():
        print(line)  # noqa: T201 - the one place that writes data


def flush() -> None:
    """Let whoever reads stdout have everything."""
    with _writing():
        sys.stdout.flush()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        give_up(sys.stdout)
        raise ReaderLeft from None
    except OSError as error:
        give_up(sys.stdout)
        raise OpsError(
            "output-failed", f"the output could not be written: {error.strerror}", "what was done is done"
        ) from None


def _emphasised(sign: re.Match[str]) -> str:
    """Weight repeats what the word says; hue would carry meaning that some cannot see."""
    return f"{_REVERSE if sign[0] == '[STOP]' else _BOLD}{sign[0]}{_RESET}"


def _wants_color(color: str, stream: TextIO) -> bool:
    if color == "auto":
        return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return color != "never"
