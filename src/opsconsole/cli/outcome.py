"""What a stop came to, as it is told to programs and to people. Nothing more is claimed than was observed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backends.stop_lane import Fired
from opsconsole.render import Document
from opsgate.hold import Hold


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
    holds: tuple[Hold, ...] = ()
    """The holds in force on what was stopped, as far as they could be read."""

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
            "hold_ids": [hold.hold_id for hold in self.holds if hold.owner in (self.emergency_id, order.stop_id)],
            "stop_id": order.stop_id,
            "emergency_id": self.emergency_id,
            "level": order.level,
            "durable": self.durable,
            "remaining_holds": [hold.as_dict() for hold in self.holds],
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
    holds = fired.order.holds() if fired.in_force else ()
    return Outcome(
        fired, fired.durable, "unverified", age_s(fired), of=fired.of or 0, emergency_id=fired.emergency_id, holds=holds
    )


def age_s(fired: Fired) -> float:
    """Seconds since the stop was ordered."""
    return max(0.0, (datetime.now(UTC) - fired.order.ordered_at).total_seconds())
