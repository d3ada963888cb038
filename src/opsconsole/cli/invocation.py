"""One run of the command line: the options given, the settings that hold, who is asking, and how to answer.

The engine is loaded by `engine` when a command first needs it, so that those that do not need it start fast.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property

from opsconsole.cli import output
from opsconsole.config import Settings, resolve
from opsconsole.dress import Dress, dressed
from opsconsole.render import Document, Listing


class Invocation:
    """What every command gets. ``flags`` holds the global options as they were given, wherever they stood."""

    def __init__(self) -> None:
        self.flags: dict[str, str | bool | None] = {}

    @cached_property
    def settings(self) -> Settings:
        """The settings that hold; `ConfigError` when a layer is wrong."""
        found = resolve(self.flags)
        if found.ascii:
            output.only_ascii()
        return found

    @cached_property
    def actor(self) -> str:
        """The login name behind this process, which no variable can change."""
        return login_name()

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return on_terminal() and not self.settings.no_input

    def show(self, result: Listing | Document) -> None:
        """Write a result to stdout in the format asked for."""
        settings = self.settings
        output.write(result, settings.output, settings.color)

    def say(self, text: str) -> None:
        """Narrate to stderr."""
        output.say(text)


def on_terminal() -> bool:
    """Whether there is a person at a terminal: stdin and stderr are one, and it is not a dumb one."""
    return sys.stdin.isatty() and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def dress_of(settings: Settings) -> Dress:
    """How a console looks on the terminal of this process."""
    encoding = sys.__stderr__.encoding if sys.__stderr__ else None
    return dressed(settings.theme, settings.color, ascii_only=settings.ascii, environ=os.environ, encoding=encoding)


def login_name() -> str:
    """The name of the user whom this process belongs to, or ``uid-N`` where the host knows none."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"
