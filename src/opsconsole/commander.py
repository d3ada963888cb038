"""Carries out what prompts ask for, each on a thread of its own, and tells what came of it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from core.errors import OpsError
from opsconsole.dialogs.base import Send
from opsconsole.session import Feed
from opsconsole.text import clean
from opsconsole.views.picture import Picture

if TYPE_CHECKING:
    from core.messages import Envelope, Receipt

Answer: TypeAlias = "Receipt | OpsError"


class Commander:
    """Sends commands as one operator. `tell` is called on the command's own thread."""

    def __init__(self, feed: Feed, operator: str, tell: Callable[[Send, Answer], None]) -> None:
        self._feed = feed
        self._operator = clean(operator, 128) or "unknown"
        self._tell = tell
        self._explanation: Send | None = None

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
        threading.Thread(target=self._carry_out, args=(send, envelope), name="command", daemon=True).start()

    def explain(self, send: Send, picture: Picture) -> None:
        """Carry out an explanation, as soon as the stop that it explains is in the journal."""
        self._explanation = send
        self.see(picture)

    def see(self, picture: Picture) -> None:
        """A stop may have arrived that waits for its reason."""
        waiting = self._explanation
        if waiting is None:
            return
        from core.capabilities.emergencies import ExplainStop

        if isinstance(waiting.command, ExplainStop) and waiting.command.stop_id in picture.state.stops:
            self._explanation = None
            self.send(waiting)

    def _carry_out(self, send: Send, envelope: Envelope) -> None:
        try:
            answer: Answer = self._feed.submit(envelope)
        except OpsError as error:
            answer = error
        self._tell(send, answer)
