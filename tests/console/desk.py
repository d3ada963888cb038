"""A console over a fleet in memory, its clocks in the test's hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from textual import events
from textual.pilot import Pilot

from backends.stop_lane import Fired
from opsconsole.console import Console
from opsconsole.dress import DARK, Dress
from opsconsole.keymap import DEFAULT, Keymap
from opsconsole.lane import Lane
from opsconsole.lines import plain
from opsconsole.prompt import PromptBox
from opsconsole.screen import Bar
from opsconsole.script import keyboard
from opsconsole.session import Feed
from opsconsole.views.picture import Routes, Who
from opsgate.order import Order
from tests.console.fleet import Fleet

DEADLINE_S = 60.0
WHO = Who("ana", Fleet.url, "PROD")


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A console, the fleet behind it, and what its stop lane was asked to send."""

    def __init__(
        self,
        fleet: Fleet | None = None,
        who: Who = WHO,
        *,
        keymap: Keymap = DEFAULT,
        dress: Dress = DARK,
        remarks: Sequence[str] = (),
    ) -> None:
        self.fleet = fleet or Fleet()
        self.clock = Clock()
        self.orders: list[Order] = []
        self.answer: Callable[[Order], Fired] = lambda order: Fired(order, "", "answered", "database", 40, "E-1", 12)
        self.stops = 0
        self.feed = Feed(
            lambda: self.fleet,
            who,
            monotonic=self.clock,
            utc_now=lambda: self.fleet.now,
            look_at_routes=lambda: Routes(latch=True, keeper=self.fleet.keeper),
        )
        self.lane = Lane(self._order, self._send)
        self.console = Console(self.feed, self.lane, monotonic=self.clock, dress=dress, keymap=keymap, remarks=remarks)
        self.pilot: Pilot[None]

    def _order(self) -> Order:
        self.stops += 1
        return Order(f"S-{self.stops}", self.fleet.now, actor="ana", door="console")

    def _send(self, order: Order) -> Fired:
        self.orders.append(order)
        return self.answer(order)

    @asynccontextmanager
    async def at(self, width: int = 80, height: int = 24) -> AsyncIterator[Desk]:
        """Run it at a size."""
        async with self.console.run_test(size=(width, height)) as pilot:
            await self.join(pilot)
            yield self

    async def join(self, pilot: Pilot[None]) -> None:
        """Work with a console that somebody else runs, when it has the first state."""
        self.pilot = pilot
        await self.until(lambda: self.console.picture.link.live or bool(self.fleet.away))
        await self.settle()

    async def press(self, *keys: str, pause_s: float = 1.0) -> None:
        """Press keys, `pause_s` apart by the clock that the chord looks at. A ``y`` that confirms is `confirm`'s."""
        for key in keys:
            assert key != "y" or not self._offers_y(), f"say what is confirmed: desk.confirm\n{self.text()}"
            self.clock.now += pause_s
            await keyboard.press(self.pilot, key)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type prose, at the speed of prose."""
        await self.send(*((char, char) for char in text), pause_s=0.05)

    async def send(self, *keys: tuple[str, str | None], pause_s: float = 1.0) -> None:
        """Hand keys to the driver as fast as a script would, each with the character that it types."""
        driver = self.console._driver
        assert driver is not None
        for key, character in keys:
            self.clock.now += pause_s
            driver.send_message(events.Key(key, character))
        await self.settle()

    async def count_down(self, title: str, *says: str, until: str) -> None:
        """Let the seconds of a countdown go by, in the prompt that is `title` and says all of this, until the screen
        says what comes of it."""
        self._require_prompt(title, *says)

        def said() -> bool:
            self.clock.now += 0.05
            return until in self.text()

        await self.until(said)

    async def confirm(self, title: str, *says: str, reason: str = "") -> None:
        """Confirm the prompt that is open, which is `title` and says all of this; `reason` is what it asks for."""
        self._require_prompt(title, *says)
        if reason:
            await self.type(reason)
            await self.press("enter")
        assert self._offers_y(), f"it offers no y; the screen said:\n{self.text()}"
        self.clock.now += 1.0
        await keyboard.press(self.pilot, "y")
        await self.settle()

    def _require_prompt(self, title: str, *says: str) -> None:
        assert says, "say what stands in the prompt"
        dialog = self.console.screen.query_one(PromptBox).dialog
        assert dialog is not None, f"no prompt is open; the screen said:\n{self.text()}"
        assert dialog.title == title
        shown = "\n".join(plain(said) for said in dialog.body(self.console.picture))
        for words in says:
            assert words in shown

    def _offers_y(self) -> bool:
        dialog = self.console.screen.query_one(PromptBox).dialog
        foot = dialog.foot(self.console.picture) if dialog else ()
        return any(plain(said).startswith("y ") or " y " in plain(said) for said in foot)

    async def settle(self) -> None:
        """Let what is on its way arrive and be painted."""
        await keyboard.carried_out(self.pilot)
        self.console.paint()
        await keyboard.carried_out(self.pilot)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that another thread does."""
        deadline = time.monotonic() + DEADLINE_S
        while not true():
            assert time.monotonic() < deadline, f"never came true; the screen said:\n{self.text()}"
            await asyncio.sleep(0.005)  # another thread tells nobody

    async def until_said(self, words: str) -> None:
        """Wait until the screen says something."""
        await self.until(lambda: words in self.text())

    def text(self) -> str:
        """The screen as text."""
        strips = self.console.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def row(self, number: int) -> str:
        """One row of it, counted from 0; -1 is the last."""
        return self.text().split("\n")[number]

    def bar(self, name: str) -> str:
        """What one line says, whether or not it is shown at this size."""
        bar = self.console.screen.query_one(f"#{name}", Bar)
        return plain(bar.draw(200, 1)[0]).rstrip()


def small_fleet() -> Fleet:
    """Six sites, twelve workers, one site paused."""
    fleet = Fleet()
    sites = ["shop-eu", "shop-us", "pay-gw", "search", "mail", "feed"]
    fleet.add_sites(*sites)
    for number, site in enumerate(sites * 2, 1):
        fleet.add_worker(f"w-{number:02}", site, in_flight=1)
    fleet.pass_time(60)
    fleet.pause("manual INC-1", site="shop-eu")
    fleet.pass_time(420)
    return fleet
