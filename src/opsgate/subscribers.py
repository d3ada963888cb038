"""Who is told when the state of a gate has changed: strangers' code, which must harm neither it nor each other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger("opsgate")


class Subscribers:
    """For use by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakes: tuple[Callable[[], None], ...] = ()
        self._failing: set[int] = set()

    def add(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have ``wake`` told from now on; returns what ends that."""
        with self._lock:
            self._wakes = (*self._wakes, wake)

        def unsubscribe() -> None:
            with self._lock:
                self._wakes = tuple(other for other in self._wakes if other is not wake)
                self._failing.discard(id(wake))

        return unsubscribe

    def forked(self) -> None:
        """This is a child now: nobody is told here, and whoever held the lock may not be here to let go of it."""
        self._lock = threading.Lock()
        self._wakes = ()

    def wake(self) -> None:
        """Tell them all. What one raises is an error line, once, and goes no further."""
        for wake in self._wakes:
            try:
                wake()
            except (Exception, SystemExit):  # noqa: BLE001 (a stranger's code: whatever it does, the gate must go on)
                if id(wake) not in self._failing:
                    self._failing.add(id(wake))
                    _log.exception("a subscriber of the gate raised; it will be called again, and this is said once")
