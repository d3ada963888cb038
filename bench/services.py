"""Stop a hundred real services at once: from the order to the journal's word that each was seen to stop.

Every service is a process of its own that ignores SIGTERM and has a child, started by its driver. The floor is the
slowest driver alone: one of them, killed and seen to have stopped by the same driver in this process, while the others
run and nobody stops them: a look at the processes of a host takes longer the more there are, for one as for all. How
long it must be seen stopped is part of both. The same on a host where none of the others runs is shown beside it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from backends import open_backend, stop_lane
from backends.drivers import driver_of
from backends.drivers.base import Driver, DriverOrder, Host, perform
from backends.keeper import ensure
from bench.measure import PATIENCE_S, SHORT, Row, peak_mb, until
from core.capabilities.services import AddService
from core.messages import Actor, Envelope
from opsgate import wire
from opsgate.order import Order

ALONE = 5
SERVICES = int(os.environ.get("BENCH_SERVICES", "20" if SHORT else "100"))
ORDER = DriverOrder(correlation_id="S-bench")
PYTHON = str(Path(sys.executable).resolve())

_PROGRAM = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
open({ready!r} + str(os.getpid()), "w").close()
while True:
    signal.pause()
"""


def rows() -> list[Row]:
    """The floor, and ours once at full size."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        os.environ.update(
            HOME=folder, XDG_STATE_HOME=folder, XDG_RUNTIME_DIR=folder, OPSGATE_LATCH_DIR=f"{folder}/latch"
        )
        empty = _slowest_ms(Path(folder), "empty")
        taken = _together_ms(Path(folder))
    floor = taken.floor_ms
    group = f"immediate stop of {SERVICES} services (S1: < 5,000 ms)"
    name = f"order to all seen stopped ({taken.result}, {SERVICES} services)"
    return [
        Row(group, f"the slowest of {ALONE} drivers, each alone while the others run", "ms", floor, floor, 1.0),
        Row(group, "the same while nothing else runs", "ms", empty, empty, empty / floor),
        Row(group, name, "ms", taken.all_ms, taken.all_ms, taken.all_ms / floor, "<= 1.5"),
        Row(
            group, "memory of the keeper at most (S1: < 512 MB)", "MB", taken.memory_mb, taken.memory_mb, None, "< 150"
        ),
    ]


class Taken(NamedTuple):
    """One stop of all: what it took, what it came to, and what one alone took just before."""

    floor_ms: float
    all_ms: float
    result: str
    memory_mb: float


def _slowest_ms(folder: Path, name: str) -> float:
    return max(_alone_ms(folder, f"{name}{number}") for number in range(ALONE))


def _alone_ms(folder: Path, name: str) -> float:
    driver = _started(folder, name)
    begin = time.perf_counter()
    assert perform(driver, "kill", ORDER, PATIENCE_S).result == "done"
    until(lambda: driver.observe(PATIENCE_S).standing == "stopped", 0.001)
    time.sleep(driver.settle_s)  # for so long it has to be seen stopped before it counts
    assert driver.observe(PATIENCE_S).standing == "stopped"
    return (time.perf_counter() - begin) * 1000


def _together_ms(folder: Path) -> Taken:
    url = f"sqlite:///{folder / 'fleet.db'}"
    backend = open_backend(url)
    keeper = str(ensure(url))
    names = [f"service{number}" for number in range(SERVICES)]
    with ThreadPoolExecutor(4) as pool:
        drivers = dict(zip(names, pool.map(lambda name: _started(folder, name), names), strict=True))
    try:
        for name in names:
            command = AddService(name=name, driver="process", config=_config(folder, name))
            who = Actor(name="bench")
            backend.submit(Envelope(command_id=f"add-{name}", actor=who, door="cli", command=command))
        until(lambda: _pong(keeper, "revision") == backend.latest().revision, 0.05)
        floor_ms = _slowest_ms(folder, "alone")
        with closing(sqlite3.connect(f"file:{folder / 'fleet.db'}?mode=ro", uri=True)) as reader:
            begin = time.perf_counter()
            stop_lane.fire(Order(stop_id="S-bench", ordered_at=datetime.now(UTC)), url=url)
            until(lambda: _result(reader) not in {None, "pending"}, 0.002)
            took = (time.perf_counter() - begin) * 1000
            return Taken(floor_ms, took, f"{_result(reader)}", peak_mb(_pong(keeper, "pid")))
    finally:
        for driver in drivers.values():
            perform(driver, "kill", ORDER, PATIENCE_S)
        backend.close()


def _pong(keeper: str, field: str) -> int:
    pong = wire.ask(keeper, "ping", timeout_s=PATIENCE_S)
    assert pong is not None, "a keeper that was just started answers"
    return int(pong[field])


def _config(folder: Path, name: str) -> dict[str, JsonValue]:
    ready = str(folder / f"{name}.ready.")
    command: list[JsonValue] = [PYTHON, "-I", "-S", "-c", _PROGRAM.format(ready=ready)]
    return {"pidfile": str(folder / f"{name}.pid"), "command": command}


def _started(folder: Path, name: str) -> Driver:
    """A driver whose service runs, with its child."""
    driver = driver_of(name, "process", json.dumps(_config(folder, name)), Host())
    assert perform(driver, "start", ORDER, PATIENCE_S).result == "done"
    until(lambda: len(list(folder.glob(f"{name}.ready.*"))) == 2, 0.01)
    return driver


def _result(reader: sqlite3.Connection) -> str | None:
    row = reader.execute("select result from gate_stop where stop_id = 'S-bench'").fetchone()
    return str(row[0]) if row else None
