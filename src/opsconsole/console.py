"""The console: one screen over one feed, with one lane for the stop.

State flows down: feed → picture → views → the cells that changed. Intentions flow up: key → action → prompt → command.
Nothing here waits: what asks the backend has a thread and a deadline, and the stop has a lane of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from textual import events

from opsconsole.actions import ACTIONS, find
from opsconsole.actions.holding import OnTarget
from opsconsole.bars import Bars, Look
from opsconsole.commander import Answer, Commander
from opsconsole.dialogs.base import Dialog, Send, Then
from opsconsole.dialogs.reading import Reading
from opsconsole.dress import DARK, Dress
from opsconsole.ear import ChordHeard
from opsconsole.keymap import DEFAULT, Keymap
from opsconsole.lane import Lane
from opsconsole.layout import NAMES
from opsconsole.lines import Span, Style
from opsconsole.movement import MOVES
from opsconsole.painting import Painting
from opsconsole.panes import TablePane
from opsconsole.screen import MainScreen
from opsconsole.session import Feed
from opsconsole.shell import Shell
from opsconsole.stop_shown import StopShown
from opsconsole.text import clean
from opsconsole.views.answers import Words, answered, asked, outlived, refused
from opsconsole.views.course import under_way
from opsconsole.views.farewell import farewell
from opsconsole.views.picture import Picture
from opsconsole.views.words import BUCKET_S
from opsconsole.workplace import Workplace
from opsgate.order import Order

REASON_WAITS = "the reason is not saved yet: it is sent when the stop is seen here, and lost when you leave before that"

BARS_S = 1.0
"""How often the bars are said anew: only what is stale counts seconds, and only there."""


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
        self.monotonic = monotonic
        self._feed = feed
        self._keyboard, self._remarks = keymap, remarks
        self._key_at = float("-inf")
        self._bars = Bars(self._look, keymap, monotonic)
        self._main = MainScreen(self._bars.all(), self._prompt_ended, monotonic)
        self._painting = Painting(self, self._main, feed)
        self._commander = Commander(feed, self.picture.who.operator, self._command_answered)
        self._stop = StopShown(self, self._main.prompt)
        self.desk = Workplace(self, self._main, keymap)
        self._bind_keys()
        lane.answered = self._stop.answered  # before a key can be read: a stop may fail while this starts

    def get_default_screen(self) -> MainScreen:
        """The one screen there is."""
        return self._main

    def on_mount(self) -> None:
        """Begin to follow."""
        self._feed.wake = lambda: self.tell(self._painting.news_came)
        self._feed.begun = lambda place: self.tell(lambda: self.desk.say(f"a new fleet was begun at {clean(place)}"))
        self.call_after_refresh(self._feed.start)  # what it loads would hold up the first frame
        self.set_interval(BARS_S, self._a_second_passed)
        self.set_interval(BUCKET_S, self.paint)
        self.desk.show_list(self._main.front)
        if self._remarks:
            self.open(Reading("PLEASE NOTE", lambda _: [(Span(clean(remark, 500)),) for remark in self._remarks]))

    def _a_second_passed(self) -> None:
        """What is stale counts seconds, as a recovery does, and an answer makes way after some; else a second changes
        nothing."""
        if not self.picture.link.live or self._bars.fading():
            self._main.repaint_bars()
        elif under_way(self.picture):
            self.paint()

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
        self._name_keys()

    def _name_keys(self) -> None:
        """Have each list name the keys of what it offers, but for what whoever sits here may not do."""
        self._named_for = who = self.picture.who
        barred = {action.id: () for action in ACTIONS if isinstance(action, OnTarget) and who.why_not(action.kind)}
        for pane in self._main.panes.values():
            pane.name_keys({**self._keyboard.keys, **barred})

    # --------------------------------------------------------------------------------------------- state, down

    def paint(self) -> None:
        """Look at the feed and put what changed on the screen."""
        self._painting.paint()
        if self.picture.who != self._named_for:
            self._name_keys()
        self._commander.see(self.picture)

    def _look(self) -> Look:
        dialog = self._main.prompt.dialog
        escapes = dialog.escapes if dialog else ""
        mode, armed = self._main.plan().mode, self.ear.chord.armed
        still = self._painting.still.picture if self._painting.still else None
        tables, front = self._painting.tables, self._main.front
        return Look(self.desk, self.picture, tables, self._feed.recent, mode, front, armed, escapes, still)

    def answer(self, words: Words, overtaken: Callable[[Picture], bool] | None = None) -> None:
        """Answer the operator on the line above the keys, until a picture comes by which it is `overtaken`."""
        self._bars.say(words, overtaken)
        self._main.repaint_bars()

    def freeze(self, *, still: bool) -> None:
        """Hold the lists at what they show, or let them move again, from the next paint on."""
        self._painting.freeze(still=still)

    def want_samples(self, metrics: tuple[str, ...]) -> None:
        """Have the samples of these metrics read that the engine has kept."""
        self._feed.want_samples(metrics)

    def look_again(self) -> None:
        """Ask the backend at once, and paint everything anew."""
        self.freeze(still=False)
        self._feed.look_now()
        self.paint_anew()

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
        if why_not := action.why_not(self.desk):
            self.answer((Span(f"{self._keyboard.shown(action)}: {why_not}", Style.WARN),))
        else:
            action.run(self.desk)

    def action_focus_pane(self, number: int) -> None:
        """A number key."""
        self.desk.focus_pane(number)

    def on_chord_heard(self, message: ChordHeard) -> None:
        """The chord took a key."""
        self._stop.heard(message)
        self._main.repaint_bars()

    def on_looked_away(self) -> None:
        """The terminal has lost the focus, as far as it tells."""
        self._main.prompt.looked_away()

    def stop_sent(self, order: Order) -> None:
        """A stop has left by the lane: it is shown from now on, over lists that were held still too."""
        self._feed.sent(order)
        self.freeze(still=False)

    def stop_taken(self, order: Order) -> None:
        """Whoever records it says that it has it: row 1 says so until it is seen."""
        self._feed.taken(order)

    def _prompt_ended(self, send: Send | Then | str) -> None:
        """A prompt is gone: carry out what it asked for, or leave its word that nothing was."""
        self._main.repaint_bars()
        if isinstance(send, str):
            if send:
                self.answer((Span(send, Style.WARN),))
            return
        if isinstance(send, Then):
            send.do()
            return
        from core.capabilities.explaining import ExplainStop

        if isinstance(send.command, ExplainStop):
            self._commander.explain(send.command.stop_id, send, self.picture)
            if send.command.stop_id not in self.picture.state.stops:
                self.answer((Span(REASON_WAITS, Style.WARN),))
        else:
            self.answer(asked(send.about))
            self._commander.send(send)

    def _command_answered(self, send: Send, answer: Answer) -> None:
        """On the command's thread."""
        self.tell(lambda: self._tell_answer(send, answer))

    def _tell_answer(self, send: Send, answer: Answer) -> None:
        """What was carried out needs no marks any more; what was refused keeps them, to be tried again."""
        if isinstance(answer, Exception):
            self.answer(refused(send.about, answer))
            return
        unmarked = sum(pane.unmark(send.marked) for pane in self._main.panes.values()) if send.marked else 0
        self.answer(answered(send, answer, unmarked), outlived(answer))

    # --------------------------------------------------------------------------------- what parts of it ask for

    @property
    def picture(self) -> Picture:
        """What is known now."""
        return self._painting.picture

    @property
    def pane(self) -> TablePane:
        """The pane in front."""
        return self.desk.pane

    def open(self, dialog: Dialog) -> None:
        """Open a prompt."""
        self._main.prompt.open(dialog, self.picture, self._key_at)
        self._main.repaint_bars()

    def write(self, sent: str) -> None:
        """Send something to the terminal that is none of the screen."""
        if self._driver is not None:
            self._driver.write(sent)
