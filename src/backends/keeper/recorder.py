"""The recorder: writes stop orders into the journal, again and again until each of them is there.

It has a runtime, a connection and a thread of its own, so nothing else that the keeper does can be in its way.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from backends import spool
from backends.keeper.log import NAME
from backends.keeper.roster import Instant, Roster
from backends.milestones import Milestone, passing
from backends.runtime import Runtime
from core.errors import BackendUnavailable, NotOurDatabase, OpsError
from core.messages import Envelope
from opsgate.order import Order

_log = logging.getLogger(NAME)

_TRY_S: Final = 1.0
"""Seconds that one try may wait for a lock."""

_AGAIN_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between two tries after one, two, … failures. The last is the longest."""

_REFUSED_AGAIN_S: Final = 30.0

_IDLE_S: Final = 1.0
"""Seconds between two times that its runtime catches up, so that a stop finds it ready."""


class Recorder(threading.Thread):
    """Records orders, oldest first. ``settled`` is told of each, on this thread."""

    def __init__(
        self,
        runtime: Runtime,
        ahead: Runtime,
        roster: Roster,
        fleets: Sequence[str],
        now: Callable[[], Instant],
        settled: Callable[[spool.Recorded], None],
    ) -> None:
        """``ahead`` is a runtime that has folded what this one would have to fold; its own connection is its own."""
        super().__init__(name="recorder", daemon=True)
        self.fault = ""
        """Why the last try failed; empty when it did not."""
        self.words: Callable[[Order], Envelope | None] = lambda _order: None
        """By which command whoever placed an order would have it recorded; None where the order says all there is."""
        self._runtime = runtime
        self._ahead = ahead
        self._roster = roster
        self._fleets = fleets
        self._now = now
        self._settled = settled
        self._orders: dict[str, Order] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = False

    def put(self, order: Order) -> None:
        """Record this one. Returns at once."""
        with self._lock:
            self._orders.setdefault(order.stop_id, order)
        self._wake.set()

    def close(self) -> None:
        """End the thread and wait for it. What is not recorded lies in its latch."""
        self._ending = True
        self._wake.set()
        self.join(timeout=2 * _TRY_S)

    def run(self) -> None:
        """The life of the thread."""
        self._rehearse()
        failures = 0
        pause_s = _IDLE_S
        while not self._ending:
            self._wake.wait(pause_s)
            self._wake.clear()
            try:
                pause_s = _REFUSED_AGAIN_S if self._record_all() else _IDLE_S
                failures = 0
            except (BackendUnavailable, NotOurDatabase) as error:
                self._failed(error)
                pause_s = _AGAIN_S[min(failures, len(_AGAIN_S) - 1)]
                failures += 1
            except Exception:  # noqa: BLE001 (a stop that is not recorded must be tried again, whatever happened)
                _log.exception("recording a stop failed")
                pause_s = _AGAIN_S[-1]

    def _rehearse(self) -> None:
        """Go through the recording of a stop once, for nobody: the first real one must not be the first of its kind."""
        order = Order("rehearsal", self._now().at, reason="never recorded", door="keeper")
        try:
            self._runtime.rehearse(spool.envelope_of(order), timeout_s=_TRY_S)
        except OpsError:
            pass  # whatever is wrong with the database, the first real stop meets it too, and says so

    def _record_all(self) -> int:
        """Record what waits, oldest first; returns how many were refused. `BackendUnavailable` ends it early."""
        with self._lock:
            orders = sorted(self._orders.values(), key=lambda order: (order.ordered_at, order.stop_id))
        self._runtime.take_over(self._ahead)
        if not orders:
            self._runtime.state(timeout_s=_TRY_S)
            self.fault = ""
            return 0
        refused = 0
        self._write_workers()
        for order in orders:
            try:
                self._record(order)
            except (BackendUnavailable, NotOurDatabase):
                raise
            except (OpsError, ValueError) as error:
                refused += 1
                _log.error(
                    "a stop cannot be recorded and stays latched", extra={"stop": order.stop_id, "fault": str(error)}
                )
        return refused

    def _record(self, order: Order) -> None:
        passing(Milestone.STOP_RECORDING)
        recorded = spool.record(order, self._runtime, timeout_s=_TRY_S, words=self.words(order))
        passing(Milestone.STOP_RECORDED)
        self.fault = ""
        with self._lock:
            self._orders.pop(order.stop_id, None)
        self._settled(recorded)
        if recorded.standing == "ended":
            spool.unlatch([order], self._fleets)

    def _write_workers(self) -> None:
        """A stop freezes the list of live workers from their rows, so what matters to it must stand there first."""
        now = self._now()
        self._roster.correct(now)
        rows = self._roster.owed_to_a_stop(now)
        if rows:
            self._runtime.put_workers(rows, timeout_s=_TRY_S)
            self._roster.written(rows)

    def _failed(self, error: OpsError) -> None:
        if not self.fault:
            _log.error("the database is away: stops are in force and not recorded", extra={"fault": str(error)})
        self.fault = str(error)
