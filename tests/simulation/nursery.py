"""A process that has imported everything and bears children that do, so that a child costs milliseconds.

Started by `Nursery.open`. For each line of JSON on its standard input it forks a child which runs one of `LIVES`, and
answers with the child's number. What a child says goes to the pipe that was named for it, one JSON object a line, each
written at once: what arrived there had happened when the child died.
"""

from __future__ import annotations

import json
import logging
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, Self

from backends import milestones, open_backend, spool, stop_lane
from backends.keeper.ending import Ending, hear_of_children
from backends.keeper.service import Keeper
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.names import AddName, RemoveName
from core.capabilities.rate_limits import SetLimit
from core.capabilities.recovery import Recover
from core.capabilities.switches import SetSwitch
from core.errors import CommandRejected, RevisionConflict
from core.messages import Actor, Command, Envelope
from core.ports import Backend
from opsgate.selector import EVERYTHING, Selector, scope_text
from tests.hygiene.tree import ROOT, SRC

Say = Callable[..., None]


class Child:
    """A process of the nursery's, and what it has said so far."""

    def __init__(self, pid: int, pipe: Path) -> None:
        self.pid = pid
        self._pipe = pipe.open("rb")

    def kill(self) -> None:
        """End it, whatever it is doing."""
        os.kill(self.pid, signal.SIGKILL)

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it says, until it ends; a line that its death cut off is none."""
        for line in self._pipe:
            if line.endswith(b"\n"):
                yield json.loads(line)

    def speaks(self, within_s: float) -> bool:
        """Wait until it says something, or ends."""
        return bool(select.select([self._pipe], [], [], within_s)[0])

    def close(self) -> None:
        """Forget it."""
        self._pipe.close()


class Nursery:
    """The parent of all children of one harness."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._number = 0

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """A nursery with the environment of this test."""
        path = os.pathsep.join((str(SRC), str(ROOT)))
        with tempfile.TemporaryDirectory(prefix="ops-nursery-") as folder:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.simulation.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": path},
            )
            with process:
                yield cls(process, Path(folder))
                assert process.stdin is not None
                process.stdin.close()
                process.wait(timeout=60)

    def bear(self, life: str, **arguments: Any) -> Child:
        """A child that leads one of the lives below."""
        self._number += 1
        pipe = self._folder / str(self._number)
        os.mkfifo(pipe)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"life": life, "pipe": str(pipe), **arguments}) + "\n")
        self._process.stdin.flush()
        return Child(int(self._process.stdout.readline()), pipe)


# ---------------------------------------------------------------------------------------------------------- the lives
def submit_for_ever(say: Say, url: str, seed: int) -> None:
    """Random commands, each said when it was acknowledged."""
    chance = random.Random(seed)
    backend = open_backend(url)
    number = 0
    say(ready=True)
    while True:
        number += 1
        command_id = f"c-{seed}-{number}"
        try:
            receipt = backend.submit(_envelope(command_id, _any_command(chance, backend)))
        except (CommandRejected, RevisionConflict) as error:
            say(command_id=command_id, refused=error.code)
        else:
            say(command_id=command_id, revision=receipt.revision, changed=receipt.changed)


def stop_for_ever(say: Say, url: str, seed: int, rounds: int) -> None:
    """Stops, by whichever route; each is said when it was ordered."""
    chance = random.Random(seed)
    backend = open_backend(url)
    say(ready=True)
    for _ in range(rounds):
        selectors = tuple(Selector.of(site=f"s{chance.randrange(4)}") for _ in range(chance.choice((1, 2))))
        order = stop_lane.new_order(chance.choice(((EVERYTHING,), selectors)), actor=f"stopper-{seed}")
        if chance.random() < 0.5:
            stop_lane.fire(order, url=url, fleet=backend.latest().fleet)
        else:
            spool.record(order, backend, timeout_s=10.0)
        say(stop_id=order.stop_id)


