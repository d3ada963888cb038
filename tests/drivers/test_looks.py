"""Looks at all processes: how many are made, whoever asks, and what a look at one service adds to them."""

import json
import os
import subprocess
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from backends.drivers import driver_of, procs
from backends.drivers.base import Host
from backends.drivers.procs import Census, Looks
from tests.support.waiting import eventually

ASKING = 20
PATIENCE_S = 60.0


class Held:
    """Looks that wait until they are let go. Those with ``faults`` left fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self.faults: list[OSError] = []
        self.go_on = threading.Event()
        self._taken = Census.taken
        monkeypatch.setattr(Census, "taken", self._take)

    def _take(self) -> Census:
        self.begun += 1
        assert self.go_on.wait(PATIENCE_S)
        if self.faults:
            raise self.faults.pop()
        return self._taken()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """Until ``go_on`` is set."""
    return Held(monkeypatch)


def asked(looks: Looks, held: Held, pool: ThreadPoolExecutor) -> tuple[Future[Census], list[Future[Census]]]:
    """One who looks, and many who ask while that look goes on."""
    first = pool.submit(looks.census)
    eventually(lambda: held.begun == 1)
    others = [pool.submit(looks.census) for _ in range(ASKING)]
    eventually(lambda: looks.waiting == ASKING)
    held.go_on.set()
    return first, others


def test_the_next_look_waits_for_what_the_last_one_took_of_the_processor_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred threads want the interpreter in a stop: that a look waited for its turn puts off no other."""
    at_s, rests_s = [1000.0], list[float]()
    processor = SimpleNamespace(monotonic=lambda: at_s[0], thread_time=lambda: 7.0, sleep=rests_s.append)

    def slowly() -> Census:
        at_s[0] += 10.0
        return Census({}, {}, {})

    monkeypatch.setattr(procs, "time", processor)
    monkeypatch.setattr(Census, "taken", slowly)
    looks = Looks()
    looks.census()
    looks.census()
    assert rests_s == [0.0, 0.0]


def test_whoever_asks_during_a_look_shares_the_next_one(held: Held) -> None:
    """It began before they asked, so it may lack what they ask for; of the one after it all of them get the same."""
    with ThreadPoolExecutor(ASKING + 1) as pool:
        first, others = asked(Looks(), held, pool)
        found = {id(each.result(PATIENCE_S)) for each in others}
    assert len(found) == 1
    assert id(first.result()) not in found
    assert held.begun == 2, "no look is made for nobody"


def test_a_look_that_fails_is_the_fault_of_one_and_the_others_get_another(held: Held) -> None:
    """Nobody waits for ever."""
    held.faults = [OSError("no descriptor is left")] * 2
    looks = Looks()
    with ThreadPoolExecutor(ASKING + 1) as pool:
        first, others = asked(looks, held, pool)
        failed = [isinstance(each.exception(PATIENCE_S), OSError) for each in (first, *others)]
    assert sum(failed) == 2
    assert os.getpid() in looks.census().everybody


def test_a_look_at_a_service_asks_for_no_process_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred services that are killed together look six hundred times, and the shared look knows it all."""
    child = subprocess.Popen(["/bin/sleep", "60"])
    try:
        own = procs.seen(child.pid)
        assert own is not None
        (tmp_path / "pid").write_text(f"{child.pid} {own.started} {os.getpid()} 1")
        driver = driver_of("billing", "process", json.dumps({"pidfile": f"{tmp_path}/pid"}), Host())
        monkeypatch.setattr(procs, "untouchable", lambda: frozenset({0, 1}))
        now, others = procs.LOOKS.census(), list[int]()
        monkeypatch.setattr(procs.LOOKS, "census", lambda: now)
        monkeypatch.setattr(procs, "seen", others.append)
        assert driver.observe(PATIENCE_S).facts["pids"] == str(child.pid)
        assert others == []
    finally:
        child.kill()
        child.wait()
