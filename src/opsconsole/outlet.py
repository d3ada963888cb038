"""The way out to the terminal, which may be slow, stop reading, or go away, and must never hold up the console.

Textual hands its frames to a thread with a queue of thirty places, and when a stalled connection fills it, the event
loop waits for a place: keys, signals and countdowns with it. So that thread writes here instead, where nothing waits.
What a terminal has not taken is kept up to a bound; beyond it frames are dropped, and when the terminal reads again it
gets one whole picture of what is true then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import IO

from opsconsole.nowhere import give_up

BACKLOG_MAX = 256 * 1024
"""Characters kept for a terminal that does not read: a few whole frames of a large screen."""


class Outlet:
    """A file that takes everything at once. `resync` is called, on the outlet's thread, when frames were lost."""

    def __init__(self, file: IO[str], resync: Callable[[], None]) -> None:
        self._file = file
        self._resync = resync
        self._pending: list[str] = []
        self._size = 0
        self._lost = False
        self._writing = False
        self._gone = False
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="outlet", daemon=True).start()

    def write(self, text: str) -> int:
        """Take `text`; never waits."""
        with self._changed:
            if self._gone or self._size > BACKLOG_MAX:
                self._lost = True
            else:
                self._pending.append(text)
                self._size += len(text)
                self._changed.notify_all()
        return len(text)

    def flush(self) -> None:
        """Nothing to do: what was taken is on its way."""

    def fileno(self) -> int:
        """The descriptor of the terminal."""
        return self._file.fileno()

    def drain(self, timeout_s: float) -> None:
        """Wait until the terminal has taken everything, but not for ever: the console must be able to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._gone or not (self._pending or self._writing), timeout_s)

    def _run(self) -> None:
        while not self._gone:
            with self._changed:
                self._changed.wait_for(lambda: self._pending)
                text, self._pending, self._writing = "".join(self._pending), [], True
            self._put(text)
            with self._changed:
                self._size -= len(text)
                self._writing = False
                caught_up = self._lost and not self._pending
                self._lost = self._lost and not caught_up
                self._changed.notify_all()
            if caught_up:
                self._resync()

    def _put(self, text: str) -> None:
        try:
            self._file.write(text)
            self._file.flush()
        except (OSError, ValueError):  # the terminal is gone, or closed, and whoever reads keys will hear of it
            give_up(self._file)
            self._gone = True