def release_for_ever(say: Say, url: str, seed: int) -> None:
    """Recoveries of whatever is there, at the revision that was looked at."""
    chance = random.Random(seed)
    backend = open_backend(url)
    number = 0
    say(ready=True)
    while True:
        spool.require_recorded(backend, timeout_s=10.0)
        state = backend.state(timeout_s=10.0)
        active = state.active_emergencies()
        if not active:
            continue
        emergency = chance.choice(active)
        number += 1
        command_id = f"r-{seed}-{number}"
        scope = scope_text(emergency.selectors)
        recovery = Recover(emergency_id=emergency.emergency_id, reason="race", confirm=scope)
        say(command_id=command_id, expected=state.control_revision)
        try:
            backend.submit(_envelope(command_id, recovery, state.control_revision), timeout_s=10.0)
        except (CommandRejected, RevisionConflict):
            continue


def keep_until(say: Say, url: str, milestone: str = "", phase: str = "", times: int = 1, armed: str = "") -> None:
    """A keeper that is killed when it passes a milestone for the so-manieth time, in a phase of a recovery where one is
    named, since the file ``armed`` is there; without a milestone it lives until it is killed."""
    left = times
    counting = threading.Lock()

    def kill(passed: milestones.Milestone, passed_in: str) -> None:
        nonlocal left
        with counting:
            if passed != milestone or phase not in ("", passed_in) or not Path(armed).exists():
                return
            left -= 1
            if not left:
                say(killed=passed)
                os.kill(os.getpid(), signal.SIGKILL)

    hear_of_children()  # the nursery does not
    milestones.watcher = kill
    logging.disable()
    keeper = Keeper(url)
    keeper.start()
    say(ready=True)
    keeper.serve(Ending([signal.SIGTERM]))


LIVES: Final[dict[str, Callable[..., None]]] = {
    "submit": submit_for_ever,
    "stop": stop_for_ever,
    "release": release_for_ever,
    "keep": keep_until,
}


def _envelope(command_id: str, command: Command, expected_revision: int | None = None) -> Envelope:
    return Envelope(
        command_id=command_id,
        actor=Actor(name="crash"),
        door="test",
        command=command,
        expected_revision=expected_revision,
    )


def _any_command(chance: random.Random, backend: Backend) -> Command:
    site = f"s{chance.randrange(6)}"
    selectors = (chance.choice((EVERYTHING, Selector.of(site=site), Selector.of(operation="ab_testing", site=site))),)
    active = backend.latest().active_emergencies()
    commands: list[Callable[[], Command]] = [
        lambda: PlaceHold(selectors=selectors, reason="crash", create=True, mode=chance.choice(("drain", "halt"))),
        lambda: ReleaseHolds(selectors=selectors, reason="crash"),
        lambda: AddName(dimension="site", name=site, title=str(chance.random())),
        lambda: RemoveName(dimension="site", name=site),
        lambda: SetSwitch(dimension="operation", names=("ab_testing",), on=chance.random() < 0.5, reason="crash"),
        lambda: SetLimit(name="sites", limit=chance.randrange(3)),
        lambda: spool.envelope_of(stop_lane.new_order(selectors, reason="crash")).command,
    ]
    if active:
        ended = chance.choice(active)
        scope = scope_text(ended.selectors)
        commands.append(lambda: Recover(emergency_id=ended.emergency_id, reason="crash", confirm=scope))
    return chance.choice(commands)()


# --------------------------------------------------------------------------------------------------------- the parent
def main() -> None:
    """Bear children until standard input ends."""
    with tempfile.TemporaryDirectory(prefix="ops-nursery-") as folder:  # has everything loaded, and leaves nothing open
        open_backend(f"sqlite:///{folder}/first.db").close()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _live(**order)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _live(life: str, pipe: str, **arguments: Any) -> None:
    """Lead a life, and end without a word to the parent's parents."""
    try:
        with open(pipe, "wb", buffering=0) as channel:  # noqa: PTH123 (a pipe, written without a buffer)
            LIVES[life](_sayer(channel), **arguments)
    finally:
        os._exit(0)


def _sayer(channel: IO[bytes]) -> Say:
    def say(**fields: Any) -> None:
        channel.write(json.dumps(fields).encode() + b"\n")

    return say


if __name__ == "__main__":
    main()
