"""Wait until the live workers have seen a pause, and say what is known of the work still running in them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from opsconsole.cli.engine import Engine, fact_of
from opsconsole.cli.exits import Exit
from opsconsole.cli.output import say
from opsconsole.views.words import counted
from opsgate.clock import elapsed_s
from opsgate.selector import Selector
from opsgate.wire import LOST_AFTER_S

if TYPE_CHECKING:
    from core.ports import Observations, WorkerRow

_POLL_S: Final = 0.05


def wait_for_acks(engine: Engine, selectors: Sequence[Selector], revision: int, timeout_s: float) -> int:
    """Wait until every worker that is live now and serves ``selectors`` has seen ``revision``; 4 when time is up.

    A pause has no frozen list and no result: a worker reports what it has seen and how much runs in it, so that is
    what is said. Only a stop is verified.
    """
    deadline_s = elapsed_s() + timeout_s
    awaited = {row.worker_id for row in _serving(engine.backend.observe(timeout_s=engine.timeout_s), selectors)}
    while True:
        rows = [row for row in engine.backend.observe(timeout_s=engine.timeout_s).workers if row.worker_id in awaited]
        seen = [row for row in rows if row.revision >= revision or row.state == "left"]
        if len(seen) == len(awaited) or elapsed_s() >= deadline_s:
            break
        time.sleep(_POLL_S)  # what workers say is no event that one could wait for
    running = sum(row.in_flight for row in rows if row.state != "left")
    say(f"seen by {len(seen)}/{counted(len(awaited), 'worker')}; {_pieces(running)} still running in them")
    missing = sorted(awaited - {row.worker_id for row in seen})
    if missing:
        say(f"not seen in time by {', '.join(missing[:20])}: look at them with 'opsconsole workers list'")
        return Exit.TIMED_OUT
    return Exit.OK


def _pieces(number: int) -> str:
    return f"{counted(number, 'piece')} of work"


def _serving(seen: Observations, selectors: Sequence[Selector]) -> list[WorkerRow]:
    """The live workers that may do some of this work, as far as they declared."""
    return [
        row
        for row in seen.workers
        if row.state == "live"
        and (seen.at - row.heartbeat_at).total_seconds() < LOST_AFTER_S
        and any(map(fact_of(row).serves, selectors))
    ]
