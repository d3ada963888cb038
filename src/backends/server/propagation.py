"""How long news takes: from the decision to every socket, to a gate that says it knows, and from the order of a stop to
each worker that obeys it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from core.ports import Arrival, WorkerRow
from core.state import State
from opsgate.order import Order

Leg = Literal["sent", "known", "obeyed"]
"""``sent``: a change until its frame was handed to the socket of every gate that listens. ``known``: until a worker's
next word says that it has it, which is within a heartbeat. ``obeyed``: a stop until a worker acknowledges it."""

_KEPT_MAX: Final = 1000
"""Changes of which it is known when they were decided."""

_STALE_S: Final = 60.0
"""Seconds after which what is said about news is said by somebody who was not there."""


class Propagation:
    """Times news by the decisions that it is about. From any thread."""

    def __init__(
        self,
        observe: Callable[[Leg, float], None],
        latest: Callable[[], State],
        unrecorded: Callable[[], Mapping[str, Order]],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``observe`` is told of each leg and how many seconds it took."""
        self._observe = observe
        self._latest = latest
        self._unrecorded = unrecorded
        self._now = now
        self._decided_at: OrderedDict[int, datetime] = OrderedDict()

    def arrived(self, arrival: Arrival) -> None:
        """Something was decided."""
        for recorded in arrival.events:
            self._decided_at[recorded.revision] = recorded.header.at
        while len(self._decided_at) > _KEPT_MAX:
            self._decided_at.popitem(last=False)

    def sent(self, revision: int) -> None:
        """A change was handed to all who listen."""
        self._took("sent", self._decided_at.get(revision))

    def heard(self, before: WorkerRow | None, revision: int, stops: tuple[str, ...]) -> None:
        """A worker says how far it knows the fleet, and which stops it obeys; ``before`` is what it said last."""
        if before is None:
            return
        if revision > before.revision:
            self._took("known", self._decided_at.get(revision))
        for stop_id in set(stops).difference(before.stops):
            self._took("obeyed", self._ordered_at(stop_id))

    def _ordered_at(self, stop_id: str) -> datetime | None:
        order = self._unrecorded().get(stop_id)
        stop = self._latest().stops.get(stop_id) if order is None else None
        return order.ordered_at if order is not None else stop.ordered_at if stop is not None else None

    def _took(self, leg: Leg, since_at: datetime | None) -> None:
        if since_at is None:
            return
        took_s = (self._now() - since_at).total_seconds()
        if took_s < _STALE_S:
            self._observe(leg, max(0.0, took_s))  # another server's clock may be ahead
