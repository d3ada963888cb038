"""Keep the terminal from echoing what is typed before the console is up, and give it back as it was.

What is typed ahead is not lost: it waits in the terminal and is the console's first input, read as keys by the rules
of the chord. So ``!`` and ``S`` typed ahead stop, as they do at any other moment, and prose typed ahead never does.
Commands that answer on the terminal are left alone: they have no keys, and their questions need the echo.
"""

from __future__ import annotations

import getopt
import os
import signal
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from opsconsole.settings import SETTINGS

ENDS = (signal.SIGTERM, signal.SIGHUP)
"""What would end the program before there is a console that gives the terminal back."""

DEMO_OPTIONS = ("workers=", "sites=", "seconds=")


@contextmanager
def hushed(arguments: Sequence[str]) -> Iterator[None]:
    """No echo and no line editing while this lasts, where these arguments open the console on a terminal."""
    descriptor = _terminal() if opens_the_console(arguments) else None
    if descriptor is None:
        yield
        return
    before = termios.tcgetattr(descriptor)
    handlers = {number: signal.signal(number, _end) for number in ENDS if signal.getsignal(number) is signal.SIG_DFL}
    try:
        quiet = termios.tcgetattr(descriptor)
        quiet[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(descriptor, termios.TCSANOW, quiet)
        yield
    finally:
        with suppress(termios.error):  # the terminal is gone, and nobody sees what it would have echoed
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def opens_the_console(arguments: Sequence[str]) -> bool:
    """Whether these arguments name no command, or the demo; whatever is not plainly so does not."""
    short = "".join(f"{setting.short[1:]}:" for setting in SETTINGS if setting.short)
    long = [setting.flag[2:] + ("" if setting.kind == "switch" else "=") for setting in SETTINGS]
    try:
        _, words = getopt.gnu_getopt(list(arguments), short, [*long, "no-read-only", *DEMO_OPTIONS])
    except getopt.GetoptError:
        return False
    return words in ([], ["demo"])


def _terminal() -> int | None:
    """The terminal that keys come from, where somebody sits at one."""
    with suppress(OSError, ValueError, AttributeError):  # closed streams, or none at all
        if sys.stdin.isatty() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            return sys.stdin.fileno()
    return None


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
