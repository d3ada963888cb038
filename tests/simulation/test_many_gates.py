"""Many real gates on one server, over HTTP alone: all of them obey a stop, and say so.

They share no latch with the server, as if they ran on other hosts. Full length: 1,000 gates in ten processes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from core import checkpoint
from tests.conftest import homes_under
from tests.hygiene.tree import ROOT, SRC
from tests.simulation.harness import FULL, tell
from tests.support.serving import Served, server_process
from tests.support.waiting import eventually

PROCESSES, GATES = (10, 100) if FULL else (3, 20)
WITHIN_S = 150.0


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


def live(served: Served) -> int:
    """How many workers the server knows to live."""
    return sum(row["state"] == "live" for row in served.get("/v1/workers").json()["workers"])


@pytest.mark.timeout(0 if FULL else 300)
def test_every_gate_of_a_large_fleet_obeys_a_stop_and_says_so(home: Path) -> None:
    number = PROCESSES * GATES
    with ExitStack() as running:
        backend = f"sqlite:///{home / 'fleet.db'}"
        served = running.enter_context(server_process(backend, "--dev", home=home / "s"))
        before_kb = memory_kb(served.pid)
        processes = [
            running.enter_context(gates(served.url, f"p{each}", home / f"h{each}")) for each in range(PROCESSES)
        ]
        assert [said(process) for process in processes] == [{"ready": GATES}] * PROCESSES
        eventually(lambda: live(served) == number, within_s=WITHIN_S)
        each_kb = (memory_kb(served.pid) - before_kb) / number

        answer = served.stop(stop_id="S-all", reason="all of them")
        assert answer.json()["of"] == number

        def stop() -> dict[str, Any]:
            return dict(served.get("/v1/emergencies").json()["emergencies"][0]["stops"][0])

        eventually(lambda: stop()["result"] == "verified", within_s=WITHIN_S)
        assert stop()["acked"] == number
        assert [asked(process) for process in processes] == [{"stopped": GATES}] * PROCESSES
        page = served.get("/metrics").text
        obeyed = re.search(r'opsconsole_propagation_seconds_count\{leg="obeyed"\} (\S+)', page)
        assert obeyed is not None
        assert float(obeyed[1]) == number
        p50_s, p95_s, slowest_s = _times(served)
        tell(f"{number:,} gates: half obeyed after {p50_s:.2f} s, 95 % after {p95_s:.2f} s, the last {slowest_s:.2f} s")
        tell(f"the server took {each_kb:.0f} kB for each gate, {memory_kb(served.pid):,} kB in all")


def _times(served: Served) -> tuple[float, float, float]:
    """How long half, 95 % and the last took, as the stop keeps it."""
    state = checkpoint.read(served.get("/v1/state").json()["state"])
    assert state is not None
    times = state.stops["S-all"].ack_times
    assert times is not None
    return times.p50_s, times.p95_s, times.slowest_s
