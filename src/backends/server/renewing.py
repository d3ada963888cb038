"""Files that are renewed while a server runs: its certificate, and the secrets of its hooks.

A server that had to be restarted for a new one would be restarted too late. So it takes over what the files say now;
where that is of no use, what they said before stays.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from backends.configuration import ConfigurationFault
from backends.keeper.log import NAME

_log = logging.getLogger(NAME)

T = TypeVar("T")

_Stamps = tuple[tuple[int, int, int] | None, ...]
"""Of each file when it was written, which it is and how long; None where it is not there."""


class Renewable(Protocol):
    """What is looked at again and again."""

    def look(self) -> None:
        """Take over what has changed; called on a thread of its own, for a disk may hang."""


class Renewed(Generic[T]):
    """What some files say. ``value`` may be read from any thread."""

    def __init__(self, what: str, files: Sequence[Path], read: Callable[[], T]) -> None:
        """``what`` names it in the log. ``read`` raises OSError or `ConfigurationFault` where the files are not what
        they should be, and so does this."""
        self._what, self._files, self._read = what, tuple(files), read
        self._seen = self._stamps()
        self.value = read()

    def look(self) -> None:
        """Read the files, where they have changed."""
        stamps = self._stamps()
        if stamps == self._seen:
            return
        self._seen = stamps
        try:
            self.value = self._read()
        except (OSError, ConfigurationFault) as error:  # a file may be under way; what was read before is good
            why = getattr(error, "strerror", None) or str(error)
            _log.error(f"a new {self._what} is of no use, and the old one stays", extra={"why": why})
        else:
            _log.info(f"a new {self._what} counts from now on", extra={"file": str(self._files[0])})

    def _stamps(self) -> _Stamps:
        return tuple(map(_stamp, self._files))


class Renewing(threading.Thread):
    """Looks again and again, until `close`."""

    def __init__(self, renewables: Sequence[Renewable], every_s: float) -> None:
        super().__init__(name="renewing", daemon=True)
        self._renewables = tuple(renewables)
        self._every_s = every_s
        self._ending = threading.Event()

    def run(self) -> None:
        """The life of the thread."""
        while not self._ending.wait(self._every_s):
            for each in self._renewables:
                each.look()

    def close(self) -> None:
        """Look no more."""
        self._ending.set()


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
