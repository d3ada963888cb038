"""The database is gone, locked, full or read-only: a stop takes effect all the same, nothing is released meanwhile, and
what was ordered is recorded first thing when the database is back. Real files, real workers, end to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backends import keeper, open_backend, spool, stop_lane
from backends.keeper import peers
from core.capabilities.recovery import Recover
from core.errors import OpsError
from opsgate import wire
from opsgate.clock import elapsed_s
from opsgate.selector import scope_text
from tests.hygiene.tree import ROOT, SRC
from tests.simulation.faults import FAULTS, Fault
from tests.simulation.harness import require_whole, tell
from tests.support.fleets import say
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(300)


class Worker:
    """A real worker process, and what it said."""

    def __init__(self, url: str, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.simulation.worker", url, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(SRC), str(ROOT)))},
        )
        self.said: list[tuple[str, float]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def says(self, word: str) -> bool:
        """Whether its last word was this one."""
        return bool(self.said) and self.said[-1][0] == word

    def close(self) -> None:
        """Let it end."""
        self._process.communicate(timeout=60)
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in iter(self._process.stdout.readline, ""):
            word, at_s = line.split()
            self.said.append((word, float(at_s)))


class Scene:
    """A fleet with a keeper and two workers, in a place where something will go wrong."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.url = f"sqlite:///{fault.database}"
        open_backend(self.url).close()
        keeper.ensure(self.url)
        self.workers: list[Worker] = []
        self.start_workers()
        eventually(lambda: self.registered() == {"w1", "w2"})

    def start_workers(self) -> None:
        """Start both, and wait until they work."""
        self.workers = [Worker(self.url, f"w{number}") for number in (1, 2)]
        eventually(lambda: self.all_say("allowed"), within_s=60.0)

    def strike(self) -> None:
        """Let it happen: under everybody, or, where the kernel does not let it, between two lives of everybody."""
        if not self.fault.needs_nobody:
            self.fault.strike(self.keeper_pid())
            return
        self.close()
        self.fault.strike(None)
        self.start_workers()

    def registered(self) -> set[str]:
        """The workers that the journal knows and whose rows are written."""
        backend = open_backend(self.url)
        names = set(backend.state().workers) & {row.worker_id for row in backend.observe().workers}
        backend.close()
        return names

    def all_say(self, word: str) -> bool:
        """Whether every worker's last word was this one."""
        return all(worker.says(word) for worker in self.workers)

    def keeper_pid(self) -> int | None:
        """The keeper's process."""
        address = keeper.alive(self.url)
        pong = wire.ask(str(address), "ping", timeout_s=20.0) if address else None
        return int(pong["pid"]) if pong else None

    def end_keeper(self) -> None:
        """Have the keeper put everything down."""
        if pid := self.keeper_pid():
            os.kill(pid, signal.SIGTERM)
            eventually(lambda: not peers.started(pid))

    def close(self) -> None:
        """End all that runs."""
        for worker in self.workers:
            worker.close()
        self.end_keeper()


@contextmanager
def scene_of(fault: Fault) -> Iterator[Scene]:
    fault.prepare()
    try:
        scene = Scene(fault)
        try:
            yield scene
        finally:
            scene.close()
    finally:
        fault.remove()


def release(url: str, timeout_s: float) -> None:
    """What every door does that releases: record what is latched, look, and release what was looked at."""
    backend = open_backend(url, create=False, timeout_s=timeout_s)
    try:
        spool.require_recorded(backend, timeout_s=timeout_s)
        state = backend.state(timeout_s=timeout_s)
        for emergency in state.active_emergencies():
            recovery = Recover(
                emergency_id=emergency.emergency_id, reason="over", confirm=scope_text(emergency.selectors)
            )
            backend.submit(say(recovery, expected_revision=state.control_revision), timeout_s=timeout_s)
    finally:
        backend.close()


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__.lower())
def test_a_stop_works_without_its_database_and_is_recorded_afterwards(kind: type[Fault], tmp_path: Path) -> None:
    with scene_of(kind(tmp_path / "place")) as scene:
        scene.strike()
        try:
            order = stop_lane.new_order(reason=kind.__name__, actor="ada")
            began_s = elapsed_s()
            fired = stop_lane.fire(order, url=scene.url)
            answered_s = elapsed_s() - began_s
            eventually(lambda: scene.all_say("blocked"))
            blocked_s = max(worker.said[-1][1] for worker in scene.workers) - began_s

            assert fired.durable == "spool"
            assert fired.keeper == ("absent" if kind.needs_nobody else "answered")
            with pytest.raises(OpsError) as refused:
                release(scene.url, 1.0)
            assert scene.all_say("blocked")
        finally:
            scene.fault.mend()
        mended_s = elapsed_s()

        keeper.ensure(scene.url)
        backend = open_backend(scene.url)
        eventually(lambda: order.stop_id in backend.state().stops)
        recorded_s = elapsed_s() - mended_s
        stop = backend.state().stops[order.stop_id]
        assert stop.of == ("w1", "w2"), "nobody is left out, however long the database was away"
        eventually(lambda: backend.state().stops[order.stop_id].result == "verified")
        backend.close()
        assert scene.all_say("blocked")
        assert [[word for word, _ in worker.said] for worker in scene.workers] == [["allowed", "blocked"]] * 2

        release(scene.url, 60.0)
        eventually(lambda: scene.all_say("allowed"))
        require_whole(scene.url)
    tell(
        f"{kind.__name__}: blocked after {blocked_s * 1000:.0f} ms, answered after {answered_s * 1000:.0f} ms, "
        f"release refused ({refused.value.code}), recorded {recorded_s * 1000:.0f} ms after the cure"
    )
