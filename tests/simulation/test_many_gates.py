"""Many real gates on one server, over HTTP alone: all of them obey a stop, and say so.

They share no latch with the server, as if they ran on other hosts. Full length: 1,000 gates in ten processes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from backends import documents
from core.audit import event_of
from core.capabilities.conclusion import StopConcluded
from core.capabilities.workers import WorkerRegistered
from core.messages import Event
from tests.conftest import homes_under
from tests.hygiene.tree import ROOT, SRC
from tests.simulation.harness import FULL, tell
from tests.support.serving import server_process

PROCESSES, GATES = (10, 100) if FULL else (2, 30)
WITHIN_S = 480 if FULL else 240


@contextmanager
def gates(url: str, name: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with its gates."""
    environment = os.environ | homes_under(home) | {"PYTHONPATH": os.pathsep.join((str(SRC), str(ROOT)))}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.simulation.gates", url, name, str(GATES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The next thing that a process says."""
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def asked(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Whether its gates let anything run."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return said(process)


def memory_kb(pid: int) -> int:
    """What a process has in memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("ascii"))
    assert found is not None
    return int(found[1])


def happened(events: Iterator[dict[str, Any]], come: Callable[[], str]) -> Iterator[Event]:
    """What the journal's stream tells, until it takes too long; ``come`` says how far it is by then. Nobody asks for
    lists of a thousand again and again, which would be the load."""
    until_s = monotonic() + WITHIN_S
    for each in events:  # heartbeats among them
        assert monotonic() < until_s, f"after {WITHIN_S} s {come()}"
        if each["event"] == "row":
            yield event_of(documents.row_from(each["data"])).event


@pytest.mark.timeout(WITHIN_S + 120)
def test_every_gate_of_a_large_fleet_obeys_a_stop_and_says_so(home: Path) -> None:
    number = PROCESSES * GATES
    with ExitStack() as running:
        backend = f"sqlite:///{home / 'fleet.db'}"
        served = running.enter_context(server_process(backend, "--dev", home=home / "s"))
        before_kb = memory_kb(served.pid)
        processes = [
            running.enter_context(gates(served.url, f"p{each}", home / f"h{each}")) for each in range(PROCESSES)
        ]
        with served.stream("/v1/events?after=1") as told:
            registered: set[str] = set()
            events = happened(told, lambda: f"{len(registered)} of {number} had come, and the stop was not verified")
            while len(registered) < number:
                one = next(events)
                registered |= {one.worker_id} if isinstance(one, WorkerRegistered) else set()
            assert [said(process) for process in processes] == [{"ready": GATES}] * PROCESSES
            each_kb = (memory_kb(served.pid) - before_kb) / number
            stopped = served.stop(stop_id="S-all", reason="all of them")
            assert stopped.status_code in {200, 202}, "in force; where the writer is busy, recorded later"
            concluded = next(one for one in events if isinstance(one, StopConcluded) and one.result == "verified")
        assert len(registered) == number
        assert set(concluded.acked) == registered
        assert [asked(process) for process in processes] == [{"stopped": GATES}] * PROCESSES
        page = served.get("/metrics").text
        obeyed = re.search(r'opsconsole_propagation_seconds_count\{leg="obeyed"\} (\S+)', page)
        assert obeyed is not None
        assert float(obeyed[1]) == number
        times = concluded.times
        assert times is not None
        seconds = (f"{took_s:.2f} s" for took_s in (times.p50_s, times.p95_s, times.slowest_s))
        tell(f"{number:,} gates obeyed a stop: half, 95 % and all of them after {', '.join(seconds)}")
        tell(f"the server took {each_kb:.0f} kB for each gate, {memory_kb(served.pid):,} kB in all")
