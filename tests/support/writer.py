"""A process that writes to a fleet: `python -m tests.support.writer URL NAME`.

For each number N on its input it adds N sites, called after NAME and counted on, and prints the last revision and the
time of the last receipt on the clock that all processes of a host share.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from backends import open_backend
from core.capabilities.names import AddName
from core.messages import Actor, Envelope

ROOT = Path(__file__).parents[2]


def main(url: str, name: str) -> None:
    """Write as the input says, until it ends."""
    backend = open_backend(url)
    _say("ready")
    number = 0
    for line in sys.stdin:
        revision = 0
        for _ in range(int(line)):
            command = AddName(dimension="site", name=f"{name}-{number}")
            who = Actor(name=name)
            envelope = Envelope(command_id=f"{name}-{number}", actor=who, door="test", command=command)
            revision = backend.submit(envelope, timeout_s=60).revision
            number += 1
        _say(f"{revision} {time.monotonic()}")
    backend.close()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Written:
    """What a writer did last."""

    revision: int
    at_s: float


class Writer:
    """Such a process, from the outside."""

    def __init__(self, url: str, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.writer", url, name],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self._line() == "ready"
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            assert self._process.wait(60) == 0
        finally:
            self._process.kill()
            assert self._process.stdout is not None
            self._process.stdout.close()

    def begin(self, count: int) -> None:
        """Let it write; `done` waits for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()

    def done(self) -> Written:
        """Wait for what was begun."""
        revision, at_s = self._line().split()
        return Written(int(revision), float(at_s))

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
