"""How a figure is taken: both sides in one run, in shuffled turns, medians and minima, and always as a ratio.

A machine's speed drifts, so an absolute time says little and a ratio to a floor measured in the same minute says
much. Every module of this folder has ``rows()`` that returns `Row` values; ``run.py`` writes them to ``results.md``.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SHORT = bool(os.environ.get("BENCH_SHORT"))
"""Only that it runs: small lists, few services, few rounds."""

PATIENCE_S = 120.0
"""Seconds for what has to happen; far more than it takes."""

MET = "met"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: ``median``, ``best`` and ``worst`` in ``unit``, and how often the floor of the same group fits into
    the median. ``worst`` is None where it was taken once, or is itself an extreme.

    ``goal`` is what is aimed at, as text: of the ratio ("<= 3"), or of the median where it names the unit ("<= 5 ms")
    or there is no ratio. Empty where there is none.
    """

    group: str
    name: str
    unit: str
    median: float
    best: float
    ratio: float | None = None
    goal: str = ""
    worst: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the goal is met, in words; empty where there is none."""
        if not self.goal:
            return ""
        found = re.fullmatch(r"(<=|<|>=)? ?([\d.,]+)( .+)?", self.goal)
        assert found is not None, f"{self.goal!r} is no goal"
        sign, number, unit = found[1] or "<=", float(found[2].replace(",", "")), found[3]
        value = self.median if unit or self.ratio is None else self.ratio
        met = {"<=": value <= number, "<": value < number, ">=": value >= number}[sign]
        return MET if met else "**not met**"


def progress(said: str) -> None:
    """Tell whoever waits what is being measured now."""
    print(f"  {said}", file=sys.stderr, flush=True)


def figure(group: str, name: str, unit: str, taken: Sequence[float], floor: float | None = None, goal: str = "") -> Row:
    """What was taken several times, beside a floor."""
    median = statistics.median(taken)
    worst = max(taken) if len(taken) > 1 else None
    return Row(group, name, unit, median, min(taken), None if floor is None else median / floor, goal, worst)


def interleaved(sides: Mapping[str, Callable[[], float]], rounds: int = 7, seed: int = 1) -> dict[str, list[float]]:
    """Call every side once a round, in an order shuffled anew each round, after one round that is not counted.

    A side returns its own figure, so that set-up stays outside the clock.
    """
    turn = random.Random(seed)
    names = list(sides)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        sides[name]()
    for _ in range(rounds):
        turn.shuffle(names)
        for name in names:
            taken[name].append(sides[name]())
    return taken


def peak_mb(pid: int) -> float:
    """Megabytes of memory that a process held at most so far, what it shares with others among it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None, "a process that runs has memory"
    return int(found[1]) / 1024


def per_call_ns(call: Callable[[], object], calls: int = 20_000) -> float:
    """Nanoseconds per call, the loop's own cost taken off."""
    turns = range(calls)
    begin = time.perf_counter_ns()
    for _ in turns:
        pass
    between = time.perf_counter_ns()
    for _ in turns:
        call()
    end = time.perf_counter_ns()
    return ((end - between) - (between - begin)) / calls


def compare(
    group: str,
    unit: str,
    floor: str,
    taken: Mapping[str, list[float]],
    goals: Mapping[str, str] | None = None,
) -> list[Row]:
    """Rows of one group with the ratio of each median to the median of ``floor``."""
    base = statistics.median(taken[floor])
    aims = goals or {}
    return [figure(group, name, unit, figures, base, aims.get(name, "")) for name, figures in taken.items()]


def until(reached: Callable[[], object], pause_s: float) -> None:
    """Wait for what another process does and tells nobody of. Raises TimeoutError where it never happens."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"what was waited for did not happen within {PATIENCE_S} s")
        time.sleep(pause_s)  # as closely as it has to be looked at: the looks take the processor from what is measured
