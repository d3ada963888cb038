"""The writer: one thread through which all commands of this server go, in the order in which they came.

Requests wait for it on their event loop, so none of them holds a thread while another one commits.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from backends import spool
from backends.runtime import Runtime
from core.authority import Identity
from core.errors import BackendUnavailable
from core.messages import Envelope, Receipt
from opsgate.clock import elapsed_s

WAITING_MAX: Final = 1000
"""Commands that wait; the next one is told to try again."""

WITHIN_S: Final = 5.0
"""Seconds after which a command that has not been carried out is given up."""


T = TypeVar("T")


class _Asked(NamedTuple):
    work: Callable[[float], Any]
    deadline_s: float
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


class Writer(threading.Thread):
    """Carries out commands until `close`."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(name="writer", daemon=True)
        self._runtime = runtime
        self._waiting: queue.Queue[_Asked | None] = queue.Queue(WAITING_MAX)

    async def submit(self, envelope: Envelope, identity: Identity) -> Receipt:
        """Carry out one command by this authority. Raises what `Runtime.submit` does; `BackendUnavailable` also where
        too many wait, or where a stop that is latched here cannot be recorded before something is released."""
        return await self.do(lambda left_s: self._carry_out(envelope, identity, left_s))

    async def do(self, work: Callable[[float], T]) -> T:
        """Have the thread do this, with the seconds that are left for it; what it raises is raised here."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        try:
            self._waiting.put_nowait(_Asked(work, elapsed_s() + WITHIN_S, loop, answer))
        except queue.Full:
            raise BackendUnavailable("busy", "too many commands wait already", "try again") from None
        return await answer

    def close(self) -> None:
        """Carry out what waits, and end."""
        if self.is_alive():
            self._waiting.put(None)
            self.join(timeout=2 * WITHIN_S)

    def run(self) -> None:
        """The life of the thread."""
        while (asked := self._waiting.get()) is not None:
            try:
                left_s = asked.deadline_s - elapsed_s()
                if left_s <= 0:
                    raise BackendUnavailable("busy", "this waited too long and was not carried out", "try again")
                answer = asked.work(left_s)
            except Exception as error:  # noqa: BLE001 (whatever it is, it is for whoever asked, and the next one waits)
                _tell(asked, asked.answer.set_exception, error)
            else:
                _tell(asked, asked.answer.set_result, answer)

    def _carry_out(self, envelope: Envelope, identity: Identity, left_s: float) -> Receipt:
        if envelope.command.lets_run:
            spool.require_recorded(self._runtime, timeout_s=left_s)
        return self._runtime.submit(envelope, timeout_s=left_s, identity=identity)


def _tell(asked: _Asked, settle: Callable[[Any], None], what: object) -> None:
    def now() -> None:
        if not asked.answer.done():
            settle(what)

    try:
        asked.loop.call_soon_threadsafe(now)
    except RuntimeError:
        pass  # its loop has ended; whoever asked has gone with it
