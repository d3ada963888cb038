"""The command line as a test types it: in this process where only the answer matters, in one of its own otherwise."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opsconsole.cli.guard import explained
from opsconsole.cli.main import command_line
from opsconsole.cli.stop_line import read
from opsconsole.cli.stopping import stop
from opsgate.wire import ask
from tests.support import warm
from tests.support.hired import hire

SRC = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Answer:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its data."""
        return json.loads(self.out)

    @property
    def jsonl(self) -> list[Any]:
        """Its data, line by line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Shell:
    """Types commands into this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Answer:
        """Carry out one command line as `opsconsole.__main__` would, without its signals."""
        self._capsys.readouterr()
        wanted = read(arguments) if "stop" in arguments else None
        code = explained(lambda: command_line(arguments) if wanted is None else stop(wanted))
        said = self._capsys.readouterr()
        return Answer(int(code), said.out, said.err)

    def ok(self, *arguments: str) -> Answer:
        """The same for a command that must succeed."""
        answer = self(*arguments)
        assert answer.code == 0, f"{' '.join(arguments)}: exit {answer.code}\n{answer.out}{answer.err}"
        return answer


def environment(**more: str) -> dict[str, str]:
    """What a process of its own gets: this test's home, and the sources."""
    return os.environ | {"PYTHONPATH": str(SRC)} | more


def run(
    *arguments: str | bytes, text: str | None = None, timeout_s: float = 120.0, prelude: str = "", **environ: str
) -> Answer:
    """Carry out one command line in a process of its own, without a terminal.

    It first does ``prelude``, as a shell or a service manager would. Where it is given what an interpreter reads for
    itself, it has one of its own, and no prelude.
    """
    if not any(name.startswith(("PYTHON", "LC_")) for name in environ):
        code, out, err = warm.run(
            "opsconsole",
            *arguments,
            text=text or "",
            environment=environment(**environ),
            prelude=prelude,
            timeout_s=timeout_s,
        )
        return Answer(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
    done = subprocess.run(
        [sys.executable, "-m", "opsconsole", *arguments],
        env=environment(**environ),
        input=(text or "").encode(),
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )
    return Answer(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


class Running(warm.Process):
    """A command that goes on, and what it writes."""

    def __init__(self, *arguments: str, **environ: str) -> None:
        read_out, write_out = os.pipe()
        read_err, write_err = os.pipe()
        self.stdout = os.fdopen(read_out, encoding="utf-8")
        self.stderr = os.fdopen(read_err, encoding="utf-8")
        with Path(os.devnull).open("rb") as nothing:
            try:
                super().__init__(
                    warm.Wanted("opsconsole", arguments, environment(**environ)), (nothing, write_out, write_err)
                )
            finally:
                os.close(write_out)
                os.close(write_err)


@contextmanager
def started(*arguments: str, **environ: str) -> Iterator[Running]:
    """A command that goes on; killed at the end of the block if it still does."""
    process = Running(*arguments, **environ)
    try:
        yield process
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()


@contextmanager
def keeper_of(url: str) -> Iterator[int]:
    """A keeper of the fleet at ``url``, by its process id; ended at the end of the block."""
    address = hire(url)
    answer = ask(str(address), "ping", timeout_s=60.0)
    assert answer is not None
    pid = int(answer["pid"])
    try:
        yield pid
    finally:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            pass  # it ended by itself, which the test may be about
