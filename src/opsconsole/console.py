"""The console: one screen over one feed, with one lane for the stop.

State flows down: feed → picture → views → the cells that changed. Intentions flow up: key → action → prompt → command.
Nothing here waits: what asks the backend has a thread and a deadline, and the stop has a lane of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from textual import events
from textual.timer import Timer

from backends.stop_lane import Fired
from opsconsole.actions import ACTIONS, find
from opsconsole.bars import Bars, Look
from opsconsole.chord import Heard
from opsconsole.clipboard import sequence
from opsconsole.command.offering import entries
from opsconsole.command.verbs import vocabulary
from opsconsole.commander import Answer, Commander
from opsconsole.dialogs.base import Dialog, Send, Then
from opsconsole.dialogs.command import CommandLine, History
from opsconsole.dialogs.palette import Palette
from opsconsole.dialogs.reading import Reading
from opsconsole.dialogs.stop import ReasonPrompt, StopPrompt
from opsconsole.dress import DARK, Dress
from opsconsole.ear import ChordHeard
from opsconsole.helptext import help_text
from opsconsole.keymap import DEFAULT, Keymap
from opsconsole.lane import Lane
from opsconsole.layout import NAMES, PANES
from opsconsole.lines import Span, Style
from opsconsole.movement import MOVES
from opsconsole.navigator import Navigator
from opsconsole.pages import Pages
from opsconsole.panes import AuditPane, TablePane
from opsconsole.screen import MainScreen
from opsconsole.session import Feed
from opsconsole.shell import Shell
from opsconsole.table import Table
from opsconsole.text import clean
from opsconsole.views.answers import Words, answered, fired, refused
from opsconsole.views.farewell import farewell
from opsconsole.views.inside import Subject
from opsconsole.views.picture import Picture
from opsconsole.views.words import BUCKET_S
from opsgate.order import Order

if TYPE_CHECKING:
    from core.messages import Recorded

PAINT_S = 0.1
"""At most ten paints a second, however fast news arrives."""
BARS_S = 1.0
"""How often the bars are said anew: only what is stale counts seconds, and only there."""
SECOND_CANCEL_S = 2.0


class Still(NamedTuple):
    """What the lists are held at."""

    picture: Picture
    recent: Sequence[Recorded]


class Console(Shell, inherit_bindings=False):
    """The console. A read-only one changes nothing, but it stops: that takes no right that a watcher could lack."""

    CSS_PATH = Path(__file__).with_name("theme.tcss")

    def __init__(
        self,
        feed: Feed,
        lane: Lane,
        *,
        monotonic: Callable[[], float],
        dress: Dress = DARK,
        keymap: Keymap = DEFAULT,
        remarks: Sequence[str] = (),
    ) -> None:
        """`remarks` is what an operator should know of how it was started, such as a fault in a configuration."""
        super().__init__(lane.fire, monotonic, dress)
        self._feed = feed
        self._lane = lane
        self._monotonic = monotonic
        self._picture = feed.picture()
        self._tables: dict[str, Table] = {}
        self._left: tuple[str, Fired | Exception] | None = None
        self._painted_at = self._cancelled_at = self._key_at = float("-inf")
        self._paint_timer: Timer | None = None
        self._commander = Commander(feed, self._picture.who.operator, self._command_answered)
        self._keyboard, self._remarks = keymap, remarks
        self._bars = Bars(self._look, self, keymap, monotonic)
        self._main = MainScreen(self._bars.all(), self._prompt_ended, monotonic)
        self._verbs, self._history = vocabulary(NAMES), History()
        self._still: Still | None = None
        self._navigator = Navigator(self._main, self.paint)
        self._pages = Pages(feed.read, self.tell, self.paint)
        self._main.audit.want_older = self._main.inside.want_older = self._pages.want_older
        self._bind_keys()
        lane.answered = self._stop_answered  # before a key can be read: a stop may fail while this starts

    def get_default_screen(self) -> MainScreen:
        """The one screen there is."""
        return self._main

    def on_mount(self) -> None:
        """Begin to follow."""
        self._feed.wake = lambda: self.tell(self._news_came)
        self.call_after_refresh(self._feed.start)  # what it loads would hold up the first frame
        self.set_interval(BARS_S, self._a_second_passed)
        self.set_interval(BUCKET_S, self.paint)
        self.focus_pane(PANES.index(self._main.front) + 1)
        if self._remarks:
            self.open(Reading("PLEASE NOTE", lambda _: [(Span(clean(remark, 500)),) for remark in self._remarks]))

    def _a_second_passed(self) -> None:
        """What is stale counts seconds, and an answer makes way after some; else a second changes nothing."""
        if not self._picture.link.live or self._bars.fading():
            self._main.repaint_bars()

    def on_unmount(self) -> None:
        """The feed ends with the screen; a stop on its way does not."""
        self._feed.stop()

    def farewell(self, again: str) -> str:
        """The last line, when the screen is gone: what stays as it is, and that `again` opens it again."""
        return farewell(self._feed.picture(), again=clean(again, 200))

    def _bind_keys(self) -> None:
        """What each key of the keymap does, to the list in front or here.

        Textual's own bindings are put together anew for each key that is pressed, which takes longer than its work.
        """
        keys = self._keyboard.keys
        self._moves = {key: move.does for move in MOVES for key in keys[move.id]}
        self._does = {key: f"focus_pane({at})" for at, name in enumerate(NAMES, 1) for key in keys[f"pane.{name}"]}
        self._does |= {key: f"act('{action.id}')" for action in ACTIONS for key in keys[action.id]}
        for pane in self._main.panes.values():
            pane.name_keys(self._keyboard)

    # --------------------------------------------------------------------------------------------- state, down

    def paint(self) -> None:
        """Look at the feed and put what changed on the screen."""
        if self._paint_timer is not None:
            self._paint_timer.stop()
            self._paint_timer = None
        self._painted_at = self._monotonic()
        self._picture = self._feed.picture()
        self._read_on()
        shown = (*PANES, self._main.front)
        held = self._still or Still(self._picture, self._feed.recent)
        self._tables = {name: self._main.panes[name].table_of(held.picture) for name in dict.fromkeys(shown)}
        self._main.show(self._picture, self._tables, held.recent)
        self._commander.see(self._picture)

    def _read_on(self) -> None:
        """What happened is kept up with only while somebody looks at it."""
        if isinstance(self.pane, AuditPane):
            self._pages.see(self._feed.recent)
            self.pane.read = self._pages.read

    def _news_came(self) -> None:
        wait_s = min(PAINT_S, self._painted_at + PAINT_S - self._monotonic())
        if wait_s <= 0:
            self.paint()
        elif self._paint_timer is None:
            self._paint_timer = self.set_timer(wait_s, self.paint)

    def _look(self) -> Look:
        dialog = self._main.prompt.dialog
        escapes = dialog.escapes if dialog else ""
        mode, armed = self._main.plan().mode, self.ear.chord.armed
        still = self._still.picture if self._still else None
        front = self._main.front
        return Look(self._picture, self._tables, self._feed.recent, mode, front, armed, escapes, still)

    def _say(self, words: Words, overtaken: Callable[[Picture], bool] | None = None) -> None:
        self._bars.say(words, overtaken)
        self._main.repaint_bars()

    # ------------------------------------------------------------------------------------------ intentions, up

    async def on_event(self, event: events.Event) -> None:
        """Carry a key out before the next one is looked at.

        Textual hands keys on from queue to queue, so what was typed ahead could arrive before the prompt was open that
        it was meant for, and a letter of a reason would be a command.
        """
        match event:
            case events.Key() if await self._carried_out(event):
                pass
            case events.Paste() if self._main.prompt.dialog is not None:
                self._main.prompt.paste(event.text)
            case _:
                await super().on_event(event)

    async def _carried_out(self, key: events.Key) -> bool:
        if key.is_forwarded:
            return False
        self._key_at = key.time
        if self._main.prompt.dialog is not None:
            self._main.prompt.hear(key.key, key.character, key.time)
            return True
        if move := self._moves.get(key.key):
            return await self.run_action(move, self.pane)
        does = self._does.get(key.key)
        return does is not None and await self.run_action(does)

    def action_act(self, action_id: str) -> None:
        """A key of an action: carry it out, or say why not."""
        action = find(action_id)
        if why_not := action.why_not(self):
            self._say((Span(f"{self._keyboard.shown(action)}: {why_not}", Style.WARN),))
        else:
            action.run(self)

    def action_focus_pane(self, number: int) -> None:
        """A number key."""
        self.focus_pane(number)

    def on_chord_heard(self, message: ChordHeard) -> None:
        """The chord took a key. If it fired, that has happened already; here it is shown."""
        prompt = self._main.prompt
        match message.heard:
            case Heard.ARMED:
                prompt.cover(StopPrompt(), self._picture)
            case Heard.CANCELLED | Heard.LITERAL:
                if prompt.arming and message.heard is Heard.CANCELLED:
                    self._say((Span(StopPrompt().residue(), Style.WARN),))
                prompt.uncover()
            case Heard.FIRED if isinstance(message.answer, Order):
                self._feed.sent(message.answer)
                self._still = None
                self._ask_reason(message.answer.stop_id)
                self.paint()
            case Heard.FIRED if isinstance(message.answer, Exception):
                prompt.uncover()
                self._say(fired(message.answer))
            case Heard.HURRIED:
                prompt.paste("!")  # as text, where text is typed; as a key it would close prompts without a field
                self._say((Span("! came in the middle of typing: press it again to arm", Style.WARN),))
            case _:
                pass
        self._main.repaint_bars()

    def _prompt_ended(self, send: Send | Then | str) -> None:
        """A prompt is gone: carry out what it asked for, or leave its word that nothing was."""
        self._main.repaint_bars()
        if isinstance(send, str):
            if send:
                self._say((Span(send, Style.WARN),))
            return
        if isinstance(send, Then):
            send.do()
            return
        from core.capabilities.emergencies import ExplainStop

        if isinstance(send.command, ExplainStop):
            self._commander.explain(send.command.stop_id, send, self._picture)
        else:
            self._commander.send(send)

    def _ask_reason(self, stop_id: str) -> None:
        prompt = ReasonPrompt(stop_id)
        if self._left is not None and self._left[0] == stop_id:  # the lane was faster than the screen
            prompt.left(self._left[1])
        self.open(prompt)

    def _command_answered(self, send: Send, answer: Answer) -> None:
        """On the command's thread."""
        self.tell(lambda: self._tell_answer(send, answer))

    def _tell_answer(self, send: Send, answer: Answer) -> None:
        """What was carried out needs no marks any more; what was refused keeps them, to be tried again."""
        if isinstance(answer, Exception):
            self._say(refused(send.about, answer))
            return
        unmarked = sum(pane.unmark(send.marked) for pane in self._main.panes.values()) if send.marked else 0
        self._say(answered(send, answer, unmarked))

    def _stop_answered(self, order: Order, answer: Fired | Exception) -> None:
        """On the order's thread."""
        self.tell(lambda: self._show_routes(order.stop_id, answer))

    def _show_routes(self, stop_id: str, answer: Fired | Exception) -> None:
        self._left = stop_id, answer
        dialog = self._main.prompt.dialog
        if isinstance(dialog, ReasonPrompt) and dialog.stop_id == stop_id:
            dialog.left(answer)
        recorded = isinstance(answer, Fired) and answer.durable == "database"
        self._say(fired(answer), lambda picture: not recorded and stop_id in picture.state.stops)
        self.paint()

    # ------------------------------------------------------------------------------------ the desk of actions

    @property
    def picture(self) -> Picture:
        """What is known now."""
        return self._picture

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
        self._main.prompt.open(dialog, self._picture, self._key_at)
        self._main.repaint_bars()

    def focus_pane(self, number: int) -> None:
        """Look at the list with this number: 1 to 6 are the panes, 7 to 10 the further lists."""
        self._navigator.show_list(NAMES[number - 1])

    def focus_next(self, by: int) -> None:
        """Look at the next pane, or the one before."""
        self._navigator.next_pane(by)

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
        self.paint()

    def copy(self, text: str, what: str) -> None:
        """Send text to the clipboard of the terminal; it does not say whether it took it."""
        try:
            sent = sequence(text, os.environ)
        except ValueError as error:
            self.say(f"{clean(what, 80)}: {error}")
            return
        if self._driver is not None:
            self._driver.write(sent)
        self.say(f"{clean(what, 80)} sent to the terminal")

    def command_line(self, text: str = "") -> None:
        """Open command mode."""
        self.open(CommandLine(self, self._verbs, self._history, text))

    def palette(self) -> None:
        """Open the list of everything that can be done."""
        self.open(Palette(lambda: entries(self, self._verbs, self._keyboard)))

    def wear(self, theme: str) -> None:
        """Change the theme, unless this terminal is to have no colours at all."""
        if self.dress.colors == "none" and theme != "none":
            self.say("there are no colours here: --color never, or NO_COLOR")
        else:
            self.dress_in(theme)

    def freeze(self, *, still: bool) -> None:
        """Hold the lists still, or let them move again."""
        self._still = Still(self._picture, self._feed.recent) if still else None
        self.paint()

    def say(self, said: str) -> None:
        """Answer the operator on the line above the keys."""
        self._say((Span(said, Style.WARN),))

    def zoom(self) -> None:
        """Give the pane all the room, or take it back."""
        self._main.zoomed = not self._main.zoomed
        self._main.arrange_anew()

    def look_again(self) -> None:
        """Ask the backend at once, and paint everything anew."""
        self._still = None
        self._feed.look_now()
        self.paint_anew()

    def cancel(self) -> None:
        """Pressed twice, ctrl+c ends the console."""
        now = self._monotonic()
        if now - self._cancelled_at < SECOND_CANCEL_S:
            self.leave(130)
        self._cancelled_at = now
        self._say((Span("^c: nothing is open; press it again to quit", Style.WARN),))

    def help(self) -> None:
        """Show what the keys do here."""
        self.open(Reading("KEYS", lambda _picture: help_text(self, self._keyboard)))

    def paint_anew(self) -> None:
        """Paint every cell: the terminal may show something else than what it was sent."""
        self._main.arrange_anew()
