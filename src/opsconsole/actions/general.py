"""What is no list's own affair: help, commands, the end."""

from __future__ import annotations

from opsconsole.actions.base import Action, Desk


class Help(Action):
    """Help."""

    id, keys, shown, label = "help", "question_mark,f1", "?", "help"
    about = "what the keys do here"

    def run(self, desk: Desk) -> None:
        """Show it."""
        desk.help()


class CommandMode(Action):
    """The line that takes a command."""

    id, keys, label = "command", "colon", "cmd"
    about = "type a command: it says what it would do before Enter, and Enter confirms nothing"

    def run(self, desk: Desk) -> None:
        """Open the line."""
        desk.command_line()


class Palette(Action):
    """Everything there is."""

    id, keys = "palette", "ctrl+p"
    about = "find an action or a command by a few letters"

    def run(self, desk: Desk) -> None:
        """Open the list."""
        desk.palette()


class LookAgain(Action):
    """Refresh."""

    id, keys = "refresh", "ctrl+r"
    about = "ask the backend now and paint the screen anew"

    def run(self, desk: Desk) -> None:
        """Do it."""
        desk.look_again()


class Cancel(Action):
    """What fingers do in a fright."""

    id, keys = "cancel", "ctrl+c"
    about = "cancel what is open; pressed twice, quit"

    def run(self, desk: Desk) -> None:
        """Do it."""
        desk.cancel()


class Quit(Action):
    """The end."""

    id, keys, label = "quit", "q", "quit"
    about = "end the console; the fleet and its stops stay as they are"

    def run(self, desk: Desk) -> None:
        """Leave with success."""
        desk.leave(0)
