"""A real terminal: a pty with a program in it, its screen as pyte sees it, and every byte that was sent."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pyte

from tests.support.warm import Process, start

DEADLINE_S = 60.0
TERM = "xterm-256color"
ROOT = Path(__file__).parents[2]

OWN = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGHUP, getattr(signal, sys.argv[1]))
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Makes a terminal one's own, which can be done in the new process only, and there not between fork and exec: the one
that starts it may have threads."""


def owning(*command: str, hangup: str = "SIG_DFL") -> list[str]:
    """A command that takes its standard input as its controlling terminal; `hangup` is what SIGHUP does to it."""
    return [sys.executable, "-I", "-S", "-c", OWN, hangup, *command]


def resize(descriptor: int, width: int, height: int) -> None:
    """Tell a terminal its size; who runs on it gets SIGWINCH."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


class Terminal:
    """A program with arguments on a pty of its own, as its controlling terminal.

    It is the module `warm`, forked where everything is imported already, or a `program` that starts by itself.
    """

    def __init__(
        self,
        *arguments: str,
        warm: str = "",
        program: str = sys.executable,
        width: int = 80,
        height: int = 24,
        ignore_hangup: bool = False,
    ) -> None:
        self.master, self._slave = pty.openpty()
        resize(self.master, width, height)
        self.before = termios.tcgetattr(self._slave)
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.sent = bytearray()

        hangup = "SIG_IGN" if ignore_hangup else "SIG_DFL"
        environment = os.environ | {"TERM": TERM, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        self.process: subprocess.Popen[bytes] | Process
        if warm:
            self.process = start(warm, *arguments, streams=[self._slave] * 3, environment=environment, hangup=hangup)
        else:
            self.process = subprocess.Popen(
                owning(program, *arguments, hangup=hangup),
                stdin=self._slave,
                stdout=self._slave,
                stderr=self._slave,
                cwd=ROOT,
                env=environment,
                start_new_session=True,
            )

    def type(self, data: bytes) -> None:
        """Send keys."""
        os.write(self.master, data)

    def text(self) -> str:
        """The screen. The second cell of a wide letter is empty, also where only its first one was painted over."""
        rows = range(self.screen.lines)
        cells = range(self.screen.columns)
        return "\n".join("".join(self.screen.buffer[y][x].data for x in cells).rstrip() for y in rows)

    def until(self, true: Callable[[], bool], *, reading: bool = True, within_s: float = DEADLINE_S) -> None:
        """Wait for something, reading what the program writes unless told not to."""
        deadline = time.monotonic() + within_s
        while not true():
            assert time.monotonic() < deadline, f"never came true; the screen said:\n{self.text()}"
            if reading:
                self.read(0.02)
            else:
                time.sleep(0.02)  # what is waited for happens in another process and tells nobody

    def until_said(self, words: str) -> None:
        """Wait until the screen says something."""
        self.until(lambda: words in self.text())

    def read(self, wait_s: float) -> int:
        """Take what was written within `wait_s`; returns how many bytes."""
        if not select.select([self.master], [], [], wait_s)[0]:
            return 0
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:  # the other end is gone
            return 0
        self.sent += data
        self._stream.feed(data)
        return len(data)

    def bytes_within(self, seconds: float) -> int:
        """How many bytes the program writes in some time."""
        end, count = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0:
            count += self.read(left)
        return count

    @staticmethod
    def leave_alone(seconds: float) -> None:
        """Do not read the terminal for a while: what the program writes piles up."""
        time.sleep(seconds)  # the passing of real time is what is tested here

    def ended(self) -> int:
        """Wait for its end; returns its exit code."""
        self.until(lambda: self.process.poll() is not None)
        while self.read(0.1):
            pass  # a kernel under load hands over its last words in parts
        assert self.process.returncode is not None
        return self.process.returncode

    def is_restored(self) -> bool:
        """Whether the terminal is as it was: its attributes, its screen, its cursor."""
        return (
            termios.tcgetattr(self._slave) == self.before
            and self.sent.rfind(b"\x1b[?1049l") > self.sent.rfind(b"\x1b[?1049h")
            and self.sent.rfind(b"\x1b[?25h") > self.sent.rfind(b"\x1b[?25l")
        )

    def echoes(self) -> bool:
        """Whether the terminal echoes what is typed."""
        return bool(termios.tcgetattr(self._slave)[3] & termios.ECHO)

    def hang_up(self) -> None:
        """The terminal goes away."""
        os.close(self._slave)
        os.close(self.master)
        self.master = self._slave = -1

    def cpu_s(self) -> float:
        """Processor time that it has used."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        self.screen.resize(height, width)
        resize(self.master, width, height)

    def close(self) -> None:
        """End it, however it stands."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for descriptor in (self.master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)


@contextmanager
def terminal(
    *arguments: str,
    warm: str = "",
    program: str = sys.executable,
    width: int = 80,
    height: int = 24,
    ignore_hangup: bool = False,
) -> Iterator[Terminal]:
    """A program on a terminal for the time of a test."""
    opened = Terminal(*arguments, warm=warm, program=program, width=width, height=height, ignore_hangup=ignore_hangup)
    try:
        yield opened
    finally:
        opened.close()
