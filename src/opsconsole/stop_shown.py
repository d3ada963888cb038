"""What the operator is shown of the stop: armed, cancelled, fired, and by which ways it has left.

The stop itself is over by then: the chord fires it in the thread that reads the keys, and the lane carries it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from backends.stop_lane import Fired
from opsconsole.chord import Heard
from opsconsole.dialogs.base import Dialog
from opsconsole.dialogs.stop import ReasonPrompt, StopPrompt
from opsconsole.ear import ChordHeard
from opsconsole.lines import Span, Style
from opsconsole.prompt import PromptBox
from opsconsole.views.answers import Words, fired
from opsconsole.views.picture import Picture
from opsgate.order import Order

HURRIED = "! came in the middle of typing: press it again to arm"


class Showing(Protocol):
    """Where it is shown."""

    @property
    def picture(self) -> Picture:
        """What is known now."""

    def answer(self, words: Words, overtaken: Callable[[Picture], bool] | None = None) -> None:
        """Answer the operator, until a picture comes by which the answer is `overtaken`."""

    def open(self, dialog: Dialog) -> None:
        """Open a prompt."""

    def paint(self) -> None:
        """Paint now."""

    def stop_sent(self, order: Order) -> None:
        """A stop has left by the lane."""

    def stop_taken(self, order: Order) -> None:
        """Whoever records it says that it has it."""

    def tell(self, tell: Callable[[], None]) -> None:
        """On any thread: have something carried out in the event loop."""


class StopShown:
    """Moves the prompts of the stop as the chord and the lane tell."""

    def __init__(self, console: Showing, prompt: PromptBox) -> None:
        self._console = console
        self._prompt = prompt
        self._left: tuple[str, Fired | Exception] | None = None
        """The last answer of the lane, and of which stop it speaks."""

    def heard(self, message: ChordHeard) -> None:
        """The chord took a key. If it fired, that has happened already; here it is shown."""
        match message.heard:
            case Heard.ARMED:
                self._prompt.cover(StopPrompt(), self._console.picture)
            case Heard.CANCELLED | Heard.LITERAL:
                if self._prompt.arming and message.heard is Heard.CANCELLED:
                    self._console.answer((Span(StopPrompt().residue(), Style.WARN),))
                self._prompt.uncover()
            case Heard.FIRED if isinstance(message.answer, Order):
                self._console.stop_sent(message.answer)
                self._ask_reason(message.answer.stop_id)
                self._console.paint()
            case Heard.FIRED if isinstance(message.answer, Exception):
                self._prompt.uncover()
                self._console.answer(fired(message.answer))
            case Heard.HURRIED:
                self._prompt.paste("!")  # as text, where it is typed; as a key it would close prompts without a field
                self._console.answer((Span(HURRIED, Style.WARN),))
            case _:
                pass

    def answered(self, order: Order, answer: Fired | Exception) -> None:
        """The lane has an answer. On the order's thread."""
        self._console.tell(lambda: self._show_routes(order, answer))

    def _ask_reason(self, stop_id: str) -> None:
        prompt = ReasonPrompt(stop_id)
        if self._left is not None and self._left[0] == stop_id:  # the lane was faster than the screen
            prompt.left(self._left[1])
        self._console.open(prompt)

    def _show_routes(self, order: Order, answer: Fired | Exception) -> None:
        stop_id = order.stop_id
        self._left = stop_id, answer
        dialog = self._prompt.dialog
        if isinstance(dialog, ReasonPrompt) and dialog.stop_id == stop_id:
            dialog.left(answer)
        recorded = isinstance(answer, Fired) and answer.durable == "database"
        if recorded:
            self._console.stop_taken(order)
        self._console.answer(fired(answer), lambda picture: not recorded and stop_id in picture.state.stops)
        self._console.paint()
