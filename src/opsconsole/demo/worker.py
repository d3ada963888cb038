"""One worker process of the demo. It imports `opsgate` and nothing else of ours, as anybody's worker would.

It does paced work of every operation and of some workflows, asks before each piece, looks up at each checkpoint, and
writes a line for each step that it really takes: the proof that a stop stopped it does not come from the gate.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Final

from opsgate import Gate
from opsgate.work import Dimensions

STEP_S: Final = 0.1
SLOW_STEP_S: Final = 3.0
_STEPS: Final = (3, 12)
_REST_S: Final = (0.05, 0.4)
_REFUSED_S: Final = 0.25

_CHANCE: Final = random.Random()  # noqa: S311 - it paces work, it keeps no secret

LIMIT_OF_OPERATION: Final = {
    "site_creation": "sites",
    "content_generation": "content_pages",
    "gsc_verification": "gsc_requests",
    "opportunity_scan": "opportunity_scans",
}
_TASKS: Final[tuple[Dimensions, ...]] = (
    {"operation": "content_generation"},
    {"operation": "content_optimization"},
    {"operation": "gsc_verification"},
    {"operation": "ab_testing"},
    {"workflow": "xml-import"},
    {"workflow": "status-sync"},
    {"workflow": "orders-cleanup"},
    {"operation": "opportunity_scan"},
    {"operation": "site_creation"},
)


class Journal:
    """The worker's own record of what it really did: one line a step, appended by one write."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, text: str) -> None:
        """Write one line."""
        os.write(self._descriptor, f"{time.time():.3f} {text}\n".encode())


def main() -> None:
    """Work until told to end, or until whoever started this process is gone."""
    wanted = _arguments()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the demo ends its workers itself
    threading.Thread(target=_end_with_parent, daemon=True).start()
    journal = Journal(wanted.journal)
    with Gate.open(wanted.url, worker=wanted.worker, scope={"site": [wanted.site]}) as gate:
        if wanted.character == "deaf":
            hang(gate, wanted.site, journal)
        while True:
            for task in _CHANCE.sample(_TASKS, len(_TASKS)):
                do(gate, {**task, "site": wanted.site}, journal, slow=wanted.character == "slow")


def do(gate: Gate, task: Dimensions, journal: Journal, *, slow: bool) -> None:
    """One piece of work: ask, reserve, then step by step until it is done or has to stop."""
    with gate.work(**task) as work:
        if not work:
            time.sleep(_REFUSED_S)  # as a worker that has nothing else to do
            return
        limit = LIMIT_OF_OPERATION.get(task.get("operation") or "")
        if limit is not None and not gate.reserve(limit):
            return
        for _ in range(_CHANCE.randint(*_STEPS)):
            journal.note(" ".join(map(str, task.values())))
            time.sleep(SLOW_STEP_S if slow else STEP_S)  # this is its work
            if not work.checkpoint():
                return
    time.sleep(_CHANCE.uniform(*_REST_S))


def hang(gate: Gate, site: str, journal: Journal) -> None:
    """Begin a piece of work whose call to a third party never returns: no checkpoint is ever reached."""
    with gate.work(site=site, operation="content_generation") as work:
        journal.note(f"{site} content_generation" if work else "refused")
        threading.Event().wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="One worker of the demo fleet.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--site", required=True)
    parser.add_argument("--character", required=True)
    parser.add_argument("--journal", required=True, type=Path)
    return parser.parse_args()


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _end_with_parent() -> None:
    """The pipe on stdin closes when the demo is gone, however it went."""
    os.read(sys.stdin.fileno(), 1)  # not the buffered file, whose lock would abort the interpreter at its end
    os._exit(0)


if __name__ == "__main__":
    main()
