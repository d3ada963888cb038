"""Triggers: what a sample costs as triggers grow, and how long it is from a sample to the hold in a local gate.

The engine room is a process of its own, over a database file, with a thousand triggers and a thousand other samples a
second; the gate and whoever reports are this process. Each round is another trigger that fires for the first time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from backends import open_backend
from backends.keeper import ensure
from bench.measure import PATIENCE_S, SHORT, Row, peak_mb, until
from core.capabilities.triggers import AddTrigger
from core.messages import Actor, Envelope
from core.triggers.definition import Definition
from core.triggers.sample import Sample
from core.triggers.watch import Watch
from opsgate import Gate, wire

TRIGGERS, ROUNDS = (100, 20) if SHORT else (1000, 200)
SAMPLES_PER_S = 1000
REST_S = 0.02
"""Seconds between two rounds: how one stop waits for another is measured elsewhere."""

_AT_WORK = "at work"


def rows() -> list[Row]:
    """The cost of a sample at four sizes, then the way to a gate."""
    grown = [(count, sample_us(count)) for count in (10, 100, 1000, 10_000)]
    floor = grown[0][1]
    group = "a sample, as triggers grow"
    found = [
        Row(group, f"{count:,} triggers, each of an account", "µs", us, us, us / floor, "<= 1.5" if count > 10 else "")
        for count, us in grown
    ]
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        os.environ.update(
            HOME=folder, XDG_STATE_HOME=folder, XDG_RUNTIME_DIR=folder, OPSGATE_LATCH_DIR=f"{folder}/latch"
        )
        ways, memory_mb = ways_ms(f"sqlite:///{folder}/fleet.db")
        taken = sorted(ways)
    group = f"sample to hold in a gate, {TRIGGERS:,} triggers, {SAMPLES_PER_S:,} samples a second"
    p99 = taken[int(len(taken) * 0.99) - 1]
    return [
        *found,
        Row(group, f"half of {len(taken)}", "ms", taken[len(taken) // 2], taken[0], None),
        Row(group, "p99", "ms", p99, p99, None, "<= 50"),
        Row(group, "memory of the keeper at most (S1: < 512 MB)", "MB", memory_mb, memory_mb, None, "< 150"),
    ]


def definition(number: int) -> Definition:
    """The health of one account."""
    return Definition(
        name=f"t{number}",
        trigger_type="health_score_critical",
        thresholds={"healthScore": 30},
        account_id=f"a{number}",
        stop_level="immediate",
    )


def sample_us(count: int) -> float:
    """Microseconds for one sample, the best of five runs."""
    watch = Watch()
    for number in range(count):
        watch.put(definition(number), 0.0)
    samples = [Sample("healthScore", 0.0, 90.0, f"a{number % count}") for number in range(20_000)]
    best = float("inf")
    for turn in range(5):
        began = time.perf_counter()
        for sample in samples:
            watch.take(sample, float(turn), float(turn))
        best = min(best, time.perf_counter() - began)
    return best / len(samples) * 1e6


def ways_ms(url: str) -> tuple[list[float], float]:
    """Milliseconds of each round, and the megabytes that the keeper held at most."""
    actor = Actor(name="bench")
    with closing(open_backend(url)) as backend:
        for number in range(TRIGGERS):
            said = definition(number).model_dump()
            command = AddTrigger(**said)
            backend.submit(Envelope(command_id=f"add-{number}", actor=actor, door="test", command=command))
    keeper = str(ensure(url))
    with Gate.open(url, worker="bench") as gate, background(url):
        until(lambda: gate.sample("warm", 1.0), 0.05)
        taken = [one_ms(gate, number) for number in range(ROUNDS)]
        pong = wire.ask(keeper, "ping", timeout_s=PATIENCE_S)
        assert pong is not None, "a keeper that has just stopped something answers"
        return taken, peak_mb(int(pong["pid"]))


def one_ms(gate: Gate, number: int) -> float:
    """From the sample to the gate's refusal."""
    account, changed = f"a{number}", threading.Event()
    leave = gate.subscribe(changed.set)
    began = time.perf_counter()
    try:
        assert gate.sample("healthScore", 12.5, account=account), "the keeper takes samples"
        while gate.allowed(account=account):  # a gate that changes all the time is no sign that this one was heard
            if not changed.wait(max(0.0, began + PATIENCE_S - time.perf_counter())):
                raise RuntimeError(f"nothing stopped {account} within {PATIENCE_S} s")
            changed.clear()
        return (time.perf_counter() - began) * 1000
    finally:
        leave()
        time.sleep(REST_S)  # the next one begins on a keeper that has done with this one


@contextmanager
def background(url: str) -> Iterator[None]:
    """Another process that reports harmless samples, a thousand a second, one by one; from when it does."""
    command, here = [sys.executable, "-m", "bench.triggers", url], Path(__file__).resolve().parent.parent
    with subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline().strip() == _AT_WORK
            yield
        finally:
            other.kill()


def report_for_ever(url: str) -> None:
    """Harmless samples of all accounts, until this process is killed."""
    with Gate.open(url, worker="noise") as gate:
        gate.allowed()
        for number in range(10**9):
            gate.sample("healthScore", 90.0, account=f"a{TRIGGERS - 1 - number % (TRIGGERS - ROUNDS)}")
            if number == SAMPLES_PER_S:
                print(_AT_WORK, flush=True)
            time.sleep(1 / SAMPLES_PER_S)  # the pace that is measured under


if __name__ == "__main__":
    report_for_ever(sys.argv[1])
