"""Rate limits in practice: reservations are rows in the database, so every process shares them and a restart keeps
them; each one is decided and stored in one exclusive transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from core.capabilities.rate_limits import DAY_S, Grant, limit_named, owned_by, reserve
from core.errors import CommandRejected
from core.ports import LimitUsage, Reservation, Store, Transaction
from core.state import State

BUCKETS: Final = 10
"""Parts of a window in the history of its usage."""


def take(
    transaction: Transaction,
    state: State,
    name: str,
    cost: int,
    now: datetime,
    lease_s: float = 0.0,
    owner: str | None = None,
    named: str | None = None,
) -> Reservation:
    """Reserve ``cost`` units of the limit called ``name`` (its own name or S0's) and store it when granted.

    What may be used within ``lease_s`` counts as used at the end of that, so that no window ever sees more than the
    limit, whenever within the lease it was.

    ``owner`` is the worker that takes it, and the id names it. What is asked for again by the name that whoever asks
    has given it takes the place of what was given before, for that answer may never have been heard.

    Raises `UnknownName`, or `CommandRejected` for a cost below 1. A limit of 0 grants nothing.
    """
    limit = limit_named(state, name)
    if cost < 1:
        raise CommandRejected("bad-cost", f"a cost of {cost} reserves nothing", "reserve 1 or more")
    now_s = now.timestamp()
    # Rows outlive their window by a day, so that a window made longer still knows what was used.
    transaction.drop_usage(limit=limit.name, before_s=now_s - limit.window_s - DAY_S)
    reservation_id = owned_by(f"r-{named or uuid.uuid4().hex}", owner)
    used = transaction.usage(limit.name, now_s - limit.window_s)
    others = ((at_s, units) for known_id, at_s, units in used if known_id != reservation_id)
    grant: Grant = reserve(limit, cost, others, now_s)
    if grant.granted:
        if named:
            transaction.drop_usage(reservation_id=reservation_id)
        transaction.put_usage(limit.name, reservation_id, now_s + lease_s, cost)
    return Reservation(reservation_id, grant)


def give_back(transaction: Transaction, reservation_id: str, keep: int) -> bool:
    """Give a reservation back but for ``keep`` units; False where nothing of it is left to give."""
    if keep > 0:
        return transaction.keep_usage(reservation_id, keep) > 0
    return transaction.drop_usage(reservation_id=reservation_id) > 0


def usage_of(store: Store, state: State, now: datetime) -> tuple[LimitUsage, ...]:
    """What is used of every limit now, with its history over the window."""
    now_s = now.timestamp()
    return tuple(
        _usage(name, limit.window_s, now_s, store.usage(name, now_s - limit.window_s))
        for name, limit in sorted(state.limits.items())
    )


def _usage(name: str, window_s: float, now_s: float, rows: Iterable[tuple[float, int]]) -> LimitUsage:
    buckets = [0] * BUCKETS
    total = 0
    for at_s, cost in rows:
        place = int((at_s - (now_s - window_s)) / window_s * BUCKETS)
        buckets[min(max(place, 0), BUCKETS - 1)] += cost
        total += cost
    return LimitUsage(name, total, tuple(buckets))
