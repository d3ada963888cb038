"""The stage: the real console over a real feed and a real lane, on a terminal that is not there.

What differs from a console that somebody looks at is only who presses the keys, and that it tells when it has painted.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.authority import Identity
from opsconsole.app import feed_and_lane
from opsconsole.console import Console
from opsconsole.credential import Address
from opsconsole.dialogs.base import Dialog
from opsconsole.dress import DARK, Dress
from opsconsole.ear import StopEar
from opsconsole.lane import Lane
from opsconsole.script.expecting import Scene
from opsconsole.script.header import Seeded
from opsconsole.script.world import START, Server, World
from opsconsole.session import Feed
from opsconsole.views.picture import Who
from opsgate.order import Order

PRESS_S, PROSE_S = 1.0, 0.05
"""Seconds between two keys as the chord counts them: of a person who means each, and of one who types."""


class Hand:
    """The clock by which the chord tells prose from keys that are meant: it moves with each key and not by itself."""

    def __init__(self) -> None:
        self._now = 0.0
        self.pause_s = PRESS_S

    def __call__(self) -> float:
        """The moment of the next key."""
        self._now += self.pause_s
        return self._now


class Staged(Console):
    """The console, and what a script has to know of it: its rows, that it has painted, that it was left."""

    def __init__(self, feed: Feed, lane: Lane, *, monotonic: Callable[[], float], dress: Dress) -> None:
        super().__init__(feed, lane, monotonic=monotonic, dress=dress)
        self.hand = Hand()
        self.ear = StopEar(lane.fire, self.hand)
        self.painted = asyncio.Event()
        self.left: int | None = None

    def post_display_hook(self) -> None:
        """Textual has put something on the screen."""
        self.painted.set()

    def leave(self, code: int) -> None:
        """Somebody ends it."""
        if self.left is None:
            self.left = code
        self.painted.set()
        super().leave(code)

    @property
    def asking(self) -> bool:
        """Whether a command waits for its answer."""
        return self._commander.waiting

    @property
    def counting(self) -> bool:
        """Whether a prompt counts down."""
        dialog = self._main.prompt.dialog
        return dialog is not None and dialog.ticking

    def count(self) -> None:
        """Look at the countdown now, and not when its timer next does."""
        self._main.prompt.count()

    @property
    def prompt(self) -> Dialog | None:
        """What is open and takes the keys."""
        return self._main.prompt.dialog

    def scene(self) -> Scene:
        """What can be looked at now."""
        strips = self.screen._compositor.render_strips()  # noqa: SLF001 - Textual gives its text away nowhere else
        return Scene(self.picture, [strip.text.rstrip() for strip in strips])


@dataclass(frozen=True)
class Stage:
    """A console, and the world behind it where that is the script's."""

    console: Staged
    feed: Feed
    lane: Lane
    operator: str
    world: World | None = None

    def look(self) -> Callable[[], bool]:
        """Have the feed look; the answer says, as often as asked, whether it has, every command is answered, and all
        there is to see was seen.

        Where the fleet is real there is always more to see, and nothing to wait for.
        """
        before = self.feed.turns
        self.feed.look_now()
        return lambda: self.world is None or (self.feed.turns > before and self._seen_all(self.world))

    def _seen_all(self, world: World) -> bool:
        if self.console.asking:
            return False
        if world.away:
            return True
        if self.feed.picture().facts.seen != world.observe():
            return False
        return bool(self.feed.recent) and self.feed.recent[-1].revision == world.latest().revision


def on_backend(address: Address, who: Who, dress: Dress, *, keeper: bool) -> Stage:
    """On the backend at ``address``, as the console that a person opens."""
    feed, lane = feed_and_lane(address, who, keeper=keeper)
    return Stage(Staged(feed, lane, monotonic=time.monotonic, dress=dress), feed, lane, who.operator)


def seeded(given: Seeded, dress: Dress = DARK) -> Stage:
    """On a fleet in memory, whose clock is that of the console too."""
    world = World(Server(given.url, Identity(given.operator, given.role), given.others) if given.role else None)
    who = Who(given.operator, given.url, given.profile)

    def monotonic() -> float:
        return (world.now - START).total_seconds()

    numbers = itertools.count(1)
    lane = Lane(
        make=lambda: Order(f"S-{next(numbers)}", world.now, actor=given.operator, door="console"),
        send=world.order,
    )
    feed = Feed(lambda: world, who, monotonic=monotonic, utc_now=lambda: world.now, by_itself=False)
    return Stage(Staged(feed, lane, monotonic=monotonic, dress=dress), feed, lane, given.operator, world)


def as_text(rows: Sequence[str]) -> list[str]:
    """The rows of a screen between two rules, for people who read why a script failed."""
    width = max(map(len, rows), default=0)
    return ["+" + "-" * width + "+", *(f"|{row.ljust(width)}|" for row in rows), "+" + "-" * width + "+"]
