"""What gates are told over HTTP: the same messages that go to those of this host as datagrams.

A message for all goes into the stream of everybody who listens. One that is for a single worker waits until that worker
reports the next time, which it does within seconds: so it also reaches those who only poll.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from backends.server.push import Frame, Hub, frame
from core.state import State
from opsgate import wire
from opsgate.hold import timestamp
from opsgate.order import Order

FORMAT: Final = 1
_ADDRESSES_MAX: Final = 10_000
"""Workers for whom messages are kept; names may come and go without end."""

_KEPT_MAX: Final = 100
"""Messages that wait for one worker. Who needs more reads the whole state again."""

Unrecorded = Callable[[], Mapping[str, Order]]


class Gates:
    """The streams of gates, and what waits for single ones. `backends.keeper.outbox.Streams` for the engine room."""

    def __init__(self) -> None:
        self.hub = Hub(self._catch_up)
        self.stop_port = 0
        self._latest: Callable[[], State] = State
        self._unrecorded: Unrecorded = dict
        self._age_s: Callable[[], float] = lambda: 0.0
        self._also: Callable[[], None] = lambda: None
        self._waiting: dict[str, dict[bytes, None]] = {}
        self._lock = threading.Lock()
        self._cached: tuple[State, bytes] | None = None

    def attach(
        self,
        latest: Callable[[], State],
        unrecorded: Unrecorded,
        age_s: Callable[[], float],
        also: Callable[[], None],
    ) -> None:
        """Say where the state comes from, the orders that it does not hold yet, and how old it is while its database is
        away. ``also`` is called whenever all gates have been told something."""
        self._latest = latest
        self._age_s = age_s
        self._unrecorded = unrecorded
        self._also = also

    # --------------------------------------------------------------------------------- from any thread of the room
    def tell(self, message: bytes, address: str) -> None:
        """Keep a message for one worker."""
        with self._lock:
            waiting = self._waiting.setdefault(address, {})
            waiting[message] = None
            if len(self._waiting) > _ADDRESSES_MAX:  # whoever has not asked for longest is told again by its next beat
                self._waiting.pop(next(iter(self._waiting)))
            if len(waiting) > _KEPT_MAX:
                waiting.clear()
                waiting[wire.encode("moved", revision=self._latest().revision)] = None

    def tell_all(self, message: bytes) -> None:
        """Write a message to all streams."""
        document = wire.decode(message)
        assert document is not None, "the room writes messages only"
        revision = int(document["delta"]["revision"]) if document["t"] == "delta" else 0
        is_moved = document["t"] == "moved"  # the whole state is asked for, which may be an earlier one
        self.hub.publish(frame(document["t"], message, revision, anew=is_moved))
        self._also()

    def messages_for(self, address: str) -> list[Any]:
        """What waits for one worker. It waits no more."""
        with self._lock:
            return [json.loads(message) for message in self._waiting.pop(address, ())]

    # ------------------------------------------------------------------------------------------------- on the loop
    async def document(self) -> tuple[int, bytes]:
        """All that a gate needs, and its revision."""
        orders = self._unrecorded()  # before the state: one that is recorded meanwhile is in both, and never in none
        state = self._latest()
        if not orders and self._cached is not None and self._cached[0] is state:
            return state.revision, self._cached[1]
        text = await asyncio.to_thread(self._write, state, tuple(orders.values()))
        if not orders:
            self._cached = (state, text)
        return state.revision, text

    @property
    def age_s(self) -> float:
        """Seconds since the state was certainly the newest; 0 while the database answers."""
        return self._age_s()

    def heartbeat(self) -> None:
        """Tell all who listen that this server lives, and how far it is."""
        self.hub.deliver(self._heartbeat())

    def tag(self) -> str:
        """What the tag of the document has behind the revision: the orders in it that are in no table."""
        orders = sorted(self._unrecorded())
        return f"+{hashlib.blake2b(' '.join(orders).encode(), digest_size=6).hexdigest()}" if orders else ""

    def _heartbeat(self) -> Frame:
        state, now, age_s = self._latest(), timestamp(datetime.now(UTC)), round(self.age_s, 1)
        message = wire.encode("heartbeat", revision=state.revision, at=now, fleet=state.fleet, age_s=age_s)
        return frame("heartbeat", message)

    async def _catch_up(self, seen: int | None) -> list[Frame]:
        """A heartbeat, which says whose fleet this is and how old; the whole document, unless it is known; the orders
        that are in no table yet, in any case."""
        orders = self._unrecorded()
        if seen == self._latest().revision:
            told = (wire.encode("order", stop_id=each.stop_id, order=each.as_dict()) for each in orders.values())
            return [self._heartbeat(), *(frame("order", message) for message in told)]
        revision, text = await self.document()
        return [self._heartbeat(), frame("snapshot", text, revision)]

    def _write(self, state: State, orders: tuple[Order, ...]) -> bytes:
        document = {
            "format": FORMAT,
            "fleet": state.fleet,
            "revision": state.revision,
            "stop_port": self.stop_port,
            "snapshot": state.snapshot().as_dict(),
            "orders": [order.as_dict() for order in orders],
        }
        return json.dumps(document, separators=(",", ":")).encode()
