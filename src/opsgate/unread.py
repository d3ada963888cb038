"""An order that is in force before anybody has read it.

When a thousand workers of one host hear of a stop, they all want its few processors at once, and each finds its memory
cold. So a worker says that it obeys before it reads what exactly it obeys: the stop's id stands at the beginning of the
datagram, the quick way of all checks is closed, and the first one who looks further reads the order.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from opsgate import wire
from opsgate.order import Order
from opsgate.view import View

_HEAD: Final = b'{"t":"order","stop_id":"'
_BODY: Final = b'","order":{'
"""How `wire.encode` begins an order whose first field is its stop's id, and what follows the id."""


def stop_id_in(datagram: bytes) -> str | None:
    """Which stop a datagram orders; None where it is no order, or one that does not say so at its beginning."""
    if not datagram.startswith(_HEAD):
        return None
    end = datagram.find(b'"', len(_HEAD))
    stop_id = datagram[len(_HEAD) : end]
    return stop_id.decode("ascii", "replace") if datagram.startswith(_BODY, end) and b"\\" not in stop_id else None


def read(stop_id: str, datagram: bytes) -> Order:
    """The order in a datagram that is in force already. One that cannot be read stops everything, as a latch does."""
    try:
        return replace(Order.from_dict((wire.decode(datagram) or {})["order"]), stop_id=stop_id)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return Order(stop_id, datetime.now(UTC), reason="unreadable order", door="latch")


class UnreadView(View):
    """A view with one more stop in force. It closes the quick way, and has nothing else until somebody asks for it."""

    __slots__ = ("_base", "_datagram", "_stop_id")

    def __init__(self, base: View, stop_id: str, datagram: bytes) -> None:  # the rest comes when it is asked for
        self.quick_until_s = float("-inf")
        self._base, self._stop_id, self._datagram = base, stop_id, datagram

    if not TYPE_CHECKING:  # or no misspelt attribute of a view would be noticed

        def __getattr__(self, name: str) -> Any:
            """Something that is not here yet: read the order. Threads may do so at once, and each gets the same."""
            base, order = self._base, read(self._stop_id, self._datagram)
            super().__init__(
                base.table.changed(order.holds()),
                fleet=base.fleet,
                revision=base.revision,
                confirmed_at_s=base.confirmed_at_s,
                from_disk=base.from_disk,
                settled=base.settled,
                stops={**base.stops, order.stop_id: order.notice()},
                quick_s=0.0,
            )
            return object.__getattribute__(self, name)
