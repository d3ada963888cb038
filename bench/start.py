"""How long a command takes from nothing to its answer: a cold process each time, against a bare Click program.

``check``, ``status`` and ``stop`` are what people and scripts wait for, so they load no database layer, no models and
no screen; the goal is three times the bare program.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from backends import open_backend
from backends.keeper import ensure
from bench.measure import SHORT, Row, compare, interleaved

BARE = """
import click
@click.command()
@click.option("--site")
def main(site):
    click.echo(f"allowed {site}")
main(["--site", "s1"])
"""
ROUNDS = 1 if SHORT else 7
GOALS = dict.fromkeys(("check", "status", "stop with a keeper"), "<= 3")


def timed_ms(command: Sequence[str]) -> Callable[[], float]:
    """A side of a comparison: milliseconds of one cold run of ``command``."""

    def run() -> float:
        begin = time.perf_counter()
        subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        return (time.perf_counter() - begin) * 1000

    return run


def rows() -> list[Row]:
    """The commands of the fast path and, beside them, what the slower ones cost."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        os.environ.update(
            HOME=folder, XDG_STATE_HOME=folder, XDG_RUNTIME_DIR=folder, OPSGATE_LATCH_DIR=f"{folder}/latch"
        )
        url = f"sqlite:///{Path(folder) / 'fleet.db'}"
        open_backend(url).close()
        ensure(url)
        opsconsole = [str(Path(sys.executable).parent / "opsconsole"), "-b", url]
        sides = {
            "python, nothing": timed_ms([sys.executable, "-c", "pass"]),
            "a bare Click program": timed_ms([sys.executable, "-c", BARE]),
            "check": timed_ms([*opsconsole, "check", "--operation", "ab_testing"]),
            "status": timed_ms([*opsconsole, "status"]),
            "stop with a keeper": timed_ms([*opsconsole, "stop", "--operation", "ab_testing", "--no-wait"]),
            "pause": timed_ms([*opsconsole, "pause", "--operation", "ab_testing", "--reason", "bench"]),
            "import json, dataclasses": timed_ms([sys.executable, "-c", "import json, dataclasses"]),
            "import opsgate": timed_ms([sys.executable, "-c", "import opsgate"]),
        }
        return compare("start-up of commands", "ms", "a bare Click program", interleaved(sides, ROUNDS), GOALS)
