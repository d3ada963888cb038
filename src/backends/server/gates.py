"""What gates are told over HTTP: the same messages that go to those of this host as datagrams.

A message for all goes into the stream of everybody who listens. Those who may know a part of the fleet only are sent
the part of the message that they may know, encoded once for all who share a scope. One that is for a single worker
waits until that worker reports the next time, which it does within seconds: so it also reaches those who only poll.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from backends.server.push import Frame, Hub, frame
from backends.server.within import message_within, orders_within
from core.scope import EVERYWHERE, Scope
from core.sight import Sight
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
        self.stop_port = 0
        self.sealed: Callable[[], tuple[State, str]] = lambda: (State(), "")
        self.unrecorded: Unrecorded = dict
        self._age_s: Callable[[], float] = lambda: 0.0
        self._also: Callable[[], None] = lambda: None
        self._sent: Callable[[int], None] = lambda _revision: None
        self._waiting: dict[str, dict[bytes, None]] = {}
        self._lock = threading.Lock()
        self._audiences = {EVERYWHERE: Audience(self, EVERYWHERE)}

    def attach(
        self,
        sealed: Callable[[], tuple[State, str]],
        unrecorded: Unrecorded,
        age_s: Callable[[], float],
        also: Callable[[], None],
        sent: Callable[[int], None],
    ) -> None:
        """Say where the state comes from, with the hash of its last event; the orders that it does not hold yet; and
        how old it is while its database is away. ``also`` is called whenever all gates have been told something;
        ``sent``, with the revision, when a change was handed to all gates of one scope that listen."""
        self.sealed = sealed
        self._age_s = age_s
        self.unrecorded = unrecorded
        self._also = also
        self._sent = sent

    def latest(self) -> State:
        """The state as last seen."""
        return self.sealed()[0]

    def sent(self, revision: int) -> None:
        """A change was handed to all who listen."""
        self._sent(revision)

    def of(self, scope: Scope) -> Audience:
        """Those who may know what is about this scope. From any thread."""
        with self._lock:
            known = self._audiences.get(scope)
            if known is None:
                known = self._audiences[scope] = Audience(self, scope)
            return known

    @property
    def all(self) -> tuple[Audience, ...]:
        """Everybody, by scope."""
        with self._lock:
            return tuple(self._audiences.values())

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
                state, chain = self.sealed()
                waiting[wire.encode("moved", revision=state.revision, chain=chain)] = None

    def tell_all(self, message: bytes) -> None:
        """Write a message to all streams."""
        document = wire.decode(message)
        assert document is not None, "the room writes messages only"
        revision = int(document["delta"]["revision"]) if document["t"] == "delta" else 0
        is_moved = document["t"] == "moved"  # the whole state is asked for, which may be an earlier one
        for audience in self.all:
            part = message if audience.is_everybody else audience.part(document)
            if part is not None:
                audience.hub.publish(frame(document["t"], part, revision, anew=is_moved))
        self._also()

    def messages_for(
        self, address: str, scope: Scope = EVERYWHERE, *, knows: int = -1, obeys: Sequence[str] = ()
    ) -> list[Any]:
        """What waits for one worker that ``knows`` the fleet up to a revision and ``obeys`` these stops, as far as
        it is about its scope, and news. It waits no more."""
        with self._lock:
            kept = self._waiting.pop(address, ())
        if not kept:
            return []
        audience = self.of(scope)
        waiting = [m for m in map(json.loads, kept) if not _is_known(m, audience.told, knows, obeys)]
        if audience.is_everybody:
            return waiting
        parts = map(audience.part, waiting)
        return [json.loads(part) for part in parts if part is not None]

    @property
    def age_s(self) -> float:
        """Seconds since the state was certainly the newest; 0 while the database answers."""
        return self._age_s()

    def heartbeat(self) -> None:
        """Tell all who listen that this server lives, and how far they have been told: what waits to be told with more
        has not been missed, and a thousand gates must not ask for it."""
        for audience in self.all:
            audience.hub.deliver(self.beat(audience.told))

    def beat(self, revision: int) -> Frame:
        """A sign of life, which says whose fleet this is, how far who hears it was told, by which chain where that is
        the state as last seen, and how old that is."""
        (state, chain), now, age_s = self.sealed(), timestamp(datetime.now(UTC)), round(self.age_s, 1)
        chain = chain if revision == state.revision else ""
        message = wire.encode("heartbeat", revision=revision, chain=chain, at=now, fleet=state.fleet, age_s=age_s)
        return frame("heartbeat", message)


class Audience:
    """Those who may know the same part of the fleet: one stream, one document."""

    def __init__(self, gates: Gates, scope: Scope) -> None:
        self.hub = Hub(self._catch_up, gates.sent)
        self.is_everybody = scope == EVERYWHERE
        self._gates = gates
        self._sight = Sight(scope)
        self._cached: tuple[State, bytes] | None = None

    @property
    def told(self) -> int:
        """The revision that who listens has been told of, and that of the state where nobody has been told anything."""
        return self.hub.revision or self._gates.latest().revision

    def part(self, message: Mapping[str, Any]) -> bytes | None:
        """What they may know of a message, None where that is nothing."""
        return message_within(message, self._sight, self._gates.latest())

    # ------------------------------------------------------------------------------------------------- on the loop
    async def document(self) -> tuple[int, str, bytes]:
        """All that a gate needs, with its revision and the hash of the event there."""
        orders = self._orders()  # before the state: one that is recorded meanwhile is in both, and never in none
        state, chain = self._gates.sealed()
        if not orders and self._cached is not None and self._cached[0] is state:
            return state.revision, chain, self._cached[1]
        text = await asyncio.to_thread(self._write, state, chain, orders)
        if not orders:
            self._cached = (state, text)
        return state.revision, chain, text

    def tag(self) -> str:
        """What the tag of the document has behind the revision: the orders in it that are in no table, and for whom it
        is where that is not everybody."""
        orders = sorted(order.stop_id for order in self._orders())
        told = "" if self.is_everybody else str(self._sight.scope)
        return (f"+{_short(' '.join(orders))}" if orders else "") + (f"/{_short(told)}" if told else "")

    def _orders(self) -> list[Order]:
        orders = self._gates.unrecorded().values()
        return list(orders) if self.is_everybody else orders_within(orders, self._sight)

    async def _catch_up(self, seen: int | None) -> list[Frame]:
        """A heartbeat, which says whose fleet this is and how old; the whole document, unless it is known; the orders
        that are in no table yet, in any case."""
        orders = self._orders()
        if seen == self._gates.latest().revision:
            told = (wire.encode("order", stop_id=each.stop_id, order=each.as_dict()) for each in orders)
            return [self._gates.beat(seen), *(frame("order", message) for message in told)]
        revision, _, text = await self.document()
        return [self._gates.beat(revision), frame("snapshot", text, revision)]

    def _write(self, state: State, chain: str, orders: list[Order]) -> bytes:
        seen = state.snapshot() if self.is_everybody else self._sight.snapshot(state)
        snapshot = replace(seen, chain=chain)
        document = {
            "format": FORMAT,
            "fleet": state.fleet,
            "revision": state.revision,
            "stop_port": self._gates.stop_port,
            "snapshot": snapshot.as_dict(),
            "orders": [order.as_dict() for order in orders],
        }
        return json.dumps(document, separators=(",", ":")).encode()


def _is_known(message: Mapping[str, Any], told: int, knows: int, obeys: Sequence[str]) -> bool:
    """Whether a worker needs a message no more: it has the stop in force, or knows all that it could have heard. What
    is on its way it hears soon, and who does not hear is told the revision with each answer."""
    return (message["t"] == "order" and message["stop_id"] in obeys) or (message["t"] == "moved" and knows >= told)


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
