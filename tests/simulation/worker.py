"""A real worker for harnesses: asks its gate without pause and says on a line when the answer changes.

``python -m tests.simulation.worker URL NAME``; each line is ``allowed`` or ``blocked`` and the time of the host's clock
in seconds. It ends when its standard input does.
"""

from __future__ import annotations

import select
import sys

from opsgate import Gate
from opsgate.clock import elapsed_s

_PAUSE_S = 0.002


def main(url: str, name: str) -> None:
    """Work until standard input ends."""
    gate = Gate.open(url, worker=name)
    told: bool | None = None
    while not select.select([sys.stdin], [], [], _PAUSE_S)[0]:
        with gate.work(site="s1", operation="content_generation") as work:
            if bool(work) != told:
                told = bool(work)
                sys.stdout.write(f"{'allowed' if told else 'blocked'} {elapsed_s()}\n")
                sys.stdout.flush()
    gate.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
