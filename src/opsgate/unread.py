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
    """A view with one more stop in force. It closes the quick way, and has nothing else until somebody asks for it.

    Its base may be another one. However many lie upon each other, they are read in one turn and without recursion.
    """

    __slots__ = ("below", "datagram", "stop_id")

    def __init__(self, base: View, stop_id: str, datagram: bytes) -> None:  # the rest comes when it is asked for
        self.quick_until_s = float("-inf")
        self.below, self.stop_id, self.datagram = base, stop_id, datagram

    if not TYPE_CHECKING:  # or no misspelt attribute of a view would be noticed

        def __getattr__(self, name: str) -> Any:
            """Something that is not here yet: read the order. Threads may do so at once, and each gets the same."""
            base, orders = self.below, [read(self.stop_id, self.datagram)]
            while isinstance(base, UnreadView) and not base.is_read:
                orders.append(read(base.stop_id, base.datagram))
                base = base.below
            orders.reverse()
            super().__init__(
                base.table.changed(hold for order in orders for hold in order.holds()),
                fleet=base.fleet,
                revision=base.revision,
                confirmed_at_s=base.confirmed_at_s,
                from_disk=base.from_disk,
                illegible=base.illegible,
                settled=base.settled,
                stops={**base.stops, **{order.stop_id: order.notice() for order in orders}},
                quick_s=0.0,
            )
            return object.__getattribute__(self, name)

    @property
    def is_read(self) -> bool:
        """Whether all of it is here; another thread may be about to read it."""
        try:
            object.__getattribute__(self, "known_workflow")  # what `View` sets last
        except AttributeError:
            return False
        return True
