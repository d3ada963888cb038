"""Calls of one channel's notifier, each on a thread of its own, for one may never come back.

One that takes too long is left behind, and counts until it comes back after all: a channel of which a few are out is
called no more until then.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from backends.notifiers.base import Message, NotDelivered, Notifier, Refused

OUT_MAX: Final = 3
"""Calls of one channel that never came back, from which on it is called no more until one of them does."""


class Called(NamedTuple):
    """What came of a call. ``refused``: it will never be taken. ``why`` is for people."""

    outcome: Literal["sent", "refused", "failed", "hung"]
    why: str = ""

    @property
    def is_to_be_said_again(self) -> bool:
        """Whether a later call may do better."""
        return self.outcome in ("failed", "hung")


@dataclass(slots=True)
class Answer:
    """What one call comes back with."""

    came: threading.Event = field(default_factory=threading.Event)
    fault: BaseException | None = None
    is_late: bool = False

    @property
    def called(self) -> Called:
        """What that means."""
        match self.fault:
            case None:
                return Called("sent")
            case Refused() as fault:
                return Called("refused", str(fault))
            case fault:
                return Called("failed", str(fault) if isinstance(fault, NotDelivered) else type(fault).__name__)


class Calls:
    """The calls of one channel, made by one thread. ``send_s`` is what a notifier is given for one."""

    def __init__(self, channel: str, send_s: float) -> None:
        self._channel = channel
        self._send_s = send_s
        self._out = 0
        self._lock = threading.Lock()

    def make(self, notifier: Notifier, message: Message) -> Called:
        """Hand a message over, and wait half as long again as the notifier has."""
        if self._out >= OUT_MAX:
            return Called("hung", f"{self._out} calls of it have not come back")
        answer = Answer()
        helper = threading.Thread(target=self._call, args=(notifier, message, answer), daemon=True)
        helper.name = f"notify-{self._channel}-call"
        helper.start()
        if not answer.came.wait(1.5 * self._send_s) and self._leave_behind(answer):
            return Called("hung", f"it did not answer within {1.5 * self._send_s:g} s")
        return answer.called

    def _call(self, notifier: Notifier, message: Message, answer: Answer) -> None:
        try:
            notifier.send(message, timeout_s=self._send_s)
        except Exception as fault:  # noqa: BLE001 (a notifier may be anybody's: whatever it raises is its own fault)
            answer.fault = fault
        with self._lock:
            answer.came.set()
            if answer.is_late:
                self._out -= 1

    def _leave_behind(self, answer: Answer) -> bool:
        """Wait for a call no more; False where it has come back this very moment."""
        with self._lock:
            if not answer.came.is_set():
                answer.is_late = True
                self._out += 1
            return answer.is_late
