"""A process with many gates in it, each a worker of its own: ``python -m tests.simulation.gates URL PREFIX NUMBER``.

It says when all of them are in contact, and ends with its standard input.
"""

from __future__ import annotations

import json
import resource
import sys
from contextlib import ExitStack

from opsgate import Gate
from tests.support.waiting import eventually

WITHIN_S = 120.0


def say(**facts: int) -> None:
    """One line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main(url: str, prefix: str, number: int) -> None:
    """Open them, and wait."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with ExitStack() as opened:
        gates = [opened.enter_context(Gate.open(url, worker=f"{prefix}-{each}")) for each in range(number)]
        eventually(lambda: all(gate.freshness == "valid" for gate in gates), within_s=WITHIN_S)
        say(ready=number)
        sys.stdin.readline()
        stopped = sum(not gate.allowed(operation="site_creation") for gate in gates)
        say(stopped=stopped)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
