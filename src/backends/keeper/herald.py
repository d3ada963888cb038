"""The herald: tells gates of the orders that no table has yet, again until they have heard, and of ends they missed."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from backends.keeper.outbox import Address, Outbox, Streams, is_socket
from backends.keeper.roster import Entry
from opsgate import wire
from opsgate.order import Order
from opsgate.snapshot import Delta

_SOCKETS: Final = 128
"""To send from and to be answered by: enough for the queues of all to hold an answer of each of a thousand gates."""

_REPEAT_S: Final = 0.25
"""Seconds between two tellings of a gate that does not say that it has heard."""

_OVER_S: Final = 60.0
"""Seconds for which gates that obey an order long ended are told so."""

_OVER_AT_ONCE: Final = 100
"""Ended stops that one datagram names; the next beat lists what is left."""


def order_message(order: Order) -> bytes:
    """The order for gates. Where it is too large for a datagram, the latch and the tables have to do."""
    return wire.encode("order", stop_id=order.stop_id, order=order.as_dict())


class Herald:
    """Has sockets of its own. For use by the stop desk's thread, but for `tell` and `tell_over`: from any thread."""

    def __init__(self, entries: Callable[[], Mapping[str, Entry]], streams: Streams | None = None) -> None:
        self._entries = entries
        self._gates = Outbox(_SOCKETS, answered=True, streams=streams)
        self._over: dict[str, float] = {}
        self._repeat_at_s = 0.0

    @property
    def ears(self) -> Sequence[socket.socket]:
        """Where gates acknowledge the orders that they are told; somebody has to read them."""
        return self._gates.channels

    def proclaim(self, order: Order, now_s: float) -> bool:
        """Tell all gates of a new order; False where it is too large for the post, and latch and tables have to do."""
        self._repeat_at_s = now_s + _REPEAT_S
        self._gates.send_streams(order_message(order))
        return self.tell(order, [entry.address for entry in self._entries().values() if is_socket(entry.address)])

    def tell(self, order: Order, addresses: Iterable[Address]) -> bool:
        """Tell these gates of an order; False where it is too large for the post."""
        message = order_message(order)
        fits = len(message) <= wire.MAX_DATAGRAM
        for address in addresses:
            if address and (fits or not is_socket(address)):
                self._gates.send(message, address)
        return fits

    def tell_over(self, stop_ids: Sequence[str], revision: int, address: Address) -> None:
        """Tell a gate that these stops have ended: as a change that changes no revision."""
        if stop_ids:
            delta = Delta(since=revision, revision=revision, ended=tuple(stop_ids[:_OVER_AT_ONCE]))
            self._gates.send(wire.encode("delta", delta=delta.as_dict()), address)

    def over(self, stop_id: str, now_s: float) -> None:
        """This stop has ended: for a while, whoever obeys it is told so."""
        self._over[stop_id] = now_s

    def repeat(self, orders: Iterable[Order], now_s: float) -> None:
        """Tell again whoever has not said that it heard, and whoever still obeys what has ended, where that is due."""
        if now_s < self._repeat_at_s:
            return
        self._repeat_at_s = now_s + _REPEAT_S
        entries = [entry for entry in self._entries().values() if entry.is_live(now_s)]
        for order in orders:
            self.tell(order, [entry.address for entry in entries if order.stop_id not in entry.row.stops])
        for stop_id, since_s in list(self._over.items()):
            if now_s - since_s > _OVER_S:
                del self._over[stop_id]
            for entry in entries:
                if stop_id in entry.row.stops:
                    self.tell_over([stop_id], entry.row.revision, entry.address)

    def due_s(self, orders: Iterable[Order]) -> float:
        """When there is something to repeat (host clock)."""
        return self._repeat_at_s if self._over or any(True for _ in orders) else float("inf")

    def close(self) -> None:
        """Tell nobody any more."""
        self._gates.close()
