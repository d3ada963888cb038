"""Calls that may hang: each on a thread of its own, which is left behind when its time is up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Call(Generic[T]):
    """One call under way. ``done`` is set when it has ended, by whatever."""

    def __init__(self, act: Callable[[], T], done: threading.Event) -> None:
        """Begin. Where no thread is left, the call is made here and now."""
        self.result: T | None = None
        self.fault: BaseException | None = None
        self.has_ended = False
        self._act, self._done = act, done
        thread = threading.Thread(target=self._run, name="driver", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError):
            self._run()

    def _run(self) -> None:
        try:
            self.result = self._act()
        except BaseException as error:  # noqa: BLE001 (whatever a driver does, whoever waits for it must hear of it)
            self.fault = error
        self.has_ended = True
        self._done.set()
