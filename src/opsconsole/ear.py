"""Hear the stop where keys are read, before the event loop knows of them.

A key of a stock Textual program takes effect only in its event loop, which a slow handler or a terminal that nobody
reads can block for seconds. `HearsTheStop` listens one step earlier: on a terminal in the thread that reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from textual import events
from textual.driver import Driver
from textual.message import Message

from opsconsole.chord import Chord, Heard


class StopEar:
    """The chord, the clock that times its keys, and what it fires."""

    def __init__(self, fire: Callable[[], object], clock: Callable[[], float]) -> None:
        self.chord = Chord()
        self._fire = fire
        self._clock = clock
        self._read_at: float | None = None

    @contextmanager
    def one_read(self) -> Iterator[None]:
        """What is heard within came in one read, and so at one moment.

        A busy machine may take long from one of its keys to the next; that is no pause that the typist made, and must
        not make a stop out of prose.
        """
        self._read_at = self._clock()
        try:
            yield
        finally:
            self._read_at = None

    def hear(self, key: events.Key) -> tuple[Message, ...]:
        """What becomes of a key: the key itself, or the news of what the chord made of it. Fires if it is to fire."""
        at = self._clock() if self._read_at is None else self._read_at
        key.time = at  # when it was read, by the clock that the chord goes by
        heard = self.chord.hear(key.key, key.character, at)
        match heard:
            case Heard.PASSED:
                return (key,)
            case Heard.FIRED:
                return (ChordHeard(heard, self._answer()),)
            case Heard.LITERAL:
                return ChordHeard(heard), key
            case _:
                return (ChordHeard(heard),)

    def _answer(self) -> object:
        try:
            return self._fire()
        except Exception as error:  # noqa: BLE001 - the thread that reads keys must outlive a stop that failed
            return error


class ChordHeard(Message):
    """The chord took a key: what it meant and, if it fired, what the stop lane answered or raised."""

    def __init__(self, heard: Heard, answer: object = None) -> None:
        super().__init__()
        self.heard = heard
        self.answer = answer


class HasEar(Protocol):
    """What the drivers need of their app."""

    ear: StopEar

    def heed_signals(self) -> None:
        """The terminal is about to be taken over; called in the event loop."""

    def hang_up(self) -> None:
        """The terminal went away; called in the event loop."""

    def paint_anew(self) -> None:
        """The terminal has missed something; called in the event loop."""


class LookedAway(Message):
    """The terminal has lost the focus: what is pressed now goes elsewhere. Tmux says so when it is detached."""


class HearsTheStop(Driver):
    """Mixed into a driver: every key passes the chord before the event loop hears of it.

    On a terminal `send_message` runs in the thread ``textual-input``, under a pilot in the event loop. What the chord
    takes never reaches a widget, so no input field can swallow half of a stop.
    """

    def send_message(self, message: Message) -> None:
        """Pass `message` on, or what the chord made of it.

        Whether the terminal's window is in front is not told to Textual, which would take the focus away, and with it
        the key that comes next.
        """
        if isinstance(message, events.AppBlur):
            message = LookedAway()
        if isinstance(message, events.AppFocus):
            return
        ear = cast("HasEar", self._app).ear
        messages: tuple[Message, ...] = (message,)
        if isinstance(message, events.Key):
            messages = ear.hear(message)
        elif isinstance(message, events.Paste) and ear.chord.armed:
            ear.chord.disarm()
            messages = (ChordHeard(Heard.CANCELLED),)
        for each in messages:
            super().send_message(each)
