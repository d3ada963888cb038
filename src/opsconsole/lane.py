"""The console's end of the stop lane: a stop leaves at once, on a thread of its own, and is told of afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable

from backends.stop_lane import Fired
from opsgate.order import Order

Send = Callable[[Order], Fired]
"""Sends an order over every route and waits, for at most half a second, to learn what came of each."""

LAST_WAIT_S = 1.0


class Lane:
    """Fires from whichever thread hears the stop, and never makes that thread wait.

    Sending takes up to half a second, for it listens for the keeper's answer, so each order gets a thread. It must be
    able to fire when nothing else in this process works: it knows no screen, no backend and no queue.
    """

    def __init__(self, make: Callable[[], Order], send: Send) -> None:
        self._make = make
        self._send = send
        self._threads: list[threading.Thread] = []
        self.answered: Callable[[Order, Fired | Exception], None] = lambda _order, _answer: None
        """Told what came of an order; on the order's own thread."""

    def fire(self) -> Order:
        """Stop. Returns the order, which is on its way."""
        order = self._make()
        thread = threading.Thread(target=self._deliver, args=(order,), name="stop-lane", daemon=True)
        self._threads.append(thread)
        try:
            thread.start()
        except RuntimeError:  # no thread to be had: then this one has to wait
            self._threads.remove(thread)
            self._deliver(order)
        return order

    def finish(self) -> None:
        """Wait for orders that are still on their way; the program must not end under them."""
        for thread in self._threads:
            thread.join(LAST_WAIT_S)

    def _deliver(self, order: Order) -> None:
        try:
            answer: Fired | Exception = self._send(order)
        except Exception as error:  # noqa: BLE001 - whatever went wrong has to be told, there is nobody above this
            answer = error
        self.answered(order, answer)
