"""The player: carries out the steps of a script on a stage, and says which one was not met.

It waits for what happens (a paint, news of the feed) until a deadline, and never for a time that should be enough.
"""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final

from textual.pilot import Pilot, WaitForScreenTimeout

from core.errors import OpsError
from core.messages import Actor, Envelope
from opsconsole.dialogs.command import CommandLine
from opsconsole.prompt import COUNTED_MAX_S
from opsconsole.script import keyboard, pictures
from opsconsole.script.happenings import happen
from opsconsole.script.header import Script
from opsconsole.script.keeping import actor_of
from opsconsole.script.played import Failure, Picture, Played
from opsconsole.script.stage import PRESS_S, PROSE_S, Stage
from opsconsole.script.steps import Do, Give, Look, Pass, Press, Resize, Shoot, Step, Type
from opsconsole.script.world import World
from opsconsole.session import SUBMIT_DEADLINE_S
from opsgate.clock import elapsed_s

LOOK_AGAIN_S: Final = 1.0
"""What moves by the clock alone, such as an age, is looked at this often."""
_CATCH_UP_S: Final = 0.005
_SLOW_S: Final = 1.0
ENDINGS: Final = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}


class _Unmet(Exception):
    """A step was not met."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(*sentences)
        self.sentences = sentences


def play(script: Script, stage: Stage, size: tuple[int, int], say: Callable[[str], None]) -> Played:
    """Play a script at this size and return what came of it; ``say`` hears of each step once it takes over a second.

    Raises what the console raised if it failed from within: a fault of ours.
    """
    player = Player(script, stage, say)
    try:
        asyncio.run(player.run(size))
    finally:
        stage.lane.finish()
        if stage.world is not None:
            stage.world.close()
    if stage.console.crash is not None:
        raise stage.console.crash
    return player.played()


class Player:
    """One performance of a script."""

    def __init__(self, script: Script, stage: Stage, say: Callable[[str], None]) -> None:
        self._script = script
        self._stage = stage
        self._say = say
        self._began_s = elapsed_s()
        self._done = 0
        self._pictures: list[Picture] = []
        self._failure: Failure | None = None
        self._ended: int | None = None
        self._told = 0
        self._pilot: Pilot[Any]

    async def run(self, size: tuple[int, int]) -> None:
        """Show the console to nobody, and press the keys."""
        with self._signals():
            await self._stage.console.run_async(
                headless=True, mouse=False, size=size, auto_pilot=self._perform_and_leave
            )

    def played(self) -> Played:
        """What came of it. A console that ended by itself before the last step has not met the script."""
        failure = self._failure
        if failure is None and self._done < len(self._script.steps):
            failure = Failure(self._script.steps[self._done].line, ("the console ended before this step",), ())
        return Played(self._done, elapsed_s() - self._began_s, tuple(self._pictures), failure, self._ended)

    async def perform(self, pilot: Pilot[Any]) -> None:
        """Carry the steps out on a console that runs; it stays as the last step leaves it."""
        self._pilot = pilot
        console, step = self._stage.console, self._script.steps[0]
        try:
            await self._until(lambda: console.picture.link.live or bool(console.picture.link.trouble))
            await self._settle()
            for step in self._script.steps:
                self._tell()
                self._require_console()
                await self._carry_out(step)
                self._done += 1
        except (_Unmet, WaitForScreenTimeout) as unmet:
            if self._ended is None:
                said = (
                    unmet.sentences if isinstance(unmet, _Unmet) else ("the console did not answer for half a minute",)
                )
                rows = console.scene().rows if console.left is None else ()
                self._failure = Failure(step.line, said, rows)

    async def _perform_and_leave(self, pilot: Pilot[Any]) -> None:
        try:
            await self.perform(pilot)
        finally:
            if self._stage.console.left is None:
                self._stage.console.leave(0)

    async def _carry_out(self, step: Step) -> None:
        match step:
            case Press():
                await self._press(*step.keys)
            case Type():
                await self._press(*step.text, pause_s=PROSE_S)
            case Give():
                await self._give(step)
            case Look():
                await self._look(step)
            case Resize():
                await self._pilot.resize_terminal(*step.size)
                await self._settle()
            case Shoot():
                await self._settle()
                svg = self._stage.console.export_screenshot(title="opsconsole", simplify=True)
                rows = self._stage.console.scene().rows
                self._pictures.append(Picture(step.name, pictures.of_screen(svg), rows, step.shown_s))
            case Do():
                await self._do(step)
            case _:
                assert self._stage.world is not None, "the grammar keeps these for seeded fleets"
                if isinstance(step, Pass):
                    step = replace(step, seconds=await self._count_down(self._stage.world, step.seconds))
                happen(self._stage.world, step)
                await self._settle()

    async def _count_down(self, world: World, seconds: float) -> float:
        """Let time pass beneath a countdown, as much at once as it counts; how many seconds are left when it is over,
        and what it asked for is done.

        The console counts no second that nobody could have seen, and here nobody waits between two of them.
        """
        if not self._stage.console.counting:
            return seconds
        while seconds > 0 and self._stage.console.counting:
            some_s = min(COUNTED_MAX_S, seconds)
            world.pass_time(some_s)
            self._stage.console.count()
            seconds = round(seconds - some_s, 6)
        await self._settle()
        return seconds

    async def _press(self, *keys: str, pause_s: float = PRESS_S) -> None:
        hand = self._stage.console.hand
        hand.pause_s = PRESS_S  # whoever begins to type has paused before
        for key in keys:
            await keyboard.press(self._pilot, key)
            hand.pause_s = pause_s
            if self._stage.console.left is not None:
                return
        await self._settle()

    async def _give(self, step: Give) -> None:
        """On the line that ``:`` opens. What it would refuse is not met, and is not left standing there."""
        prompt = self._stage.console.prompt
        if prompt is not None:
            raise _Unmet(f"{prompt.title} is open and takes every key: close it first, with 'press: escape'")
        await self._press(":")
        line = self._stage.console.prompt
        if not isinstance(line, CommandLine):
            raise _Unmet("the key ':' opened no command line here")
        await self._press(*step.text, pause_s=PROSE_S)
        if why_not := line.refused:
            raise _Unmet(f"the command was refused: {why_not}")
        await self._press("enter")

    async def _look(self, step: Look) -> None:
        """Look until all is as expected, at least once."""
        await self._settle()
        console, deadline_s = self._stage.console, elapsed_s() + step.within_s
        while unmet := step.expected.unmet(console.scene()):
            self._require_console()
            left_s = deadline_s - elapsed_s()
            if left_s <= 0:
                waited = f" within {step.within_s:g}s" if step.within_s else ""
                raise _Unmet(*(f"expected{waited}: {sentence}" for sentence in unmet))
            await self._painted(min(LOOK_AGAIN_S, left_s))
            self._tell()
            console.paint()
            await keyboard.carried_out(self._pilot)

    async def _do(self, step: Do) -> None:
        actor = actor_of(step.by) if step.by else Actor(name=self._stage.operator)
        if self._stage.console.picture.who.read_only:
            raise _Unmet("these settings are read-only, and so is this console")
        try:
            if self._stage.world is not None:
                self._stage.world.do(step.command, actor)
            else:
                await asyncio.wait_for(asyncio.to_thread(self._submit, step, actor), 2 * SUBMIT_DEADLINE_S)
        except OpsError as error:
            raise _Unmet(f"the engine refused {step.command.kind}: {error}") from None
        except TimeoutError:
            raise _Unmet(f"the engine did not answer {step.command.kind}") from None
        await self._settle()

    def _submit(self, step: Do, actor: Actor) -> None:
        """On a thread of its own. What lets something run goes the way of the console's own releases."""
        revision = self._stage.console.picture.state.control_revision if step.command.lets_run else None
        self._stage.feed.submit(
            Envelope(
                command_id=f"script-{uuid.uuid4().hex}",
                actor=actor,
                door="script",
                command=step.command,
                expected_revision=revision,
            )
        )

    async def _settle(self) -> None:
        """Let what is on its way arrive and be painted. A fleet of real processes is never settled."""
        if self._stage.console.left is not None:
            return
        await self._until(self._stage.look())
        self._stage.console.paint()
        await keyboard.carried_out(self._pilot)

    async def _until(self, true: Callable[[], bool]) -> None:
        """Wait for what another thread does and tells nobody of; what never comes is left to the next expectation."""
        deadline_s = elapsed_s() + self._script.within
        while not true() and elapsed_s() < deadline_s and self._stage.console.left is None:
            await self._painted(_CATCH_UP_S)

    async def _painted(self, within_s: float) -> None:
        """Wait until the screen has been painted, or for this long."""
        painted = self._stage.console.painted
        painted.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(painted.wait(), within_s)

    def _require_console(self) -> None:
        console = self._stage.console
        if console.crash is not None:
            raise _Unmet("the console failed")
        if console.left is not None:
            raise _Unmet(f"the console was left before this step, exit code {console.left}")

    def _tell(self) -> None:
        """Narrate, once it takes long enough for somebody to wonder."""
        number = self._done + 1
        if elapsed_s() - self._began_s > _SLOW_S and number > self._told and number <= len(self._script.steps):
            self._told = number
            step = self._script.steps[self._done]
            self._say(f"step {number} of {len(self._script.steps)}, line {step.line}: {_called(step)}")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """A signal ends the console, and whoever played the script learns which one it was."""
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in ENDINGS}
        for number, code in ENDINGS.items():
            if before[number] is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._end, code)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    def _end(self, code: int) -> None:
        self._ended = code
        self._stage.console.leave(code)


def _called(step: Step) -> str:
    """What a step does, in a few words."""
    match step:
        case Press():
            return f"press {' '.join(step.keys)}"
        case Give():
            return f"command {step.text}"
        case Look():
            return f"wait until, up to {step.within_s:g} s" if step.within_s else "expect"
        case Shoot():
            return f"frame {step.shown_s:g} s" if step.shown_s else f"screenshot {step.name}"
        case Do():
            return f"do {step.command.kind}"
        case _:
            return type(step).__name__.lower()
