"""Run every benchmark and write ``results.md``: what was measured, on what, and how it stands to its goal.

python bench/run.py [GROUP …]   (decide fold journal start stop services triggers console server; all without a name)

With BENCH_SHORT set a glance: fewer services and rounds, and no file.
"""

from __future__ import annotations

import importlib
import os
import platform
import sqlite3
import sys
import time
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench.measure import SHORT, Row  # noqa: E402 - only now is the project on the path

MODULES = ("decide", "fold", "journal", "start", "stop", "services", "triggers", "console", "server")


def main(names: list[str]) -> None:
    """Measure the named groups, print them, and write the file when all of them ran."""
    taken: list[Row] = []
    for name in names or MODULES:
        begin = time.monotonic()
        print(f"{name} …", file=sys.stderr, flush=True)
        taken += importlib.import_module(f"bench.{name}").rows()
        print(f"{name} took {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    text = report(taken)
    print(text)
    if not names and not SHORT:
        (ROOT / "bench" / "results.md").write_text(text)


def report(taken: list[Row]) -> str:
    """The rows as Markdown, a table a group."""
    machine = f"{platform.system()} {platform.release().split('-')[0]}, {os.cpu_count()} cores"
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    lines = [
        "# Measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}, {versions}. Made by `make bench`. Medians and minima;",
        "every ratio is to the line marked 1.00 of its group, taken in the same run in shuffled turns.",
    ]
    for group, members in groupby(taken, key=lambda row: row.group):
        lines += ["", f"## {group[0].upper()}{group[1:]}", "", "| | median | best | unit | ratio | goal |"]
        lines += ["|---|---:|---:|---|---:|---|"]
        lines += [_line(row) for row in members]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return f"| {row.name} | {row.median:,.1f} | {row.best:,.1f} | {row.unit} | {ratio} | {row.goal} |"


if __name__ == "__main__":
    main(sys.argv[1:])
