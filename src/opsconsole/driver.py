"""The drivers of the console: a terminal that may send anything and go away at any time, or none at all."""

from __future__ import annotations

import contextlib
import os
import select
from typing import IO, Any, cast

from textual.drivers.headless_driver import HeadlessDriver
from textual.drivers.linux_driver import LinuxDriver

from opsconsole.ear import HasEar, HearsTheStop
from opsconsole.keys import KeyReader
from opsconsole.outlet import Outlet

READ_BYTES = 4096
POLL_S = 0.1
LAST_BYTES_S = 1.0

EXPLICIT_DIRECTION, IMPLICIT_DIRECTION = "\x1b[8l", "\x1b[8h"
"""ECMA-48 BDSM. Terminals that reorder right-to-left runs would swap the columns beside a Hebrew or Arabic name."""


class HeadlessConsoleDriver(HearsTheStop, HeadlessDriver):
    """The console without a terminal: scripts and tests press keys through the same chord."""


class ConsoleDriver(HearsTheStop, LinuxDriver):
    """The console on a terminal."""

    def __init__(
        self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._outlet = Outlet(cast("IO[str]", self._file), self._frames_were_lost)
        self._file = cast("Any", self._outlet)
        self._held = self._leash = -1  # two ends of a pipe: letting go of the leash ends the thread that reads keys

    def start_application_mode(self) -> None:
        """Take the terminal over."""
        cast("HasEar", self._app).heed_signals()
        self._held, self._leash = os.pipe2(os.O_CLOEXEC)
        super().start_application_mode()  # type: ignore[no-untyped-call] # Textual leaves this one without types
        self.write(EXPLICIT_DIRECTION)

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self.write(IMPLICIT_DIRECTION)
        super().stop_application_mode()

    def disable_input(self) -> None:
        """Read no more keys."""
        if self._leash >= 0:
            os.close(self._leash)
            self._leash = -1
        super().disable_input()

    def close(self) -> None:
        """Wait for the last bytes, unless nobody reads them."""
        super().close()
        self._outlet.drain(LAST_BYTES_S)

    def _frames_were_lost(self) -> None:
        """The terminal reads again and has missed something."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is nothing left to paint
            self._loop.call_soon_threadsafe(cast("HasEar", self._app).paint_anew)

    def run_input_thread(self) -> None:
        """Read keys until the console ends or the terminal is gone. Sleeps for as long as nothing is typed."""
        keys, held = KeyReader(self.process_message), self._held
        ear = cast("HasEar", self._app).ear
        poller = select.poll()
        poller.register(self.fileno, select.POLLIN)
        poller.register(held, select.POLLIN)
        try:
            while held not in (ready := dict(poller.poll(POLL_S * 1000 if keys.awaits() else None))):
                if not ready:
                    keys.nothing_came()
                elif data := self._read():
                    with ear.one_read():
                        keys.feed(data)
                else:
                    self._loop.call_soon_threadsafe(cast("HasEar", self._app).hang_up)
                    return
        finally:
            os.close(held)

    def _read(self) -> bytes:
        """What the terminal sent; empty when it is gone, which a pty says with EIO and a pipe with end of file."""
        try:
            return os.read(self.fileno, READ_BYTES)
        except OSError:
            return b""
