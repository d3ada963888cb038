"""Follow a stop to its result: record it where nobody has, then look until the budget of its level is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from backends.stop_lane import Fired
from core.errors import OpsError
from opsconsole.cli.output import say
from opsconsole.config import Settings
from opsconsole.render import Document
from opsgate.clock import elapsed_s
from opsgate.hold import DRAIN
from opsgate.order import BUDGET_S
from opsgate.status import FleetStatus, StopStatus

if TYPE_CHECKING:
    from core.ports import Backend

_POLL_S: Final = 0.05
_QUIET_S: Final = 1.0
"""Seconds that a stop may take before its progress is narrated."""

_CONCLUDING_S: Final = 1.0
"""Seconds behind the budget within which the keeper says what the stop came to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stop came to, as far as it was observed. ``took_s`` is from the order to the last look."""

    fired: Fired
    durable: str
    result: str
    took_s: float
    acked: int = 0
    of: int = 0
    missing: tuple[str, ...] = ()
    emergency_id: str | None = None
    revision: int | None = None
    waited: bool = True

    @property
    def verified(self) -> bool:
        """Whether everybody of the frozen list acknowledged and the stop is recorded."""
        return self.result == "verified" and self.durable == "database"

    def document(self) -> Document:
        """The stop for programs and for people."""
        order = self.fired.order
        data: dict[str, Any] = {
            "revision": self.revision,
            "changed": True,
            "stop_id": order.stop_id,
            "emergency_id": self.emergency_id,
            "level": order.level,
            "durable": self.durable,
            "result": self.result,
            "acked": self.acked,
            "of": self.of,
            "missing": list(self.missing),
            "took_s": round(self.took_s, 3),
        }
        return Document(data, self._lines())

    def _lines(self) -> list[str]:
        counts = f"{self.acked}/{self.of} acknowledged"
        name = f"{self.fired.order.stop_id}{f' of {self.emergency_id}' if self.emergency_id else ''}"
        match self.result:
            case "verified":
                lines = [f"verified in {self.took_s:.2f} s: {counts}, {name}"]
            case "pending":
                lines = [f"in force, nothing verified yet: {counts}, {name}; see 'opsconsole status'"]
            case _:
                lines = [f"{self.result.upper()} after {self.took_s:.2f} s: {counts}, {name}"]
        if self.missing:
            lines.append(f"not known to have stopped: {', '.join(self.missing)}")
        if self.durable == "spool":
            lines.append("not in the journal yet: latched on this host, recorded first thing when the database is back")
        elif self.durable == "memory":
            lines.append("on no disk yet: whoever was told obeys it, and forgets it at a restart")
        return lines


def unfollowed(fired: Fired) -> Outcome:
    """The outcome of a stop that this host alone was told of: nobody can be asked who obeyed."""
    return Outcome(fired, fired.durable, "unverified", _age_s(fired), 0, fired.of or 0, (), fired.emergency_id)


def followed(fired: Fired, settings: Settings, *, wait: bool) -> Outcome:
    """Record the stop if no keeper did, and look until it has a result or its budget is over."""
    if fired.durable == "database" and settings.backend.startswith("sqlite:"):
        return _watch(fired, "database", _reader(settings.backend), wait=wait)
    from backends import open_backend

    try:
        unnamed = settings.origins["backend"] == "default"  # a typing error in a URL must not begin an empty fleet
        backend = open_backend(settings.backend, create=unnamed, timeout_s=settings.timeout_s)
    except OpsError as error:
        say(f"journal: not recorded yet, {error}")
        return unfollowed(fired)
    try:
        durable = fired.durable if fired.durable == "database" else _recorded(fired, backend, settings.timeout_s)
        look = _reader(settings.backend) if settings.backend.startswith("sqlite:") else _asker(backend, settings)
        return _watch(fired, durable, look, wait=wait)
    finally:
        backend.close()


def _recorded(fired: Fired, backend: Backend, timeout_s: float) -> str:
    """Record the order ourselves; what it is durable in afterwards."""
    from backends.spool import record

    try:
        recorded = record(fired.order, backend, timeout_s=timeout_s)
    except OpsError as error:
        say(f"journal: not recorded yet, {error}")
        return fired.durable
    emergency = f" as {recorded.stop.emergency_id}" if recorded.stop else ""
    say(f"journal: recorded at revision {recorded.revision}{emergency}")
    return "database"


def _reader(url: str) -> Callable[[], FleetStatus]:
    from opsgate.status import read_status

    return lambda: read_status(url)


def _asker(backend: Backend, settings: Settings) -> Callable[[], FleetStatus]:
    from opsconsole.cli.standing import status_of

    return lambda: status_of(backend, settings.timeout_s)


def _watch(fired: Fired, durable: str, look: Callable[[], FleetStatus], *, wait: bool) -> Outcome:
    """Look again and again, until the keeper has said what the stop came to or nobody will any more."""
    wait = wait and (durable == "database" or fired.keeper != "absent")  # else nobody would ever say more
    deadline_s = elapsed_s() + (_budget_s(fired) if wait else 0.0)
    told = -1
    while True:
        status = look()
        stop = next((stop for stop in status.stops if stop.stop_id == fired.order.stop_id), None)
        over = elapsed_s() >= deadline_s
        if over or (stop is not None and stop.result != "pending"):
            return _outcome(fired, durable, status, stop, over=over and wait)
        acked = len(stop.of) - len(stop.missing) if stop else 0
        if stop is not None and acked != told and _age_s(fired) > _QUIET_S:
            say(f"{acked}/{len(stop.of)} acknowledged")
            told = acked
        time.sleep(_POLL_S)


def _outcome(fired: Fired, durable: str, status: FleetStatus, stop: StopStatus | None, *, over: bool) -> Outcome:
    if stop is None or not stop.emergency_id:  # not recorded, so there is no frozen list to be verified against
        return Outcome(fired, durable, "unverified", _age_s(fired), revision=status.revision or None)
    acked = len(stop.of) - len(stop.missing)
    result = stop.result
    if result == "pending" and over:
        say("no keeper concluded it in time: this is what was seen")
        result = "verified" if not stop.missing else "partial" if acked else "unverified"
    return Outcome(
        fired,
        durable,
        result,
        _age_s(fired),
        acked,
        len(stop.of),
        stop.missing,
        stop.emergency_id or None,
        status.revision,
    )


def _budget_s(fired: Fired) -> float:
    """The budget of the level; a drain that has used it up halts, and has that budget too."""
    order = fired.order
    halting_s = BUDGET_S["immediate"] if order.mode == DRAIN else 0.0
    return BUDGET_S[order.level] + halting_s + _CONCLUDING_S


def _age_s(fired: Fired) -> float:
    return max(0.0, (datetime.now(UTC) - fired.order.ordered_at).total_seconds())
