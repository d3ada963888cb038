"""Run every benchmark and write ``results.md``: what was measured, on what, and how it stands to its goal.

python bench/run.py [GROUP …]     all of `MODULES` without a name; the file is written when all of them ran

With BENCH_SHORT set a glance: small sizes, few rounds, and no file.
"""

from __future__ import annotations

import importlib
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench.measure import MET, SHORT, Row  # noqa: E402 - only now is the project on the path

MODULES = ("decide", "fold", "journal", "start", "stop", "services", "triggers", "console", "remote", "server")
LONGEST_S = 600
"""Seconds for a group; the longest takes half of it."""
READ_AS = """\
{met} of {aimed} goals are met. A goal is for the median where it names a unit or there is no ratio, else for the ratio:
that of the medians, to the line marked 1.00 of its group or to what its title says. Sides take turns, in an order that
is shuffled anew each round, after a round that is not counted; what can be had only once has no worst. Where best and
worst lie further apart than half the median, the machine was noisy, and a ratio near its goal is no finding."""


def main(names: list[str]) -> None:
    """Measure the named groups, print them, and write the file when all of them ran."""
    signal.signal(signal.SIGALRM, _too_long)
    taken: list[Row] = []
    took: list[str] = []
    for name in names or MODULES:
        begin = time.monotonic()
        print(f"{name} …", file=sys.stderr, flush=True)
        signal.alarm(LONGEST_S)
        taken += importlib.import_module(f"bench.{name}").rows()
        signal.alarm(0)
        took.append(f"{name} {time.monotonic() - begin:.0f} s")
        print(f"{name} took {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    text = report(taken, took)
    print(text)
    if not names and not SHORT:
        (ROOT / "bench" / "results.md").write_text(text)


def _too_long(_number: int, _frame: object) -> None:
    raise TimeoutError(f"a group of benchmarks took more than {LONGEST_S} s")


def report(taken: list[Row], took: list[str]) -> str:
    """The rows as Markdown, a table a group."""
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    lines = [
        "# Measured",
        "",
        f"By `make bench` on {datetime.now(UTC):%Y-%m-%d}, of commit {_commit()}: {_machine()}, {versions}.",
        f"Load over the last quarter of an hour: {os.getloadavg()[2]:.1f}. Took {', '.join(took)}.",
        "",
        READ_AS.format(met=sum(row.verdict == MET for row in taken), aimed=sum(bool(row.goal) for row in taken)),
    ]
    for group, members in groupby(taken, key=lambda row: row.group):
        lines += ["", f"## {group[0].upper()}{group[1:]}", ""]
        lines += ["| | median | best | worst | unit | ratio | goal | |", "|---|---:|---:|---:|---|---:|---|---|"]
        lines += [_line(row) for row in members]
    return "\n".join(lines) + "\n"


def _commit() -> str:
    """The commit that is measured, and whether anything differs from it."""

    def git(*arguments: str) -> str:
        asked = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
        return asked.stdout.strip()

    changed = " with changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + changed


def _machine() -> str:
    memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{platform.system()} {platform.release().split('-')[0]}, {os.cpu_count()} cores, {memory_gb:.0f} GB"


def _line(row: Row) -> str:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    worst = "" if row.worst is None else f"{row.worst:,.1f}"
    figures = f"{row.median:,.1f} | {row.best:,.1f} | {worst}"
    return f"| {row.name} | {figures} | {row.unit} | {ratio} | {row.goal} | {row.verdict} |"


if __name__ == "__main__":
    main(sys.argv[1:])
