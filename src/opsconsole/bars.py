"""The lines above and below the panes: the two rows of truth, tabs, ticker, the latest word, the keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from opsconsole.actions import Desk
from opsconsole.keymap import Keymap
from opsconsole.keyrow import armed_keys, key_row, prompt_row
from opsconsole.layout import Mode
from opsconsole.lines import Line, Span, Style, length, line
from opsconsole.table import Table
from opsconsole.views import header
from opsconsole.views.answers import Words
from opsconsole.views.events import news
from opsconsole.views.picture import Picture
from opsconsole.views.ticker import tabs, ticker
from opsconsole.views.words import clock

if TYPE_CHECKING:
    from core.messages import Recorded

OWN_WORDS_S = 8.0
"""How long an answer to the operator stands before the latest event takes its line again."""


class Look(NamedTuple):
    """What the bars speak of, at one moment."""

    desk: Desk
    picture: Picture
    tables: Mapping[str, Table]
    recent: Sequence[Recorded]
    mode: Mode
    front: str
    armed: bool
    escapes: str
    """What Esc does to the prompt that is open; empty where none is."""
    still: Picture | None = None
    """What the lists are held at, while they are."""


class Bars:
    """Says each bar from what `look` returns, and keeps the last answer to the operator for a while."""

    def __init__(self, look: Callable[[], Look], keymap: Keymap, monotonic: Callable[[], float]) -> None:
        self._look = look
        self._keymap = keymap
        self._monotonic = monotonic
        self._words: Words = ()
        self._words_at = float("-inf")
        self._overtaken: Callable[[Picture], bool] = _never

    def say(self, words: Words, overtaken: Callable[[Picture], bool] | None = None) -> None:
        """Answer the operator on the line above the keys, until a picture comes by which it is `overtaken`."""
        self._words, self._words_at = words, self._monotonic()
        self._overtaken = overtaken or _never

    def fading(self) -> bool:
        """Whether an answer stands, or has just had its time."""
        stood = bool(self._words)
        if self._monotonic() - self._words_at >= OWN_WORDS_S:
            self._words = ()
        return stood

    def all(self) -> dict[str, Callable[[int], Line]]:
        """Each bar by its name in the layout, as what it says at a width."""
        return {
            "row1": self._row1,
            "row2": self._row2,
            "tabs": lambda width: tabs(self._look().tables, self._look().front, width),
            "ticker": lambda width: ticker(self._look().picture, width),
            "flash": self._flash,
            "keys": self._keys,
        }

    def _row1(self, width: int) -> Line:
        look = self._look()
        said = header.one_line if look.mode is Mode.LINE else header.row1
        return said(look.picture, width)

    def _row2(self, width: int) -> Line:
        """As ever; in front of it that the lists are held, since when, and how much they do not show."""
        look = self._look()
        if look.still is None:
            return header.row2(look.picture, width)
        news = look.picture.state.revision - look.still.state.revision
        sign = Span(f" STILL since {clock(look.still.now)}, {news} news, :live goes on |", Style.WARN)
        return line(width, sign, *header.row2(look.picture, max(0, width - length((sign,)))))

    def _flash(self, width: int) -> Line:
        look = self._look()
        fresh = self._monotonic() - self._words_at < OWN_WORDS_S
        if self._words and fresh and not self._overtaken(look.picture):
            return line(width, Span(" "), *self._words)
        return line(width, *news(look.recent))

    def _keys(self, width: int) -> Line:
        look = self._look()
        if look.armed:
            return line(width, *armed_keys())
        if look.escapes:
            return prompt_row(self._keymap, width, look.escapes)
        return key_row(look.desk, self._keymap, width)


def _never(_picture: Picture) -> bool:
    return False
