"""The counter: reservations of rate limits, on a thread of its own, so that a slow database delays nothing else."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from backends.keeper.log import NAME
from backends.keeper.outbox import Address, Outbox
from core.errors import OpsError
from core.ports import Backend, Reservation
from opsgate import wire
from opsgate.clock import elapsed_s
from opsgate.permits import ANSWER_WITHIN_S

_log = logging.getLogger(NAME)

_WAITING_MAX: Final = 1000
"""Questions in the queue; the next one goes unanswered, and its worker asks again later."""


class _Question(NamedTuple):
    message: Mapping[str, Any]
    address: Address
    deadline_s: float
    """When its worker stops waiting (host clock)."""


class Counter(threading.Thread):
    """Answers ``reserve`` and ``refund``, one after the other."""

    def __init__(
        self, outbox: Outbox, backend: Backend, refused: Callable[[str], object] = lambda _limit: None
    ) -> None:
        """``refused`` is told of each limit that is used up."""
        super().__init__(name="counter", daemon=True)
        self._outbox = outbox
        self._backend = backend
        self._refused = refused
        self._questions: queue.Queue[_Question | None] = queue.Queue(_WAITING_MAX)

    def ask(self, message: Mapping[str, Any], address: Address) -> None:
        """Take a question; dropped where too many wait."""
        try:
            self._questions.put_nowait(_Question(message, address, elapsed_s() + ANSWER_WITHIN_S))
        except queue.Full:
            pass  # it is asked again; saying so for each would fill the log and slow the rest

    def close(self) -> None:
        """Answer what waits, end the thread and wait for it."""
        try:
            self._questions.put(None, timeout=1)
        except queue.Full:
            return  # the database hangs, and the thread with it: it ends with the process
        self.join(timeout=5)

    def run(self) -> None:
        """The life of the thread."""
        while (question := self._questions.get()) is not None:
            try:
                self._answer(question)
            except Exception:  # noqa: BLE001 (whatever a stranger's message or a fault of ours does, the next one is answered)
                _log.exception("a reservation failed")

    def _answer(self, question: _Question) -> None:
        message, left_s = question.message, question.deadline_s - elapsed_s()
        if message["t"] == "refund":
            self._reply(question, "refunded", refunded=self._refund(str(message["reservation"])))
        elif left_s > 0:
            self._reserve(question, left_s)

    def _reserve(self, question: _Question, left_s: float) -> None:
        message = question.message
        try:
            taken = self._backend.reserve(str(message["limit"]), int(message.get("cost", 1)), timeout_s=left_s)
        except OpsError as error:
            retry_after_s = wire.HEARTBEAT_S if error.code not in ("unknown-limit", "bad-cost") else None
            self._reply(question, "reserved", granted=False, retry_after_s=retry_after_s, reason=error.message)
            return
        if taken.grant.granted and elapsed_s() > question.deadline_s:
            self._refund(taken.reservation_id)  # nobody waits for it any more, and nobody would give it back
        else:
            self._reply(question, "reserved", **_fields(taken))
            if not taken.grant.granted:
                self._refused(str(message["limit"]))

    def _refund(self, reservation_id: str) -> bool:
        try:
            return self._backend.refund(reservation_id, timeout_s=ANSWER_WITHIN_S)
        except OpsError:
            return False  # it leaves the window by itself

    def _reply(self, question: _Question, kind: str, **fields: Any) -> None:
        self._outbox.send(wire.encode(kind, id=question.message.get("id"), **fields), question.address)


def _fields(taken: Reservation) -> dict[str, Any]:
    grant = taken.grant
    fields = {
        "granted": grant.granted,
        "used": grant.used,
        "limit": grant.limit,
        "retry_after_s": grant.retry_after_s,
    }
    return fields | ({"reservation": taken.reservation_id} if grant.granted else {})
