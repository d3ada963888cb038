"""The demo's processes: start them, know their numbers, and leave nothing behind, however it ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opsconsole.demo.plan import Member
from opsgate.paths import fleet_of_url, last_known_home, latch_home, runtime_home, state_home

if TYPE_CHECKING:
    from opsconsole.demo.services import Services

_PATIENCE_S: Final = 2.0
"""Seconds that a process may take to end when asked to."""


@dataclass
class Fleet:
    """Running workers. ``folder`` holds their journals; each has a pipe that closes with this process. ``services`` are
    beside them, None where there are none."""

    url: str
    folder: Path
    workers: dict[str, tuple[Member, subprocess.Popen[bytes]]] = field(default_factory=dict)
    services: Services | None = None

    def start(self, members: Iterable[Member]) -> None:
        """Start a process for each member."""
        log = (self.folder / "workers.log").open("ab")
        with log:
            for member in members:
                self.workers[member.worker] = (
                    member,
                    subprocess.Popen(self._command(member), stdin=subprocess.PIPE, stdout=log, stderr=log),
                )

    def pid(self, worker: str) -> int:
        """The process of a worker."""
        return self.workers[worker][1].pid

    def steps(self, workers: Iterable[str]) -> int:
        """How many steps these workers have really taken, by their own journals."""
        return sum(_lines(self._journal(worker)) for worker in workers)

    def end(self) -> None:
        """Ask each process to end, then end it; returns when none is left."""
        processes = [process for _, process in self.workers.values()]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()

    def _command(self, member: Member) -> Sequence[str]:
        options = {
            "--url": self.url,
            "--worker": member.worker,
            "--site": member.site,
            "--character": member.character,
            "--journal": str(self._journal(member.worker)),
        }
        return [sys.executable, "-m", "opsconsole.demo.worker", *(text for pair in options.items() for text in pair)]

    def _journal(self, worker: str) -> Path:
        return self.folder / f"{worker}.steps"


@contextmanager
def throw_away_folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="opsconsole-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def forget(url: str, fleet: str) -> None:
    """Take away what this host remembers of a fleet that is thrown away: latches, last known state, services, log."""
    ours = state_home() / "opsconsole"
    for key in (fleet, fleet_of_url(url)):
        shutil.rmtree(latch_home() / key, ignore_errors=True)
        homes = (last_known_home(), runtime_home(), ours / "inventory")
        left = [file for home in homes for file in home.glob(f"{key}.*")]
        for file in (*left, *ours.glob(f"keeper-{key}.log*"), ours / "floor" / key):
            try:
                file.unlink()
            except OSError:
                pass  # never written, or not ours to take away


def _lines(file: Path) -> int:
    """How many lines a file has; 0 where it does not exist yet."""
    try:
        return file.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0
