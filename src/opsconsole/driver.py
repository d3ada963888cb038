"""The drivers of the console: a terminal that may send anything and go away at any time, or none at all."""

from __future__ import annotations

import contextlib
import os
import selectors
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

    def start_application_mode(self) -> None:
        """Take the terminal over."""
        cast("HasEar", self._app).heed_signals()
        super().start_application_mode()  # type: ignore[no-untyped-call] # Textual leaves this one without types
        self.write(EXPLICIT_DIRECTION)

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self.write(IMPLICIT_DIRECTION)
        super().stop_application_mode()

    def close(self) -> None:
        """Wait for the last bytes, unless nobody reads them."""
        super().close()
        self._outlet.drain(LAST_BYTES_S)

    def _frames_were_lost(self) -> None:
        """The terminal reads again and has missed something."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is nothing left to paint
            self._loop.call_soon_threadsafe(cast("HasEar", self._app).paint_anew)

    def run_input_thread(self) -> None:
        """Read keys until the console ends or the terminal is gone."""
        keys = KeyReader(self.process_message)
        ear = cast("HasEar", self._app).ear
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if not selector.select(POLL_S):
                    keys.nothing_came()
                elif data := self._read():
                    with ear.one_read():
                        keys.feed(data)
                else:
                    self._loop.call_soon_threadsafe(cast("HasEar", self._app).hang_up)
                    return

    def _read(self) -> bytes:
        """What the terminal sent; empty when it is gone, which a pty says with EIO and a pipe with end of file."""
        try:
            return os.read(self.fileno, READ_BYTES)
        except OSError:
            return b""
