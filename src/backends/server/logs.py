"""The server's log: JSON lines on stderr, written by a thread of their own.

Whoever reads stderr may stand still, and no request and no stop waits for that: what does not fit is counted instead.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
from typing import Final, TextIO

from backends.keeper.log import JsonLines

_WAITING_MAX: Final = 10_000
_END_S: Final = 2.0


class LogWriter(logging.Handler):
    """Hands records to its thread, and never waits."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.dropped = 0
        self._stream = stream
        self._lines = JsonLines()
        self._waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(_WAITING_MAX)
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record."""
        try:
            self._waiting.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what waits, if somebody reads it, and end."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            pass  # nobody reads
        self._thread.join(_END_S)
        super().close()

    def _write(self) -> None:
        while (record := self._waiting.get()) is not None:
            text = self._lines.format(record)
            if self.dropped:
                text += f'\n{{"event": "lines of the log were dropped", "lines": {self.dropped}}}'
                self.dropped = 0
            try:
                self._stream.write(text + "\n")
                if self._waiting.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                pass  # nobody hears it any more


def log_to_stderr(level: int = logging.INFO) -> LogWriter:
    """Send what the server and the parts under it say, from a level on, to stderr; close it at the end."""
    writer = LogWriter(sys.stderr)
    root = logging.getLogger("opsconsole")
    root.handlers = [writer]
    root.setLevel(level)
    root.propagate = False
    return writer
