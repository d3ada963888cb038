"""The box in which whichever prompt is open stands."""

from __future__ import annotations

from collections.abc import Callable

from textual.message import Message
from textual.timer import Timer

from opsconsole.dialogs.base import UNBOUNDED, Dialog, Outcome, Said, Send, Then
from opsconsole.dialogs.stop import StopPrompt
from opsconsole.drawing import HEAVY, LIGHT
from opsconsole.lines import Line, Span, Style, length, line, wrapped
from opsconsole.painted import Painted
from opsconsole.text import clean
from opsconsole.views.picture import Picture

COUNT_S = 0.2
"""How often a countdown is looked at."""
COUNTED_MAX_S = 2 * COUNT_S
"""What one look counts at most. A console that stood still for a while has shown nobody the seconds that went by, and
nobody could have cancelled in them; so they are no part of a countdown."""

LOOKED_AWAY = "cancelled while nobody looked here, type it again"

QUIET_S = 0.3
"""A key that confirms counts only so long after the one that opened the prompt and after any other: nobody reads and
answers faster, and what comes at once is prose, typed or pasted for something else."""


class PromptBox(Painted):
    """Shows a dialog over the bottom rows. While one is open, the console gives it every key, and nothing else any.

    The prompt of an armed stop may lie over another one, which comes back when the stop is cancelled.
    """

    class Resized(Message):
        """The dialog came, went, or wants another number of rows."""

    def __init__(self, ended: Callable[[Send | Then | str], None], monotonic: Callable[[], float]) -> None:
        """`ended` is called when the dialog is gone: with what it wants carried out, or with its last word, that
        nothing is, which may be empty."""
        super().__init__(id="prompt")
        self._ended = ended
        self._monotonic = monotonic
        self._picture: Picture | None = None
        self._below: Dialog | None = None
        self._timer: Timer | None = None
        self._counted_at = 0.0
        self._asked = 0
        self._quiet_since = float("-inf")
        self.dialog: Dialog | None = None

    def open(self, dialog: Dialog, picture: Picture, at: float) -> None:
        """Open `dialog` in place of whatever was open. `at` is when the key was read that asked for it."""
        self._quiet_since = at
        self.dialog, self._below = dialog, None
        self.show(picture)

    def cover(self, dialog: Dialog, picture: Picture) -> None:
        """Open `dialog` over the one that is open, which must not go on by itself meanwhile."""
        if self.dialog is not None and type(self.dialog) is not type(dialog):
            self.dialog.interrupt()
            self._below = self.dialog
        self.dialog = dialog
        self.show(picture)

    @property
    def arming(self) -> bool:
        """Whether the prompt of an armed stop is on top."""
        return isinstance(self.dialog, StopPrompt)

    def uncover(self) -> None:
        """Take the prompt of an armed stop away, if there is one: any other is somebody's work."""
        if not self.arming:
            return
        self.dialog, self._below = self._below, None
        if self._picture is not None:
            self.show(self._picture)

    def show(self, picture: Picture) -> None:
        """Show what is true now."""
        self._picture = picture
        if self.dialog is not None:
            self.dialog.see(picture)
        self._count_if_asked()
        if (asked := self.rows(self.app.size.width)) != self._asked:
            self._asked = asked
            self.post_message(self.Resized())
        self.repaint()

    @property
    def bare(self) -> bool:
        """Whether what is open stands without a frame, down to the row above the keys."""
        return self.dialog is not None and self.dialog.bare

    def rows(self, width: int) -> int:
        """How many rows the open dialog would like to have; 0 when none is open."""
        if self.dialog is None or self._picture is None:
            return 0
        self.dialog.cells_shown, self.dialog.rows_shown = width, UNBOUNDED
        said = [*self.dialog.body(self._picture), *self.dialog.foot(self._picture)]
        return 2 - self.bare + len(_broken(said, width))

    def draw(self, width: int, height: int) -> list[Line]:
        """The dialog in its frame; its foot stays when there is not room for all of its body."""
        if self.dialog is None or self._picture is None:
            return []
        if self.bare:
            return self._draw_bare(self.dialog, self._picture, width, height)
        feet = self.dialog.foot(self._picture)
        if height == 1:
            return [line(width, Span(f" {self._title()} ", Style.STOPPED), Span(" "), *feet[-1])]
        foot = _broken(feet, width)[-max(1, height - 2) :]
        room = max(0, height - 2 - len(foot))
        self.dialog.cells_shown, self.dialog.rows_shown = width, room
        body = _broken(self.dialog.body(self._picture), width)[:room]
        spare = [line(width, HEAVY.side, *line(width - 2), HEAVY.side)] * (room - len(body))
        (top_left, top_right), (left, right) = HEAVY.top, HEAVY.bottom
        top = (Span(f"{top_left}{HEAVY.rule} "), Span(self._title(), self.dialog.style), Span(" "))
        rule = Span(HEAVY.rule * max(0, width - length(top) - 1) + top_right)
        end = line(width, Span(left + HEAVY.rule * (width - 2) + right))
        return [line(width, *top, rule), *body, *spare, *foot, end]

    def _draw_bare(self, dialog: Dialog, picture: Picture, width: int, height: int) -> list[Line]:
        """Under a rule, without sides; the last row is what is typed."""
        foot = [line(width, Span(" "), *each) for each in dialog.foot(picture)][-height:]
        room = height - len(foot) - 1
        dialog.cells_shown, dialog.rows_shown = width, room
        said = [row for each in dialog.body(picture) for row in wrapped(each, max(1, width - 2), indent=2)]
        body = [line(width, Span(" "), *row) for row in said[: max(0, room)]]
        top = (Span(f"{LIGHT.rule * 2} ", Style.DIM), Span(self._title(), dialog.style), Span(" ", Style.DIM))
        rule = line(width, *top, Span(LIGHT.rule * max(0, width - length(top)), Style.DIM))
        spare = [line(width)] * (room - len(body))
        return [*([rule] if room >= 0 else []), *body, *spare, *foot]

    def _title(self) -> str:
        """What the prompt is about, and where: an operator has more than one of these open."""
        assert self.dialog is not None
        assert self._picture is not None
        profile = clean(self._picture.who.profile, 20)
        return f"{self.dialog.title} on {profile}" if profile else self.dialog.title

    def hear(self, key: str, character: str | None, at: float) -> None:
        """Take a key. `at` is when it was read, in seconds of the clock that times the keys."""
        if self.dialog is None:
            return
        if key == "ctrl+c":
            self._take("close")
        elif key == self.dialog.confirms and at - self._quiet_since < QUIET_S:
            self.dialog.hurried()
            self._take("stay")
        else:
            self._quiet_since = at
            self._take(self.dialog.key(key, character))

    def looked_away(self) -> None:
        """The terminal has lost the focus, or tmux its terminal: nobody there could cancel a countdown."""
        if self.dialog is not None and self.dialog.ticking:
            self.dialog.interrupt(LOOKED_AWAY)
            self._take("stay")

    def paste(self, text: str) -> None:
        """Take a paste."""
        if self.dialog is not None:
            self._take(self.dialog.paste(text))

    def _take(self, outcome: Outcome) -> None:
        closed = self.dialog if outcome != "stay" else None
        if closed is not None:
            self.dialog = self._below = None
        if self._picture is not None:
            self.show(self._picture)
        if closed is not None:
            self._ended(outcome if isinstance(outcome, Send | Then) else closed.residue())

    def _count_if_asked(self) -> None:
        counts = self.dialog is not None and self.dialog.ticking
        if counts and self._timer is None:
            self._counted_at = self._monotonic()
            self._timer = self.set_interval(COUNT_S, self.count)
        elif not counts and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def count(self) -> None:
        """Look at a countdown: take what has gone by since the last look off it."""
        now = self._monotonic()
        passed, self._counted_at = now - self._counted_at, now
        if self.dialog is not None:
            self._take(self.dialog.tick(min(passed, COUNTED_MAX_S)))


def _broken(said: list[Said], width: int) -> list[Line]:
    inner = [row for each in said for row in wrapped(each, max(1, width - 4), indent=2)]
    return [line(width, HEAVY.side, Span(" "), *row, Span(" "), HEAVY.side) for row in inner]
