"""A process with many gates in it, each a worker of its own: ``python -m tests.simulation.gates URL PREFIX NUMBER``.

It says when all of them are in contact, and ends with its standard input.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
from contextlib import ExitStack

from opsgate import Gate

_SWITCH_S = 0.1
"""Hundreds of threads that wait for one interpreter ask for it so often that nothing else is done."""


def say(**facts: int) -> None:
    """One line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def wait_for(gate: Gate) -> None:
    """Until it is in contact. Hundreds of others in this process have to get there too, so nobody polls."""
    changed = threading.Event()
    leave = gate.subscribe(changed.set)
    while gate.freshness != "valid":
        changed.wait(1.0)
        changed.clear()
    leave()


def main(url: str, prefix: str, number: int) -> None:
    """Open them, and wait."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    sys.setswitchinterval(_SWITCH_S)
    with ExitStack() as opened:
        gates = []
        for each in range(number):  # one after the other, as workers come
            gates.append(opened.enter_context(Gate.open(url, worker=f"{prefix}-{each}")))
            wait_for(gates[-1])
        say(ready=number)
        sys.stdin.readline()
        stopped = sum(not gate.allowed(operation="site_creation") for gate in gates)
        say(stopped=stopped)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
