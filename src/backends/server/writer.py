"""The writer: one thread through which all commands of this server go, in the order in which they came.

Requests wait for it on their event loop, so none of them holds a thread while another one commits.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeVar

from backends import spool
from backends.commit import Wanted
from backends.runtime import Runtime
from core.authority import Identity
from core.errors import BackendUnavailable, OpsError
from core.messages import Envelope, Receipt
from opsgate.clock import elapsed_s

WAITING_MAX: Final = 1000
"""Commands that wait; the next one is told to try again."""

TOGETHER_MAX: Final = 64
"""Commands in one commit: so many share what the disk takes, and none holds up the others for long."""

WITHIN_S: Final = 5.0
"""Seconds after which a command that has not been carried out is given up."""


T = TypeVar("T")


class _Asked(NamedTuple):
    """Something to do, or a command by somebody's authority."""

    what: Callable[[float], Any] | Wanted
    deadline_s: float
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


class Writer(threading.Thread):
    """Carries out commands until `close`. Those that wait together are committed together."""

    def __init__(self, runtime: Runtime, fleets: Sequence[str]) -> None:
        """``fleets`` are the names under which latches of this fleet lie."""
        super().__init__(name="writer", daemon=True)
        self._runtime = runtime
        self._fleets = fleets
        self._waiting: deque[_Asked] = deque()
        self._called = threading.Event()
        self._is_calling = False
        self._ending = False

    async def submit(self, envelope: Envelope, identity: Identity | None) -> Receipt:
        """Carry out one command by this authority; None where whoever asks has settled that it may be. Raises what
        `Runtime.submit` does; `BackendUnavailable` also where too many wait, or where a stop that is latched here
        cannot be recorded before something is released."""
        receipt: Receipt = await self._ask((envelope, identity))
        return receipt

    async def do(self, work: Callable[[float], T]) -> T:
        """Have the thread do this, with the seconds that are left for it; what it raises is raised here."""
        answer: T = await self._ask(work)
        return answer

    def close(self) -> None:
        """Carry out what waits, and end."""
        self._ending = True
        self._called.set()
        if self.is_alive():
            self.join(timeout=2 * WITHIN_S)

    def run(self) -> None:
        """The life of the thread."""
        while not self._ending or self._waiting:
            self._called.wait()
            self._called.clear()
            while taken := self._take():
                self._do_all(taken)

    def _take(self) -> Sequence[_Asked]:
        """The next ones, no more than go together."""
        return [self._waiting.popleft() for _ in range(min(TOGETHER_MAX, len(self._waiting)))]

    async def _ask(self, what: Callable[[float], Any] | Wanted) -> Any:
        if len(self._waiting) >= WAITING_MAX:
            raise BackendUnavailable("busy", "too many commands wait already", "try again")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append(_Asked(what, elapsed_s() + WITHIN_S, loop, answer))
        if not self._is_calling:
            self._is_calling = True
            loop.call_soon(self._call)
        return await answer

    def _call(self) -> None:
        """Call the thread when all that came in one pass of the loop is there: it commits that together, and while it
        is awake the two of them take the interpreter from each other."""
        self._is_calling = False
        self._called.set()

    def _do_all(self, taken: Sequence[_Asked]) -> None:
        """Do all of it in order, commands that stand side by side in one commit."""
        for are_commands, group in groupby(taken, key=lambda asked: not callable(asked.what)):
            together = list(group)
            if not (are_commands and len(together) > 1 and self._commit(together)):
                for asked in together:
                    self._settle(asked)

    def _commit(self, together: Sequence[_Asked]) -> bool:
        """Carry out several commands in one commit; False where they have to be looked at one by one, and nothing was
        recorded. Where the database is at fault, all of them hear of it."""
        commands = [asked.what for asked in together if not callable(asked.what)]
        left_s = min(asked.deadline_s for asked in together) - elapsed_s()
        if left_s <= 0 or not self._is_all_recorded(commands, left_s):
            return False
        answers: Sequence[Receipt | OpsError]
        try:
            answers = self._runtime.submit_together(commands, timeout_s=left_s)
        except OpsError as error:
            answers = [error] * len(commands)
        except Exception:  # noqa: BLE001 (a fault of ours in one of them must not reach the others)
            return False
        _tell(list(zip(together, answers, strict=True)))
        return True

    def _is_all_recorded(self, commands: Sequence[Wanted], left_s: float) -> bool:
        """Whether these may be carried out as far as latched stops are concerned."""
        if not any(envelope.command.lets_run for envelope, _ in commands):
            return True
        try:
            spool.require_recorded(self._runtime, fleets=self._fleets, timeout_s=left_s)
        except OpsError:
            return False
        return True

    def _settle(self, asked: _Asked) -> None:
        try:
            left_s = asked.deadline_s - elapsed_s()
            if left_s <= 0:
                raise BackendUnavailable("busy", "this waited too long and was not carried out", "try again")
            answer = self._do(asked, left_s)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is for whoever asked, and the next one waits)
            answer = error
        _tell([(asked, answer)])

    def _do(self, asked: _Asked, left_s: float) -> Any:
        if callable(asked.what):
            return asked.what(left_s)
        envelope, identity = asked.what
        if envelope.command.lets_run:
            spool.require_recorded(self._runtime, fleets=self._fleets, timeout_s=left_s)
        return self._runtime.submit(envelope, timeout_s=left_s, identity=identity)


def _tell(answered: Sequence[tuple[_Asked, Any]]) -> None:
    """Give each its answer, or raise it where it waits. A loop is woken once for all who wait on it."""
    for loop in {asked.loop for asked, _ in answered}:
        try:
            loop.call_soon_threadsafe(_settle_on, loop, answered)
        except RuntimeError:
            pass  # it has ended; whoever asked has gone with it


def _settle_on(loop: asyncio.AbstractEventLoop, answered: Sequence[tuple[_Asked, Any]]) -> None:
    for asked, answer in answered:
        if asked.loop is not loop or asked.answer.done():
            continue
        if isinstance(answer, Exception):
            asked.answer.set_exception(answer)
        else:
            asked.answer.set_result(answer)
