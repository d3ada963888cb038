"""What a notifier is: something that takes one message, or says why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Protocol

from core.hooks import Told
from core.notices import Notice

Takes = Literal["notices", "events"]


class NotDelivered(Exception):
    """It was not taken, and may be the next time. The text says why, without addresses and secrets."""


class Refused(NotDelivered):
    """This message will never be taken, others may: saying it again is of no use."""


class Misconfigured(ValueError):
    """The configuration of a channel is wrong; the text says what to write instead, and no secret."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: a `Notice` for people, or an event for programs, of a fleet."""

    fleet: str
    at: datetime
    content: Notice | Told


class Notifier(Protocol):
    """One way out. Used by one thread at a time; a call that never comes back is left behind by its caller."""

    takes: ClassVar[Takes]
    """Whether it is told notices, for people, or events one by one, for programs."""

    @property
    def where(self) -> str:
        """Where it leads, for people, without anything that lets anybody in: ``slack``, ``https://example.com``."""

    def send(self, message: Message, *, timeout_s: float) -> None:
        """Deliver one message within about ``timeout_s`` seconds. The same message may come again. Raises
        `NotDelivered` or `Refused`."""
