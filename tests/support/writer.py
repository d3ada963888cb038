"""A process that writes to a fleet: `python -m tests.support.writer URL NAME`.

For each number N on its input it adds N sites, called after NAME and counted on, and prints the last revision and the
time of the last receipt on the clock that all processes of a host share.
"""

import os
import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from backends import open_backend
from core.capabilities.names import AddName
from core.messages import Actor, Envelope
from tests.support import warm


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
        reads, wants = os.pipe()
        said, says = os.pipe()
        self._wants, self._said = os.fdopen(wants, "w"), os.fdopen(said)
        try:
            self._process = warm.start("tests.support.writer", url, name, streams=(reads, says, 2))
        finally:
            os.close(reads)
            os.close(says)

    def __enter__(self) -> Self:
        assert self._line() == "ready"
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._wants.close()
        try:
            assert self._process.wait(60) == 0
        finally:
            self._process.kill()
            self._said.close()

    def begin(self, count: int) -> None:
        """Let it write; `done` waits for it."""
        self._wants.write(f"{count}\n")
        self._wants.flush()

    def done(self) -> Written:
        """Wait for what was begun."""
        revision, at_s = self._line().split()
        return Written(int(revision), float(at_s))

    def _line(self) -> str:
        return self._said.readline().strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
