"""The signals that tell a process to end, as something to wait for, and the one that tells that a child has ended.

Python runs the handler of a signal on the main thread, whichever thread the kernel has interrupted for it. A main
thread that waits for a lock does not notice, and one that is just about to wait for an event holds the lock that to set
the event takes. So the interpreter is told to write each signal into a socket, and the main thread waits for that.

What is written there only wakes it: a child that is forked, and has become no other program yet, writes there too.
"""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Iterable
from types import FrameType


def hear_of_children() -> None:
    """Have the kernel keep how each child ended until somebody asks. For the main thread, before anything is started.

    Whoever ignores that signal hands this on to what it starts, as some starters of services do. Then the kernel
    forgets children as they end, and every command passes for one with the exit code 0.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


class Ending:
    """Waits for any of some signals. For the main thread; lasts as long as the process."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self.number: int | None = None
        """The signal that came first."""
        self._ear, self._bell = socket.socketpair()
        self._bell.setblocking(False)
        signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, self._came)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait so many seconds at most, for ever without a number; whether one has come."""
        while self.number is None and select.select([self._ear], [], [], timeout_s)[0]:
            self._ear.recv(4096)  # whose signals they are, the handler knows, and it has run when this turns round
        return self.number is not None

    def _came(self, number: int, _frame: FrameType | None) -> None:
        """On the main thread, soon after."""
        self.number = number if self.number is None else self.number
