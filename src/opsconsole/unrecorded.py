"""The stops of this console that nobody has recorded yet: added as they are fired, recorded until the journal has them.

They are fired in the thread of the screen and recorded in the feed's, and no stop is lost between the two.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from opsgate.order import Order

if TYPE_CHECKING:
    from core.ports import Backend
    from core.state import State


class Unrecorded:
    """Stop orders, oldest first. Any thread may add and look; one thread records."""

    def __init__(self) -> None:
        self._orders: tuple[Order, ...] = ()
        self._changing = threading.Lock()
        """Held for as long as the tuple is changed and never while a backend is asked: adding must not wait."""

    def __bool__(self) -> bool:
        return bool(self._orders)

    def add(self, order: Order) -> None:
        """A stop has left by the lane."""
        with self._changing:
            self._orders = (*self._orders, order)

    def unknown_to(self, state: State) -> tuple[Order, ...]:
        """Those that `state` does not know."""
        return tuple(order for order in self._orders if order.stop_id not in state.stops)

    def record(self, backend: Backend, *, timeout_s: float) -> Exception | None:
        """Try to record each, for at most `timeout_s` each. Returns the first fault; what failed is tried next time."""
        first: Exception | None = None
        for order in self._orders:
            try:
                self._record(order, backend, timeout_s)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one stop must not hold up the others
                first = first or error
        return first

    def _record(self, order: Order, backend: Backend, timeout_s: float) -> None:
        from backends import spool

        if order.stop_id not in backend.latest().stops:
            recorded = spool.record(order, backend, timeout_s=timeout_s)
            if recorded.stop is not None and order.stop_id not in backend.latest().stops:
                return  # until the picture can have it, it is shown as sent
        with self._changing:
            self._orders = tuple(each for each in self._orders if each is not order)
