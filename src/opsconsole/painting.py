"""What is on the screen, and when it is made anew: from one picture of the feed, ten times a second at most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from textual.timer import Timer

from opsconsole.layout import PANES
from opsconsole.pages import Pages
from opsconsole.panes import AuditPane
from opsconsole.screen import MainScreen
from opsconsole.session import Feed
from opsconsole.table import Table
from opsconsole.views.picture import Picture

if TYPE_CHECKING:
    from core.messages import Recorded

PAINT_S = 0.09
"""At most some ten paints a second, however fast news arrives. A little less than a tenth: with a tenth, each paint
would come a moment later than the one before, and of ten changes a second one would be painted with the next."""


class Painter(Protocol):
    """Whose screen it is."""

    @property
    def monotonic(self) -> Callable[[], float]:
        """Its clock, in seconds."""

    def paint(self) -> None:
        """Paint now, and whatever goes with it."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call back in the event loop, in so many seconds."""

    def tell(self, tell: Callable[[], None]) -> None:
        """On any thread: have something carried out in the event loop."""


class Still(NamedTuple):
    """What the lists are held at."""

    picture: Picture
    recent: Sequence[Recorded]


class Painting:
    """Puts on the screen what changed. `picture` is the one that was painted last, `tables` what the lists show."""

    def __init__(self, painter: Painter, main: MainScreen, feed: Feed) -> None:
        self._painter = painter
        self._main = main
        self._feed = feed
        self._pages = Pages(feed.read, painter.tell, painter.paint)
        main.audit.want_older = main.inside.want_older = self._pages.want_older
        self._painted_at = float("-inf")
        self._timer: Timer | None = None
        self.picture = feed.picture()
        self.tables: dict[str, Table] = {}
        self.still: Still | None = None

    def paint(self) -> None:
        """Look at the feed and put what changed on the screen."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._painted_at = self._painter.monotonic()
        self.picture = self._feed.picture()
        self._read_on()
        shown = (*PANES, self._main.front)
        held = self.still or Still(self.picture, self._feed.recent)
        self.tables = {name: self._main.panes[name].table_of(held.picture) for name in dict.fromkeys(shown)}
        self._main.show(self.picture, self.tables, held.recent)

    def news_came(self) -> None:
        """Paint now, or when the last paint is long enough ago."""
        wait_s = min(PAINT_S, self._painted_at + PAINT_S - self._painter.monotonic())
        if wait_s <= 0:
            self._painter.paint()
        elif self._timer is None:
            self._timer = self._painter.set_timer(wait_s, self._painter.paint)

    def freeze(self, *, still: bool) -> None:
        """Hold the lists at what they show, or let them move again, from the next paint on."""
        self.still = Still(self.picture, self._feed.recent) if still else None

    def _read_on(self) -> None:
        """What happened is kept up with only while somebody looks at it."""
        pane = self._main.panes[self._main.front]
        if isinstance(pane, AuditPane):
            self._pages.see(self._feed.recent)
            pane.read = self._pages.read
