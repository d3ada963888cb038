"""What the operator does with the console itself: looking about, arranging, asking. Nothing here reaches the fleet."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from opsconsole.clipboard import sequence
from opsconsole.command.offering import entries
from opsconsole.command.verbs import vocabulary
from opsconsole.dialogs.base import Dialog
from opsconsole.dialogs.command import CommandLine, History
from opsconsole.dialogs.palette import Palette
from opsconsole.dialogs.reading import Reading
from opsconsole.dress import Dress
from opsconsole.helptext import help_text
from opsconsole.keymap import Keymap
from opsconsole.layout import NAMES
from opsconsole.lines import Span, Style
from opsconsole.navigator import Navigator
from opsconsole.panes import TablePane
from opsconsole.screen import MainScreen
from opsconsole.text import clean
from opsconsole.views.answers import Words
from opsconsole.views.picture import Picture
from opsconsole.views.subject import Subject

SECOND_CANCEL_S = 2.0


class Surroundings(Protocol):
    """The console, as far as it can be arranged from its desk."""

    @property
    def dress(self) -> Dress:
        """Its colours and characters."""

    @property
    def monotonic(self) -> Callable[[], float]:
        """Its clock, in seconds."""

    @property
    def picture(self) -> Picture:
        """What is known now."""

    def answer(self, words: Words) -> None:
        """Answer the operator."""

    def dress_in(self, theme: str) -> None:
        """Change the theme."""

    def freeze(self, *, still: bool) -> None:
        """Hold the lists still, or let them move again."""

    def leave(self, code: int) -> None:
        """End with this exit code."""

    def look_again(self) -> None:
        """Ask the backend at once, and paint everything anew."""

    def open(self, dialog: Dialog) -> None:
        """Open a prompt."""

    def paint(self) -> None:
        """Paint now."""

    def want_samples(self, metrics: tuple[str, ...]) -> None:
        """Have the samples of these metrics read that the engine has kept."""

    def write(self, sent: str) -> None:
        """Send something to the terminal that is none of the screen."""


class Workplace:
    """The desk (`opsconsole.actions.Desk`) that actions and typed commands work at."""

    def __init__(self, console: Surroundings, main: MainScreen, keymap: Keymap) -> None:
        self._console = console
        self._main = main
        self._keyboard = keymap
        self._navigator = Navigator(main, console.paint)
        self._verbs, self._history = vocabulary(NAMES), History()
        self._cancelled_at = float("-inf")

    @property
    def picture(self) -> Picture:
        """What is known now."""
        return self._console.picture

    @property
    def pane(self) -> TablePane:
        """The pane in front."""
        return self._navigator.pane

    @property
    def zoomable(self) -> bool:
        """Whether there is more than one pane to see, or one is zoomed."""
        return self._main.zoomed or len(self._main.plan().panes()) > 1

    def open(self, dialog: Dialog) -> None:
        """Open a prompt."""
        self._console.open(dialog)

    def focus_pane(self, number: int) -> None:
        """Look at the list with this number: 1 to 6 are the panes, 7 to 10 the further lists."""
        self._navigator.show_list(NAMES[number - 1])

    def focus_next(self, by: int) -> None:
        """Look at the next pane, or the one before."""
        self._navigator.next_pane(by)

    def zoom(self) -> None:
        """Give the pane all the room, or take it back."""
        self._main.zoomed = not self._main.zoomed
        self._main.arrange_anew()

    def show_list(self, name: str) -> bool:
        """Look at a list by its name; False when there is none of that name."""
        return self._navigator.show_list(name)

    def enter(self, subject: Subject) -> None:
        """Look at the inside of something, or at its log."""
        self._navigator.enter(subject)

    @property
    def can_go_back(self) -> bool:
        """Whether there is somewhere to go back to."""
        return self._navigator.can_go_back

    def back(self) -> None:
        """Go back to where this list was come to from."""
        self._navigator.back()

    def filter(self, text: str) -> None:
        """Show only the rows of the list in front that `text` asks for."""
        self.pane.filter(text)

    def sort(self, column: str) -> str:
        """Sort the list in front by a column; returns why not, empty when it was done."""
        return self._navigator.sort(column)

    def widen(self) -> None:
        """Show more columns of the list in front, or fewer again."""
        self.pane.wide = not self.pane.wide
        self._console.paint()

    def command_line(self, text: str = "") -> None:
        """Open command mode."""
        self.open(CommandLine(self, self._verbs, self._history, text))

    def palette(self) -> None:
        """Open the list of everything that can be done."""
        self.open(Palette(lambda: entries(self, self._verbs, self._keyboard)))

    def wear(self, theme: str) -> None:
        """Change the theme, unless this terminal is to have no colours at all."""
        if self._console.dress.colors == "none" and theme != "none":
            self.say("there are no colours here: --color never, or NO_COLOR")
        else:
            self._console.dress_in(theme)

    def freeze(self, *, still: bool) -> None:
        """Hold the lists still, or let them move again."""
        self._console.freeze(still=still)
        self._console.paint()

    def say(self, said: str) -> None:
        """Answer the operator on the line above the keys."""
        self._console.answer((Span(said, Style.WARN),))

    def copy(self, text: str, what: str) -> None:
        """Send text to the clipboard of the terminal; it does not say whether it took it."""
        try:
            sent = sequence(text, os.environ)
        except ValueError as error:
            self.say(f"{clean(what, 80)}: {error}")
            return
        self._console.write(sent)
        self.say(f"{clean(what, 80)} sent to the terminal")

    def want_samples(self, metrics: tuple[str, ...]) -> None:
        """Have the samples of these metrics read that the engine has kept."""
        self._console.want_samples(metrics)

    def look_again(self) -> None:
        """Ask the backend at once, and paint everything anew."""
        self._console.look_again()

    def cancel(self) -> None:
        """Pressed twice, ctrl+c ends the console."""
        now = self._console.monotonic()
        if now - self._cancelled_at < SECOND_CANCEL_S:
            self.leave(130)
        self._cancelled_at = now
        self.say("^c: nothing is open; press it again to quit")

    def leave(self, code: int) -> None:
        """End the console."""
        self._console.leave(code)

    def help(self) -> None:
        """Show what the keys do here."""
        self.open(Reading("KEYS", lambda _picture: help_text(self, self._keyboard)))
