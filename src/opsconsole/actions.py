"""What can be done: one class is the key, the word in the key row, the line in the help, and the condition.

Nothing is shown before its function exists, and a key that does not apply says why. Only the stop is not carried out
here: the chord hears it in the thread that reads the keys, long before any action could.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from opsconsole.browse import Browser
from opsconsole.dialogs.base import Dialog
from opsconsole.dialogs.filter import FilterPrompt
from opsconsole.dialogs.pause import PausePrompt, ResumePrompt
from opsconsole.dialogs.reading import Reading
from opsconsole.dialogs.recover import RecoverPrompt
from opsconsole.dialogs.several import KEYS_MAX, Aim, Several
from opsconsole.views.inside import Subject
from opsconsole.views.picture import Picture
from opsconsole.views.recovery import resumable
from opsconsole.views.workers import without_acknowledgement

if TYPE_CHECKING:
    from opsconsole.panes import TablePane  # a widget: the command line reads the keys of actions without Textual
    from opsconsole.panes.base import Question


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
        """Look at a list by its name (`opsconsole.panes.NAMES`); False when there is none of that name."""

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

    def look_again(self) -> None:
        """Ask the backend at once, and paint everything anew."""

    def cancel(self) -> None:
        """What ctrl+c does."""

    def leave(self, code: int) -> None:
        """End the console."""

    def help(self) -> None:
        """Show what the keys do here."""


class Action(ABC):
    """One thing that can be done."""

    id: ClassVar[str]
    keys: ClassVar[str]
    """As Textual binds them; empty where the chord does it."""
    shown: ClassVar[str]
    """The keys as people read them."""
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


class StopAll(Action):
    """The one that works everywhere."""

    id, keys, shown, label = "stop", "", "! S", "STOP ALL"
    about = "stop everything: ! arms, S fires; from any pane, prompt and size, with or without a backend"

    def run(self, desk: Desk) -> None:
        """The chord has done it already."""


class Recover(Action):
    """The way back."""

    id, keys, shown, label = "recover", "R", "R", "Recover"
    about = "recover an emergency, or resume what operators paused for everybody: reason, typed scope, countdown"

    def why_not(self, desk: Desk) -> str:
        """There must be something to come back from."""
        if desk.picture.who.read_only:
            return "this console is read-only"
        if self._emergency(desk) or resumable(desk.picture):
            return ""
        return "nothing to recover: no emergency and no global pause"

    def run(self, desk: Desk) -> None:
        """Ask for reason and scope."""
        desk.open(RecoverPrompt(desk.picture, self._emergency(desk)))

    @staticmethod
    def _emergency(desk: Desk) -> str | None:
        """The one under the cursor, else the oldest."""
        selected = desk.pane.selected
        chosen = desk.pane.emergency(selected, desk.picture) if selected else None
        active = desk.picture.state.active_emergencies()
        return chosen or (active[0].emergency_id if active else None)


class OnTarget(Action):
    """Something done to the thing under the cursor."""

    def why_not(self, desk: Desk) -> str:
        """There must be such a thing, and a right to do it."""
        if desk.picture.who.read_only:
            return "this console is read-only"
        aim = desk.pane.aim()
        if isinstance(aim, Several) and len(aim.keys) > KEYS_MAX:
            return f"{len(aim.keys)} rows are marked, and one command takes {KEYS_MAX}"
        return "" if aim else "select a site, a flag or a workflow first"

    def run(self, desk: Desk) -> None:
        """Ask."""
        if aim := desk.pane.aim():
            desk.open(self.prompt(aim, desk.picture))

    @abstractmethod
    def prompt(self, aim: Aim, picture: Picture) -> Dialog:
        """The prompt that asks."""


class Pause(OnTarget):
    """A pause."""

    id, keys, shown, label = "pause", "p", "p", "pause"
    about = "pause the marked sites, else the selected one; switch flags and workflows off; y confirms"

    def prompt(self, aim: Aim, picture: Picture) -> Dialog:
        """Names it."""
        return PausePrompt(aim)


class Resume(OnTarget):
    """A resume."""

    id, keys, shown, label = "resume", "P", "P", "resume"
    about = "resume the marked sites, else the selected one; switch flags and workflows on; asks for a reason"

    def prompt(self, aim: Aim, picture: Picture) -> Dialog:
        """Names whose holds it releases."""
        return ResumePrompt(aim, picture)


class OnMarkable(Action):
    """Something about marks, in lists whose rows can be paused."""

    def why_not(self, desk: Desk) -> str:
        """There must be a row, of a kind that can be acted on."""
        selected = desk.pane.selected
        if selected is None:
            return "there is no row under the cursor"
        return "" if desk.pane.target(selected) else "rows are marked to pause or resume them, and these cannot be"


class Mark(OnMarkable):
    """A mark."""

    id, keys, shown = "mark", "space", "Space"
    about = "mark the selected row and go to the next; p and P act on all marked rows at once"

    def run(self, desk: Desk) -> None:
        """Set, never toggle."""
        if desk.pane.browser.anchor is not None:
            desk.pane.look_anew(Browser.mark_range)
        elif selected := desk.pane.selected:
            desk.pane.look_anew(lambda browser: browser.mark(selected))
            desk.pane.action_move(1)


class Unmark(OnMarkable):
    """No mark."""

    id, keys, shown = "unmark", "u", "u"
    about = "take the mark of the selected row away and go to the next"

    def run(self, desk: Desk) -> None:
        """Of this row alone."""
        if selected := desk.pane.selected:
            desk.pane.look_anew(lambda browser: browser.unmark(selected))
            desk.pane.action_move(1)


class UnmarkAll(Action):
    """No marks."""

    id, keys, shown = "unmark-all", "U", "U"
    about = "take all marks of this list away, those too that a filter hides"

    def why_not(self, desk: Desk) -> str:
        """There must be some."""
        return "" if desk.pane.browser.marks else "nothing is marked"

    def run(self, desk: Desk) -> None:
        """Of this list."""
        desk.pane.look_anew(lambda browser: browser.unmark(*browser.marks))


class Range(OnMarkable):
    """Many marks."""

    id, keys, shown = "range", "v", "v"
    about = "begin a range; pressed again, mark every row that is shown from there to here; Esc drops it"

    def run(self, desk: Desk) -> None:
        """Begin it, or end it."""
        begun = desk.pane.browser.anchor is not None
        desk.pane.look_anew(Browser.mark_range if begun else Browser.begin_range)


class Why(Action):
    """The question that every blocked thing can be asked."""

    id, keys, shown, label = "why", "d", "d", "why"
    about = "describe the selected row: what holds it or what is known of it, and what ends that"

    def why_not(self, desk: Desk) -> str:
        """There must be something to ask about."""
        return "" if self._question(desk) is not None else "there is no row here to ask about"

    def run(self, desk: Desk) -> None:
        """Show the answer, and keep it true while it is open."""
        if question := self._question(desk):
            desk.open(Reading(f"WHY {question.about}", question.answer))

    @staticmethod
    def _question(desk: Desk) -> Question | None:
        selected = desk.pane.selected
        return desk.pane.why(selected, desk.picture) if selected else None


class OnSubject(Action):
    """Something about what is under the cursor."""

    def why_not(self, desk: Desk) -> str:
        """There must be something."""
        return "" if self.subject(desk) else "there is nothing behind this row"

    @staticmethod
    def subject(desk: Desk) -> Subject | None:
        """What is under the cursor."""
        selected = desk.pane.selected
        return desk.pane.subject_of(selected) if selected else None


class Enter(OnSubject):
    """Nearer."""

    id, keys, shown = "enter", "enter", "Enter"
    about = "look inside: a site's holds and workers, an emergency's acknowledgements, a limit's use; Esc goes back"

    def run(self, desk: Desk) -> None:
        """Never confirms anything."""
        if subject := self.subject(desk):
            desk.enter(subject)


class Log(OnSubject):
    """What happened to it."""

    id, keys, shown, label = "log", "l", "l", "log"
    about = "the events that are about the selected row, newest first"

    def run(self, desk: Desk) -> None:
        """From the journal, as far back as it is scrolled."""
        if subject := self.subject(desk):
            desk.enter(subject._replace(log=True))


class Acks(Action):
    """Who is missing."""

    id, keys, shown, label = "acks", "a", "a", "acks"
    about = "list the workers that have not acknowledged the stops in force"

    def why_not(self, desk: Desk) -> str:
        """Only while somebody is missing."""
        return "" if without_acknowledgement(desk.picture) else "no acknowledgement is missing"

    def run(self, desk: Desk) -> None:
        """All of them, whatever the pane."""
        desk.enter(Subject("acks", ""))


class Copy(Action):
    """A key, to paste it elsewhere."""

    id, keys, shown = "copy", "y", "y"
    about = "send the names of the marked rows, else of the selected one, to the terminal's clipboard"

    def why_not(self, desk: Desk) -> str:
        """There must be something to send."""
        return "" if desk.pane.selected or desk.pane.browser.marks else "there is no row under the cursor"

    def run(self, desk: Desk) -> None:
        """A terminal does not say whether it took it."""
        marked = desk.pane.browser.marks_in_order
        keys = [desk.pane.name_of(key) for key in marked or filter(None, [desk.pane.selected])]
        desk.copy("\n".join(keys), f"{len(keys)} keys" if len(keys) > 1 else keys[0])


class CopyRow(Copy):
    """All of a row."""

    id, keys, shown = "copy-row", "Y", "Y"
    about = "send all of the selected row, as text, to the terminal's clipboard"

    def why_not(self, desk: Desk) -> str:
        """There must be a row."""
        return "" if desk.pane.selected else "there is no row under the cursor"

    def run(self, desk: Desk) -> None:
        """Its cells, two blanks between them."""
        pane = desk.pane
        at = pane.table.rows.find(pane.selected or "")
        if at is not None:
            cells = pane.table.rows[at].cells
            desk.copy("  ".join(cell.text.strip() for cell in cells), f"row of {pane.name_of(pane.selected or '')}")


class Filter(Action):
    """Fewer rows."""

    id, keys, shown, label = "filter", "slash", "/", "filter"
    about = "show only rows that hold these words, -word for rows that do not; Esc shows all again"

    def run(self, desk: Desk) -> None:
        """Narrow with every key."""
        pane = desk.pane

        def narrow(text: str) -> tuple[int, int]:
            desk.filter(text)
            return len(pane.table.rows), len(pane.browser.whole.rows)

        desk.open(FilterPrompt(pane.title, pane.browser.filter_text, narrow, pane.action_move))


class NextMatch(Action):
    """To the next row that the last filter asked for."""

    id, keys, shown = "next-match", "n", "n"
    about = "the next row that the last filter asked for; N the one before"
    by: ClassVar[int] = 1

    def run(self, desk: Desk) -> None:
        """Go there."""
        if not desk.pane.seek(self.by):
            desk.say(f"{self.shown}: no further match")


class PreviousMatch(NextMatch):
    """The other way round."""

    id, keys, shown = "previous-match", "N", "N"
    about = "the row before that the last filter asked for"
    by = -1


class Sort(Action):
    """Another order."""

    id, keys, shown, label = "sort", "o", "o", "sort"
    about = "sort by the next column; behind the last one comes worst first again"

    def run(self, desk: Desk) -> None:
        """Take the next column."""
        desk.sort(desk.pane.browser.next_sort().title)


class Wide(Action):
    """More columns."""

    id, keys, shown, label = "wide", "w", "w", "wide"
    about = "show more columns of this list, or fewer again"

    def why_not(self, desk: Desk) -> str:
        """Not every list has more."""
        return "" if desk.pane.has_wide else "this list has no further columns"

    def run(self, desk: Desk) -> None:
        """Do it."""
        desk.widen()


class Back(Action):
    """One step back."""

    id, keys, shown = "back", "escape", "Esc"
    about = "drop the range that is being marked, else the filter, else go back to where this list was come to from"

    def why_not(self, desk: Desk) -> str:
        """There must be something to go back on."""
        browser = desk.pane.browser
        if browser.anchor is not None or browser.filter_text or desk.can_go_back:
            return ""
        return "there is nothing to go back to"

    def run(self, desk: Desk) -> None:
        """The nearest first."""
        if desk.pane.browser.anchor is not None:
            desk.pane.look_anew(Browser.drop_range)
        elif desk.pane.browser.filter_text:
            desk.filter("")
        else:
            desk.back()


class Help(Action):
    """Help."""

    id, keys, shown, label = "help", "question_mark,f1", "?", "help"
    about = "what the keys do here"

    def run(self, desk: Desk) -> None:
        """Show it."""
        desk.help()


class CommandMode(Action):
    """The line that takes a command."""

    id, keys, shown, label = "command", "colon", ":", "cmd"
    about = "type a command: it says what it would do before Enter, and Enter confirms nothing"

    def run(self, desk: Desk) -> None:
        """Open the line."""
        desk.command_line()


class Palette(Action):
    """Everything there is."""

    id, keys, shown = "palette", "ctrl+p", "^p"
    about = "find an action or a command by a few letters"

    def run(self, desk: Desk) -> None:
        """Open the list."""
        desk.palette()


class NextPane(Action):
    """Panes in turn."""

    id, keys, shown, label = "next-pane", "tab", "Tab", "pane"
    about = "look at the next pane; Shift-Tab at the one before"

    def run(self, desk: Desk) -> None:
        """Look there."""
        desk.focus_next(1)


class PreviousPane(Action):
    """The other way round."""

    id, keys, shown = "previous-pane", "shift+tab", "Shift-Tab"
    about = "look at the pane before"

    def run(self, desk: Desk) -> None:
        """Look there."""
        desk.focus_next(-1)


class Zoom(Action):
    """One pane instead of six."""

    id, keys, shown, label = "zoom", "z", "z", "zoom"
    about = "give this pane all the room, or take it back; row 1 and 2 stay"

    def why_not(self, desk: Desk) -> str:
        """Pointless where there is only one."""
        return "" if desk.zoomable else "there is room for one pane only"

    def run(self, desk: Desk) -> None:
        """Do it."""
        desk.zoom()


class LookAgain(Action):
    """Refresh."""

    id, keys, shown = "refresh", "ctrl+r", "^r"
    about = "ask the backend now and paint the screen anew"

    def run(self, desk: Desk) -> None:
        """Do it."""
        desk.look_again()


class Cancel(Action):
    """What fingers do in a fright."""

    id, keys, shown = "cancel", "ctrl+c", "^c"
    about = "cancel what is open; pressed twice, quit"

    def run(self, desk: Desk) -> None:
        """Do it."""
        desk.cancel()


class Quit(Action):
    """The end."""

    id, keys, shown, label = "quit", "q", "q", "quit"
    about = "end the console; the fleet and its stops stay as they are"

    def run(self, desk: Desk) -> None:
        """Leave with success."""
        desk.leave(0)


ACTIONS: tuple[Action, ...] = (
    StopAll(),
    Recover(),
    Pause(),
    Resume(),
    Why(),
    Acks(),
    Filter(),
    Enter(),
    Log(),
    CommandMode(),
    Help(),
    Palette(),
    NextPane(),
    PreviousPane(),
    Zoom(),
    Mark(),
    Unmark(),
    UnmarkAll(),
    Range(),
    Copy(),
    CopyRow(),
    Sort(),
    Wide(),
    NextMatch(),
    PreviousMatch(),
    Back(),
    LookAgain(),
    Cancel(),
    Quit(),
)
"""All of them, in the order of the key row and of the help."""


def find(action_id: str, actions: Sequence[Action] = ACTIONS) -> Action:
    """The action of an id."""
    return next(action for action in actions if action.id == action_id)
