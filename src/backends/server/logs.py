"""The server's log: JSON lines on stderr, written by a thread of their own.

Whoever reads stderr may stand still, and no request and no stop waits for that: what does not fit is counted instead.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from typing import Final, TextIO

from backends.keeper.log import JsonLines

_WAITING_MAX: Final = 10_000
_END_S: Final = 2.0

_GATHER_S: Final = 0.02
"""Seconds for which lines are gathered: a thread that is woken for each line takes time from those that make them."""


class LogWriter(logging.Handler):
    """Hands records to its thread, and never waits."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.dropped = 0
        self._stream = stream
        self._lines = JsonLines()
        self._waiting: deque[logging.LogRecord] = deque()
        self._due, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record."""
        if len(self._waiting) >= _WAITING_MAX:
            self.dropped += 1
            return
        self._waiting.append(record)
        if not self._due.is_set():
            self._due.set()

    def close(self) -> None:
        """Write what waits, if somebody reads it, and end."""
        self._ending.set()
        self._due.set()
        self._thread.join(_END_S)
        super().close()

    def _run(self) -> None:
        while not self._ending.is_set():
            self._due.wait()
            self._ending.wait(_GATHER_S)
            self._due.clear()
            self._write()
        self._write()

    def _write(self) -> None:
        """Write all that waits at once."""
        lines = []
        while self._waiting:
            lines.append(self._lines.format(self._waiting.popleft()))
        if self.dropped:
            lines.append(f'{{"event": "lines of the log were dropped", "lines": {self.dropped}}}')
            self.dropped = 0
        if not lines:
            return
        try:
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody hears it any more


_THEIRS: Final = ("uvicorn", "asyncio")
"""Libraries of which only faults are heard; what strangers send them is no news."""


def log_to_stderr(level: int = logging.INFO) -> LogWriter:
    """Send what the server and the parts under it say, from a level on, to stderr; close it at the end."""
    writer = LogWriter(sys.stderr)
    _collect_what_is_written()
    for name, heard in {"opsconsole": level, **dict.fromkeys(_THEIRS, logging.ERROR)}.items():
        root = logging.getLogger(name)
        root.handlers = [writer]
        root.setLevel(heard)
        root.propagate = False
    return writer


def _collect_what_is_written() -> None:
    """Have no record look for its process, its thread and the line of code that made it, of which no line says
    anything: there is one for each request."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 (that is how the guide of the standard library says it is done)
