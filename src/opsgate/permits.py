"""Rate limits, seen from a worker: reserve a cost before the work, give it back if the work never started.

The keeper counts, for all workers together. Where no keeper answers, nobody counts, and a limit that nobody counts
protects nothing: the reservation is refused, whatever the class of the operation, and says when to ask again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ANSWER_WITHIN_S: Final = 1.0
"""Seconds to wait for the keeper."""

_PHRASES: Final = {
    "sites": "Max sites per hour reached",
    "content_pages": "Max content pages per hour reached",
    "gsc_requests": "Max GSC requests per hour reached",
    "opportunity_scans": "Max opportunity scans per day reached",
}
"""How S0 says that a limit is used up."""

_ALIASES: Final = {
    "maxSitesPerHour": "sites",
    "maxContentPagesPerHour": "content_pages",
    "maxGSCRequestsPerHour": "gsc_requests",
    "maxOpportunityScansPerDay": "opportunity_scans",
}


@dataclass(slots=True)
class Reservation:
    """The answer to ``reserve``. Its truth value is ``granted``; ``remaining`` units are left of the limit.

    ``retry_after_s`` is when a refused one could be granted at the earliest, None for never (the cost is above the
    whole limit). ``reason`` is for a person.
    """

    granted: bool
    limit: str
    cost: int
    remaining: int = 0
    retry_after_s: float | None = None
    reason: str = ""
    reservation_id: str = ""
    keeper: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return self.granted

    def refund(self) -> bool:
        """Give the cost back, because the work never started. False when there is nothing to give back, or nobody who
        takes it; then the cost leaves the window by itself. Never raises."""
        if not self.granted or not self.reservation_id:
            return False
        from opsgate import wire

        reservation, self.reservation_id = self.reservation_id, ""
        return wire.tell(self.keeper, "refund", id=uuid.uuid4().hex, reservation=reservation)


def reserve(keeper: str, worker: str, limit: str, cost: int) -> Reservation:
    """Ask the keeper at this address for ``cost`` units of a limit (its own name or S0's). Never raises."""
    from opsgate import wire

    if cost < 1:
        return Reservation(False, limit, cost, reason=f"a cost of {cost} is none: reserve 1 or more")
    question = uuid.uuid4().hex
    answer = wire.ask(keeper, "reserve", timeout_s=ANSWER_WITHIN_S, id=question, limit=limit, cost=cost, worker=worker)
    if answer is None or answer.get("t") != "reserved":
        return nobody(limit, cost, "no keeper answers, so nobody counts this limit")
    return _answered(answer, limit, cost, keeper)


def nobody(limit: str, cost: int, reason: str) -> Reservation:
    """The answer where nobody counts."""
    from opsgate import wire

    return Reservation(False, limit, cost, retry_after_s=wire.HEARTBEAT_S, reason=reason)


def _answered(answer: Mapping[str, Any], limit: str, cost: int, keeper: str) -> Reservation:
    used, most, after_s = answer.get("used"), answer.get("limit"), answer.get("retry_after_s")
    remaining = max(0, most - used) if isinstance(most, int) and isinstance(used, int) else 0
    if answer.get("granted"):
        return Reservation(
            True, limit, cost, remaining, reservation_id=str(answer.get("reservation", "")), keeper=keeper
        )
    phrase = _PHRASES.get(_ALIASES.get(limit, limit), f"Limit {limit} reached")
    reason = str(answer.get("reason") or (phrase if used is None else f"{phrase} ({used}/{most})"))
    return Reservation(
        False, limit, cost, remaining, None if after_s is None else float(after_s), reason, keeper=keeper
    )
