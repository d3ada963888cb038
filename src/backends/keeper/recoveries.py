"""The thread on which a keeper recovers: it looks twice a second while something is being recovered."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Final

from backends import spool
from backends.driving.names import this_host
from backends.keeper.hands import DriverHands
from backends.keeper.log import NAME
from backends.keeper.office import KEEPER_ACTOR, TRY_S, Office
from backends.keeper.recovering import Recovering
from backends.keeper.roster import Instant
from backends.keeper.service_stops import ServiceStops
from core.capabilities.restoring import AdvanceRecovery
from core.engine import Facts, step
from core.errors import OpsError
from core.gates import LOOKED_AT_MAX, MetricGate
from core.messages import Command, Envelope
from core.recoveries import Recovery
from core.services import Service
from opsgate.clock import elapsed_s

_log = logging.getLogger(NAME)

TURN_S: Final = 0.5
"""Seconds between two looks while something is being recovered, and between two tries when the database is away."""

LEAST_S: Final = 0.1
"""Seconds between two looks at least, however much moves."""

IDLE_S: Final = 5.0
"""Seconds between two looks whether something may recover by itself."""


class Recoveries(threading.Thread):
    """Takes turns until `close`."""

    def __init__(
        self, office: Office, services: ServiceStops, names: tuple[str, ...], now: Callable[[], Instant]
    ) -> None:
        """``names`` are those under which this fleet's latches lie."""
        super().__init__(name="recoveries", daemon=True)
        self._runtime, self._leader, self._names, self._now = office.runtime, office.leader, names, now
        hands = DriverHands(services.drivers, services.host)
        self._services = services
        self._recovering = Recovering(
            hands,
            self._submit,
            leads=self._leads,
            mine=self._is_mine,
            startable=self._startable,
            readings=self._readings,
        )
        self._wake = threading.Event()
        self._ending = threading.Event()

    def moved(self) -> None:
        """The fleet has moved: look. From any thread."""
        self._wake.set()

    def close(self) -> None:
        """End the thread. What a driver is about to do, it does."""
        self._ending.set()
        self._wake.set()
        if self.is_alive():
            self.join(timeout=5)

    def run(self) -> None:
        """The life of the thread."""
        rest_s = TURN_S
        while not self._ending.wait(LEAST_S):
            self._wake.wait(rest_s)
            self._wake.clear()
            try:
                busy = self._recovering.turn(self._now, self._runtime.latest)
                rest_s = TURN_S if busy else IDLE_S
            except OpsError as error:
                _log.info("a recovery waits", extra={"fault": str(error)})
                rest_s = TURN_S
            except Exception:  # noqa: BLE001 (whatever is wrong with one recovery, a stop that comes must turn it back)
                _log.exception("recovering failed")
                rest_s = TURN_S

    def _leads(self) -> bool:
        return self._leader.leads(elapsed_s())

    def _is_mine(self, service: Service) -> bool:
        return service.host == this_host() or (service.host is None and self._leads())

    def _startable(self, recovery: Recovery, services: Sequence[Service]) -> Sequence[Service]:
        """None but where the journal knows every stop that is in force here: those that this keeper has taken, and
        those that lie on the disk."""
        if self._services.has_unrecorded or spool.pending(self._names, self._runtime.latest()):
            return ()
        return self._services.let_go_of(recovery, services)

    def _readings(self, gate: MetricGate, since_s: float) -> Sequence[float]:
        """What all keepers have kept for a gate."""
        samples = self._runtime.store.samples(gate.metric, since_s, LOOKED_AT_MAX)
        return [sample.value for sample in samples if gate.account in {None, sample.account}]

    def _submit(self, command: Command, looked_at: int | None) -> None:
        """Have it decided, where it would change anything. Nothing is released while a latched stop is unrecorded."""
        envelope = Envelope(
            command_id=f"keeper-{uuid.uuid4().hex}",
            actor=KEEPER_ACTOR,
            door="keeper",
            command=command,
            expected_revision=looked_at,
        )
        state, leads = self._runtime.latest(), self._leads()
        if isinstance(command, AdvanceRecovery):
            rehearsed = step(state, envelope, self._now().at, Facts(rules=self._runtime.rules))
            if not rehearsed.events:
                return
        if (isinstance(command, AdvanceRecovery) or command.lets_run) and spool.pending(self._names, state):
            return
        self._runtime.submit(envelope, timeout_s=TRY_S, fence=self._leader.lease if leads else None)
