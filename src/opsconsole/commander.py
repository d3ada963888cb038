"""Carries out what prompts ask for, each on a thread of its own, and tells what came of it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from opsconsole.dialogs.base import Send
from opsconsole.session import Feed
from opsconsole.text import clean
from opsconsole.views.picture import Picture

if TYPE_CHECKING:
    from core.messages import Envelope, Receipt

Answer: TypeAlias = "Receipt | Exception"


class Commander:
    """Sends commands as one operator. `tell` is called on the command's own thread."""

    def __init__(self, feed: Feed, operator: str, tell: Callable[[Send, Answer], None]) -> None:
        self._feed = feed
        self._operator = clean(operator, 128) or "unknown"
        self._tell = tell
        self._explanations: dict[str, Send] = {}
        """What waits for the journal, by the stop that it explains."""
        self._unanswered: set[str] = set()

    @property
    def waiting(self) -> bool:
        """Whether the answer to a command was not told yet."""
        return bool(self._unanswered)

    def send(self, send: Send) -> None:
        """Carry it out, once, with an id that makes a repetition harmless."""
        from core.messages import Actor, Envelope

        envelope = Envelope(
            command_id=f"console-{uuid.uuid4().hex}",
            actor=Actor(name=self._operator),
            door="console",
            command=send.command,
            expected_revision=send.expected_revision,
        )
        self._unanswered.add(envelope.command_id)
        threading.Thread(target=self._carry_out, args=(send, envelope), name="command", daemon=True).start()

    def explain(self, stop_id: str, send: Send, picture: Picture) -> None:
        """Carry out an explanation, as soon as the stop that it explains is in the journal."""
        self._explanations[stop_id] = send
        self.see(picture)

    def see(self, picture: Picture) -> None:
        """Stops may have arrived that wait for their reasons."""
        for stop_id in [each for each in self._explanations if each in picture.state.stops]:
            self.send(self._explanations.pop(stop_id))

    def _carry_out(self, send: Send, envelope: Envelope) -> None:
        try:
            answer: Answer = self._feed.submit(envelope)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is an answer: without one nobody would know
            answer = error
        self._tell(send, answer)
        self._unanswered.discard(envelope.command_id)
