"""What an action is, and the console as it sees it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol

from opsconsole.dialogs.base import Dialog
from opsconsole.views.picture import Picture
from opsconsole.views.subject import Subject

if TYPE_CHECKING:
    from opsconsole.panes import TablePane  # a widget: the command line reads the keys of actions without Textual


class Desk(Protocol):
    """The console as an action sees it."""

    @property
    def picture(self) -> Picture:
        """What is known now."""

    @property
    def pane(self) -> TablePane:
        """The pane that has the focus."""

    @property
    def zoomable(self) -> bool:
        """Whether there is more than one pane to see, or one is zoomed."""

    def open(self, dialog: Dialog) -> None:
        """Open a prompt."""

    def focus_next(self, by: int) -> None:
        """Look at the next pane, or the one before."""

    def zoom(self) -> None:
        """Give the pane all the room, or take it back."""

    def show_list(self, name: str) -> bool:
        """Look at a list by its name (`opsconsole.layout.NAMES`); False when there is none of that name."""

    def enter(self, subject: Subject) -> None:
        """Look at the inside of something, or at its log."""

    @property
    def can_go_back(self) -> bool:
        """Whether there is somewhere to go back to."""

    def back(self) -> None:
        """Go back to where this list was come to from."""

    def filter(self, text: str) -> None:
        """Show only the rows of the list in front that `text` asks for; empty shows all."""

    def sort(self, column: str) -> str:
        """Sort the list in front by a column, ``-`` before it turns it round; empty is worst first.

        Returns why not, as a sentence; empty when it was done.
        """

    def widen(self) -> None:
        """Show more columns of the list in front, or fewer again."""

    def command_line(self, text: str = "") -> None:
        """Open command mode with this text typed."""

    def palette(self) -> None:
        """Open the list of everything that can be done."""

    def wear(self, theme: str) -> None:
        """Change the theme to one of `opsconsole.dress.THEMES`."""

    def freeze(self, *, still: bool) -> None:
        """Hold the lists still, or let them move again."""

    def say(self, said: str) -> None:
        """Answer the operator on the line above the keys."""

    def copy(self, text: str, what: str) -> None:
        """Send text to the clipboard of the terminal, and say that `what` was sent."""

    def want_samples(self, metrics: tuple[str, ...]) -> None:
        """Have the samples of these metrics read that the engine has kept; the picture has them then."""

    def look_again(self) -> None:
        """Ask the backend at once, and paint everything anew."""

    def cancel(self) -> None:
        """What ctrl+c does."""

    def leave(self, code: int) -> None:
        """End the console."""

    def help(self) -> None:
        """Show what the keys do here."""


NOT_KNOWN_YET = "nothing is known of the fleet yet"


def there_is_none(desk: Desk, said: str) -> str:
    """Why something does not apply, where that rests on what was not seen: of a fleet of which nothing is known, that
    is all that can be said."""
    return said if desk.picture.known else NOT_KNOWN_YET


class Action(ABC):
    """One thing that can be done."""

    id: ClassVar[str]
    keys: ClassVar[str]
    """As Textual binds them; empty where the chord does it."""
    shown: ClassVar[str] = ""
    """The keys as people read them, where there is more to say than how they are called."""
    label: ClassVar[str] = ""
    """A word for the key row; empty for what is only in the help."""
    about: ClassVar[str]
    """A line for the help."""

    def why_not(self, desk: Desk) -> str:
        """Why it does not apply now, as a sentence; empty when it does."""
        return ""

    @abstractmethod
    def run(self, desk: Desk) -> None:
        """Do it."""
