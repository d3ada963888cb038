"""Somebody at a console over a fleet in memory: presses anything, and sees what the journal and the screen say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold
from core.capabilities.names import AddName
from core.capabilities.switches import SetSwitch
from core.messages import Actor, Envelope, Receipt
from opsconsole.layout import Mode
from opsconsole.lines import plain
from opsconsole.prompt import PromptBox
from opsconsole.screen import Bar, MainScreen
from opsconsole.script import keyboard
from opsconsole.script.header import Seeded
from opsconsole.script.stage import seeded
from opsgate.selector import Selector

DEADLINE_S = 60.0
ANA = Actor(name="ana")
TYPES = {"enter": "\r", "tab": "\t", "space": " "}


class Seat:
    """A console on a stage: its lane and its engine are real. `changes` are the commands that it has sent.

    The record of a stop is none: it is written by whichever is first, the lane or the feed.
    """

    def __init__(self) -> None:
        self.stage = seeded(Seeded(profile="PROD"))
        self.console = self.stage.console
        assert self.stage.world is not None
        self.world = self.stage.world
        self.changes: list[Envelope] = []
        self._submit = self.world.submit
        self.world.submit = self._taken_down  # type: ignore[method-assign] # looked at on its way, and carried out
        for site in ("mail", "shop-eu", "shop-us"):
            self.world.do(AddName(dimension="site", name=site), ANA)
        self.world.hire([("w-1", ("mail",)), ("w-2", ("shop-eu",)), ("w-3", ("shop-us",))])
        self.world.do(PlaceHold(selectors=(Selector.of(site="shop-eu"),), reason="INC-1"), ANA)
        self.world.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False, reason="over"), ANA)
        self.pilot: Pilot[Any]

    def _taken_down(self, envelope: Envelope, **given: Any) -> Receipt:
        if envelope.door == "console" and not isinstance(envelope.command, OrderStop):
            self.changes.append(envelope)
        return self._submit(envelope, **given)

    @asynccontextmanager
    async def at(self, width: int, height: int) -> AsyncIterator[Seat]:
        """Run it at a size."""
        async with self.console.run_test(size=(width, height)) as pilot:
            self.pilot = pilot
            await self.until(lambda: self.console.picture.link.live, "the first state")
            yield self
        self.stage.lane.finish()
        self.world.close()

    async def press(self, *keys: str) -> None:
        """Press keys, each as a person does who means it, until the console is left."""
        for key in keys:
            if self.gone:
                return
            name = _character_to_key(key) if len(key) == 1 else key
            character = key if len(key) == 1 else TYPES.get(key)
            await keyboard.send(self.pilot, events.Key(name, character))
        await keyboard.carried_out(self.pilot)

    async def paste(self, text: str) -> None:
        """Paste."""
        await keyboard.send(self.pilot, events.Paste(text))
        await keyboard.carried_out(self.pilot)

    async def resize(self, width: int, height: int) -> None:
        """Another size."""
        await self.pilot.resize_terminal(width, height)

    async def see(self) -> None:
        """Let the console see all that has happened."""
        await self.until(self.stage.look(), "the feed")
        self.console.paint()
        await keyboard.carried_out(self.pilot)

    async def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for what another thread does."""
        deadline = time.monotonic() + DEADLINE_S
        while not true():
            assert time.monotonic() < deadline, f"{what} never came; the screen said:\n{self.text}"
            await asyncio.sleep(0.005)  # another thread tells nobody

    @property
    def gone(self) -> bool:
        """Whether the console was left."""
        return self.console.left is not None

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(self.console.scene().rows)

    @property
    def foot(self) -> str:
        """What the open prompt says of its keys, whether or not there is room for it; empty where none is open."""
        dialog = self.console.screen.query_one(PromptBox).dialog
        return "" if dialog is None else "\n".join(map(plain, dialog.foot(self.console.picture)))

    def require_truth(self) -> None:
        """Row 1 and 2 are what they are without any prompt, and nothing has failed."""
        assert self.console.crash is None
        screen = self.console.screen
        assert isinstance(screen, MainScreen)
        if screen.plan().mode is Mode.LINE or self.gone:
            return
        rows = self.console.scene().rows
        for at, name in enumerate(("row1", "row2")):
            bar = screen.query_one(f"#{name}", Bar)
            assert rows[at] == plain(bar.draw(screen.size.width, 1)[0]).rstrip()
        assert rows[-1].strip().startswith(("! S", "S STOP", "S "))
