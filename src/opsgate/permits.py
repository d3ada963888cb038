"""Rate limits, seen from a worker: reserve a cost before the work, give it back if the work never started.

The keeper counts, for all workers together. Where no keeper answers, nobody counts, and a limit that nobody counts
protects nothing: the reservation is refused, whatever the class of the operation, and says when to ask again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
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
    giver: Callable[[], bool] | None = field(default=None, repr=False, compare=False)

    def __bool__(self) -> bool:
        return self.granted

    def refund(self) -> bool:
        """Give the cost back, because the work never started. False when there is nothing to give back, or nobody who
        takes it; then the cost leaves the window by itself. Never raises."""
        giver, self.giver = self.giver, None
        return giver() if self.granted and giver is not None else False


def reserve(keeper: str, worker: str, limit: str, cost: int) -> Reservation:
    """Ask the keeper at this address for ``cost`` units of a limit (its own name or S0's). Never raises."""
    from opsgate import wire

    if cost < 1:
        return no_cost(limit, cost)
    question = uuid.uuid4().hex
    answer = wire.ask(keeper, "reserve", timeout_s=ANSWER_WITHIN_S, id=question, limit=limit, cost=cost, worker=worker)
    if answer is None or answer.get("t") != "reserved":
        return nobody(limit, cost, "no keeper answers, so nobody counts this limit")
    return _answered(answer, limit, cost, keeper)


def used_up(limit: str, used: int | None, most: int | None) -> str:
    """How S0 says that a limit is used up."""
    phrase = _PHRASES.get(_ALIASES.get(limit, limit), f"Limit {limit} reached")
    return phrase if used is None else f"{phrase} ({used}/{most})"


def no_cost(limit: str, cost: int) -> Reservation:
    """The answer to a cost that is none."""
    return Reservation(False, limit, cost, reason=f"a cost of {cost} is none: reserve 1 or more")


def nobody(limit: str, cost: int, reason: str) -> Reservation:
    """The answer where nobody counts."""
    from opsgate import wire

    return Reservation(False, limit, cost, retry_after_s=wire.HEARTBEAT_S, reason=reason)


def _answered(answer: Mapping[str, Any], limit: str, cost: int, keeper: str) -> Reservation:
    used, most, after_s = answer.get("used"), answer.get("limit"), answer.get("retry_after_s")
    remaining = max(0, most - used) if isinstance(most, int) and isinstance(used, int) else 0
    if answer.get("granted"):
        reservation = str(answer.get("reservation", ""))

        def give() -> bool:
            from opsgate import wire

            return bool(reservation) and wire.tell(keeper, "refund", id=uuid.uuid4().hex, reservation=reservation)

        return Reservation(True, limit, cost, remaining, reservation_id=reservation, giver=give)
    reason = str(answer.get("reason") or used_up(limit, used, most))
    return Reservation(False, limit, cost, remaining, None if after_s is None else float(after_s), reason)
