"""Stop a thousand real processes: from the order to the last acknowledgement, against signal-and-acknowledge.

The floor is the least that could do the same: SIGUSR1 to each process, and a datagram back from each. All processes
are forked from one parent, so that memory is shared and the kernel, not the import system, is measured.

A stop begins when the fleet has come to rest: everybody is registered and all processes together use less processor
than their heartbeats do. The floor's processes sleep as well when their signal comes.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from backends import open_backend, stop_lane
from backends.keeper import ensure
from bench.measure import PATIENCE_S, SHORT, Row, until
from opsgate import Gate, wire
from opsgate.order import Order

PROCESSES = int(os.environ.get("BENCH_PROCESSES", "20" if SHORT else "1000"))
LOOK_S = 0.5
RESTING = 0.0005
"""Seconds of processor that a worker which only beats uses in a second, at most."""


def rows() -> list[Row]:
    """The floor and ours, once each at full size: a stop of a thousand processes is too dear for many rounds."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        os.environ.update(
            HOME=folder, XDG_STATE_HOME=folder, XDG_RUNTIME_DIR=folder, OPSGATE_LATCH_DIR=f"{folder}/latch"
        )
        floor = min(floor_ms(Path(folder)) for _ in range(3))
        verified, result = ours_ms(Path(folder))
    group = f"stop of {PROCESSES:,} processes"
    return [
        Row(group, "SIGUSR1 and a datagram back", "ms", floor, floor, 1.0),
        Row(group, f"order to last acknowledgement ({result})", "ms", verified, verified, verified / floor, "<= 3"),
    ]


def floor_ms(folder: Path) -> float:
    """Milliseconds from the first signal to the last datagram."""
    address = str(folder / "floor.sock")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as inbox:
        inbox.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        inbox.bind(address)
        inbox.settimeout(PATIENCE_S)
        children = [_fork(lambda: _answer_signals(address)) for _ in range(PROCESSES)]
        try:
            for _ in children:
                inbox.recv(16)
            begin = time.perf_counter()
            for child in children:
                os.kill(child, signal.SIGUSR1)
            for _ in children:
                inbox.recv(16)
            return (time.perf_counter() - begin) * 1000
        finally:
            _end(children)
            Path(address).unlink()


def ours_ms(folder: Path) -> tuple[float, str]:
    """Milliseconds from the order until the stop is recorded as verified, and that result."""
    url = f"sqlite:///{folder / 'fleet.db'}"
    backend = open_backend(url)
    fleet = backend.state().fleet
    keeper = wire.ask(str(ensure(url)), "ping", timeout_s=PATIENCE_S)
    assert keeper is not None, "a keeper that was just started answers"
    # What a gate loads lazily is loaded before the fork, and what was loaded is left alone by the collector, as in any
    # server that forks its workers: else each process copies the pages that its own collector touches.
    Gate.open(url, worker="parent").close()
    gc.collect()
    gc.freeze()
    children = [_fork(lambda number=number: _work(url, number)) for number in range(PROCESSES)]  # type: ignore[misc]
    try:
        until(lambda: len(backend.observe().workers) >= PROCESSES, 0.5)
        _come_to_rest([int(keeper["pid"]), *children])
        with closing(sqlite3.connect(f"file:{folder / 'fleet.db'}?mode=ro", uri=True)) as reader:
            begin = time.perf_counter()
            stop_lane.fire(Order(stop_id="S-bench", ordered_at=datetime.now(UTC)), url=url, fleet=fleet)
            until(lambda: _result(reader) not in {None, "pending"}, 0.002)
            took = (time.perf_counter() - begin) * 1000
            result = _result(reader) or "lost"
            of = json.loads(reader.execute("select document from gate_stop").fetchone()[0])["of"]
        return took, f"{result}, {len(of)} on the list"
    finally:
        _end(children)
        backend.close()


def _come_to_rest(processes: list[int]) -> None:
    """Wait until these use no more processor than a fleet that only beats."""
    used_s, at_s = _used_s(processes), time.monotonic()

    def rests() -> bool:
        nonlocal used_s, at_s
        before_s, since_s = used_s, at_s
        used_s, at_s = _used_s(processes), time.monotonic()
        return used_s - before_s < RESTING * len(processes) * (at_s - since_s)

    time.sleep(LOOK_S)  # what is used is told by two looks
    until(rests, LOOK_S)


def _used_s(processes: list[int]) -> float:
    """Seconds of processor that these have used. Linux makes the clock of a process from its number."""
    return sum(time.clock_gettime((~process << 3) | 2) for process in processes)


def _result(reader: sqlite3.Connection) -> str | None:
    row = reader.execute("select result from gate_stop where stop_id = 'S-bench'").fetchone()
    return str(row[0]) if row else None


def _work(url: str, number: int) -> None:
    gate = Gate.open(url, worker=f"w{number}")
    gate.check()
    while True:
        signal.pause()


def _answer_signals(address: str) -> None:
    outbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    outbox.connect(address)

    def acknowledge(_number: int, _frame: FrameType | None) -> None:
        outbox.send(b"stopped")

    signal.signal(signal.SIGUSR1, acknowledge)
    outbox.send(b"ready")
    while True:
        signal.pause()


def _fork(body: Callable[[], None]) -> int:
    child = os.fork()
    return child or _run_and_leave(body)


def _run_and_leave(body: Callable[[], None]) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        body()
    finally:
        os._exit(0)


def _end(children: list[int]) -> None:
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
