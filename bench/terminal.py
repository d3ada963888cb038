"""A program on a terminal of its own, and every byte it sends: what an operator waits for and a slow line carries."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 60.0
"""Seconds for what a program is waited for; far more than it takes."""
CONSOLE = ("-c", "import sys; from opsconsole.__main__ import main; del sys.argv[1:]; main()")
"""The console as it comes. Its last argument is none of its own."""
SURROUNDINGS = {
    "TERM": "xterm-256color",
    "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / f"opsconsole-bench-{os.getuid()}"),
}
"""Of programs that were compiled before, as installed ones are: else the compiler would be measured."""
TICKS = os.sysconf("SC_CLK_TCK")
KEPT = 1 << 16
"""Bytes of the end of the output that are looked through for a word."""


class Terminal:
    """A program on a pty. It is told what to do by lines on a pipe, whose descriptor is its last argument."""

    def __init__(self, arguments: Sequence[str], width: int, height: int, env: Mapping[str, str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        orders, self._orders = os.pipe()
        self.begun = time.perf_counter()
        self._process = subprocess.Popen(
            [*arguments, str(orders)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            pass_fds=[orders],
            cwd=ROOT,
            env={**os.environ, **SURROUNDINGS, **env},
            start_new_session=True,
        )
        os.close(slave)
        os.close(orders)
        self._sent = b""
        self.count = 0

    def read(self, wait_s: float) -> int:
        """Take what was written within ``wait_s``; returns how many bytes."""
        if not select.select([self.master], [], [], max(0.0, wait_s))[0]:
            return 0
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            raise RuntimeError(f"the program ended: {self._sent[-2000:]!r}") from None
        self._sent = (self._sent + data)[-KEPT:]
        self.count += len(data)
        return len(data)

    def until(self, word: str, patience_s: float = PATIENCE_S) -> float:
        """Wait for a word of what is sent from now on; returns when it came, in milliseconds since the start."""
        wanted, deadline = word.encode(), time.perf_counter() + patience_s
        while wanted not in self._sent:
            self.read(1.0)
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{word!r} never came: {self._sent[-2000:]!r}")
        return (time.perf_counter() - self.begun) * 1000

    def shows(self, pattern: str) -> float:
        """Wait until the letters that were sent since ``forget``, whatever their colours, match this; returns when they
        did, in milliseconds since the start."""
        deadline = time.perf_counter() + PATIENCE_S
        while not re.search(pattern, self.text()):
            self.read(1.0)
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{pattern!r} never came: {self.text()[-2000:]!r}")
        return (time.perf_counter() - self.begun) * 1000

    def forget(self) -> None:
        """Look only at what is sent from now on."""
        self._sent, self.count = b"", 0

    def rest(self, quiet_s: float = 0.03) -> None:
        """Read until nothing comes for a while."""
        while self.read(quiet_s):
            pass

    def listen(self, seconds: float) -> int:
        """How many bytes are sent in some time."""
        end, count = time.perf_counter() + seconds, 0
        while (left := end - time.perf_counter()) > 0:
            count += self.read(left)
        return count

    def text(self) -> str:
        """What was sent since ``forget``, without the escape sequences."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._sent.decode("utf-8", errors="replace"))

    def press(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self.master, keys)

    def order(self, line: str) -> None:
        """Tell the program to do something."""
        os.write(self._orders, f"{line}\n".encode())

    def cpu_ms(self) -> float:
        """Processor time that it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / TICKS

    def private_mb(self) -> float:
        """Memory that is its own."""
        rollup = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text()
        return sum(int(kb) for kb in re.findall(r"^Private_\w+:\s+(\d+) kB", rollup, re.MULTILINE)) / 1024

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        os.close(self.master)
        os.close(self._orders)


@contextmanager
def terminal(
    *arguments: str, width: int = 80, height: int = 24, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """A program of ours on a terminal, for some time."""
    opened = Terminal([sys.executable, *arguments], width, height, env or {})
    try:
        yield opened
    finally:
        opened.close()
