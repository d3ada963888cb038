"""Calls that may hang: each on a thread that is left behind when its time is up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Call(Generic[T]):
    """One call, under way or over. ``done`` is set when it has ended, by whatever."""

    def __init__(self, act: Callable[[], T], done: threading.Event) -> None:
        self.result: T | None = None
        self.fault: BaseException | None = None
        self.has_ended = False
        self._act, self._done = act, done

    def run(self) -> None:
        """Make it, here and now."""
        try:
            self.result = self._act()
        except BaseException as error:  # noqa: BLE001 (whatever a driver does, whoever waits for it must hear of it)
            self.fault = error
        self.has_ended = True
        self._done.set()


class Caller:
    """Makes one call after the other on a thread, the same one as long as each comes back. For use by one thread."""

    def __init__(self, done: threading.Event) -> None:
        """``done`` is set whenever a call has ended."""
        self._done = done
        self._waiting: SimpleQueue[Call[Any] | None] | None = None

    def begin(self, act: Callable[[], T]) -> Call[T]:
        """Begin a call, when the last one has ended or was left. Where no thread is left, it is made here and now."""
        call = Call(act, self._done)
        if self._waiting is None:
            waiting: SimpleQueue[Call[Any] | None] = SimpleQueue()
            try:
                threading.Thread(target=_run, args=(waiting,), name="driver", daemon=True).start()
            except (RuntimeError, MemoryError):
                call.run()
                return call
            self._waiting = waiting
        self._waiting.put(call)
        return call

    def leave(self) -> None:
        """Let the thread end, as soon as what it does comes back: the next call gets another one."""
        if self._waiting is not None:
            self._waiting.put(None)
            self._waiting = None


def call_once(act: Callable[[], T], done: threading.Event) -> Call[T]:
    """A call on a thread of its own."""
    caller = Caller(done)
    call = caller.begin(act)
    caller.leave()
    return call


def _run(waiting: SimpleQueue[Call[Any] | None]) -> None:
    while (call := waiting.get()) is not None:
        call.run()
