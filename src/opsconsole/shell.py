"""A program on a terminal that hears the stop and ends well, whatever it shows."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence

from textual import events
from textual.app import App
from textual.driver import Driver
from textual.filter import LineFilter
from textual.message import Message

from opsconsole import themes
from opsconsole.dress import Dress
from opsconsole.driver import ConsoleDriver, HeadlessConsoleDriver
from opsconsole.ear import StopEar
from opsconsole.themes import WithoutColor

SIGNALS = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}


class Told(Message):
    """Something came on another thread: `tell` is carried out in the event loop."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self.tell = tell


class Shell(App[None], inherit_bindings=False):
    """What the console is beneath its screen: drivers, signals, threads, and an end without secrets.

    `fire` stops; it is called on whichever thread hears the chord. `crash` is the error that ended it, if one did.
    """

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, fire: Callable[[], object], monotonic: Callable[[], float], dress: Dress) -> None:
        super().__init__()
        self._without_color = WithoutColor()
        self.dress = dress
        for theme in themes.ALL:
            self.register_theme(theme)
        self._put_on(dress.theme)
        self.ear = StopEar(fire, monotonic)
        self.crash: Exception | None = None
        self.animation_level = "none"

    def dress_in(self, theme: str) -> None:
        """Change the theme to one of `opsconsole.dress.THEMES`, and paint everything in it."""
        self.dress = self.dress._replace(theme=theme)
        self._put_on(theme)
        for painted in self.screen.query("Painted"):
            painted.refresh()

    def _put_on(self, theme: str) -> None:
        self.theme = themes.ANSI.name if theme == "none" else themes.PREFIX + theme

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What is done to every line before it is sent: nothing, or its colours are taken away.

        Textual's own filters turn the 16 colours of the terminal's palette into others, and leave greys for no colour.
        """
        return (self._without_color,) if self.dress.theme == "none" else ()

    def get_driver_class(self) -> type[Driver]:
        """The driver that hears the stop."""
        return ConsoleDriver

    def heed_signals(self) -> None:
        """A signal ends it with a code of its own, and gives the terminal back.

        Called before anything of the terminal is changed: one may come while the first frame is still being made.
        """
        loop = asyncio.get_running_loop()
        for number, code in SIGNALS.items():
            loop.add_signal_handler(number, self.leave, code)

    def on_told(self, message: Told) -> None:
        """News from a thread."""
        message.tell()

    def tell(self, tell: Callable[[], None]) -> None:
        """On any thread: have `tell` carried out in the event loop, unless that has ended."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is no screen left to tell
            self.post_message(Told(tell))

    def paint_anew(self) -> None:
        """Paint every cell: the terminal may show something else than what it was sent."""
        self.refresh(layout=True)

    def on_resize(self, event: events.Resize) -> None:
        """A terminal that was another size for a moment shows what that left of the screen, though the size is the one
        that everything was painted at: Textual would see no difference."""
        if self.screen_stack and event.size == self.screen.size:
            self.paint_anew()

    def hang_up(self) -> None:
        """The terminal went away: nothing that was open is carried out."""
        self.leave(129)

    def leave(self, code: int) -> None:
        """End with an exit code. What was armed or counting is not carried out."""
        self.ear.chord.disarm()
        self.exit(return_code=code)

    def _build_driver(self, headless: bool, inline: bool, mouse: bool, size: tuple[int, int] | None) -> Driver:
        """Without a terminal too, keys go through the chord."""
        if not headless:
            return super()._build_driver(headless, inline, mouse, size)
        self._driver = HeadlessConsoleDriver(self, mouse=mouse, size=size)
        return self._driver

    def _handle_exception(self, error: Exception) -> None:
        self.crash = self.crash or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End without Textual's traceback, which prints the values of variables; whoever ran it tells what happened."""
        self._close_messages_no_wait()
