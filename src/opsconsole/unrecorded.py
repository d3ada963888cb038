"""The stops that nobody has recorded yet: fired by this console, or found latched on this host. They are shown as sent,
and recorded until the journal has them.

They are fired in the thread of the screen and recorded in the feed's, and no stop is lost between the two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from core.errors import CommandRejected, OpsError
from opsgate.order import Order

if TYPE_CHECKING:
    from core.ports import Backend
    from core.state import State

REFUSED_AGAIN_S: Final = 30.0
"""Between two tries of a stop that was refused: the journal keeps each refusal, and the answer seldom changes."""


class Unrecorded:
    """Stop orders, oldest first. Any thread may add and look; one thread records. `monotonic` is a clock."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._fired: tuple[Order, ...] = ()
        self._latched: tuple[Order, ...] = ()
        self._taken: frozenset[str] = frozenset()
        self._refused: dict[str, CommandRejected] = {}
        self._refused_at = float("-inf")
        self._changing = threading.Lock()
        """Held for as long as the fired are changed and never while a backend is asked: adding must not wait."""

    @property
    def hurried(self) -> bool:
        """Whether one waits that was not refused."""
        return any(order.stop_id not in self._refused for order in self._fired)

    def add(self, order: Order) -> None:
        """A stop has left by the lane."""
        with self._changing:
            self._fired = (*self._fired, order)

    def take(self, order: Order) -> None:
        """Somebody says that it is recorded."""
        with self._changing:
            self._taken |= {order.stop_id}

    def taken(self, orders: Sequence[Order]) -> bool:
        """Whether somebody says that the last of these is recorded."""
        return bool(orders) and orders[-1].stop_id in self._taken

    def unknown_to(self, state: State) -> tuple[Order, ...]:
        """Those that `state` does not know."""
        waiting = {order.stop_id: order for order in (*self._latched, *self._fired)}
        return tuple(order for order in waiting.values() if order.stop_id not in state.stops)

    def refusal(self, orders: Iterable[Order]) -> str:
        """Why the last of these was refused, as its refusal says; empty where one of them was not."""
        refused = self._refused
        said = [str(refused[order.stop_id]) if order.stop_id in refused else "" for order in orders]
        return said[-1] if said and all(said) else ""

    def replay(self, backend: Backend, *, timeout_s: float) -> None:
        """Record what lies latched on this host. What is refused is kept, and looked for there again with `record`.

        Raises `core.errors.OpsError` when the database is away.
        """
        from backends import spool

        refused = spool.replay(backend, timeout_s=timeout_s).refused
        self._latched = tuple(order for order, _ in refused)
        for order, error in refused:
            self._refuse(order, error)

    def record(self, backend: Backend, *, timeout_s: float) -> Exception | None:
        """Try to record each, for at most `timeout_s` each. Returns the first fault; what failed is tried next time,
        and what was refused after a while."""
        first: Exception | None = None
        again = self._monotonic() - self._refused_at >= REFUSED_AGAIN_S
        if again:
            self._refused = {}
        for order in self._fired:
            try:
                if order.stop_id not in self._refused:
                    self._record(order, backend, timeout_s)
            except CommandRejected as error:
                self._refuse(order, error)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one stop must not hold up the others
                first = first or error
        if again and self._latched:
            try:
                self.replay(backend, timeout_s=timeout_s)
            except OpsError as error:
                first = first or error
        return first or next(iter(self._refused.values()), None)

    def _refuse(self, order: Order, error: CommandRejected) -> None:
        self._refused[order.stop_id] = error
        self._refused_at = self._monotonic()

    def _record(self, order: Order, backend: Backend, timeout_s: float) -> None:
        from backends import spool

        if order.stop_id not in backend.latest().stops:
            recorded = spool.record(order, backend, timeout_s=timeout_s)
            if recorded.stop is not None and order.stop_id not in backend.latest().stops:
                return  # until the picture can have it, it is shown as sent
        with self._changing:
            self._fired = tuple(each for each in self._fired if each is not order)
