"""Whatever is pressed: ``!`` ``S`` stops from everywhere, nothing else ever does, and nothing changes unconfirmed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st

from tests.console.seat import Seat
from tests.simulation.harness import FULL, rounds, tell

pytestmark = pytest.mark.timeout(600)

PLACES: dict[str, tuple[str, ...]] = {
    **{f"pane {number}": (number,) for number in "123456"},
    "zoomed": ("2", "z"),
    "filter being typed": ("2", "/", *"shop"),
    "command being typed": (":", *"pause shop-eu"),
    "palette": ("ctrl+p", *"pau"),
    "help": ("?",),
    "help, scrolled": ("?", "j", "pagedown"),
    "why": ("2", "d"),
    "inside of a site": ("2", "enter"),
    "log of a site": ("2", "l"),
    "list of acknowledgements": ("2", "a"),
    "list of workers": (":", *"workers", "enter"),
    "list of workflows": (":", *"workflows", "enter"),
    "list of holds": (":", *"holds", "enter"),
    "audit": (":", *"audit", "enter"),
    "range": ("2", "v", "j"),
    "marks": ("2", "space", "space"),
    "pause": ("2", "p"),
    "pause with a reason": ("2", "p", "r", *"because"),
    "resume": ("2", "P", *"mended"),
    "recovery": ("R", *"mended"),
    "recovery, scope being typed": ("R", *"mended", "enter", *"al"),
    "countdown": ("R", *"mended", "enter", *"all"),
    "one ctrl+c": ("2", "p", "ctrl+c"),
    "a stop that was cancelled": ("!", "escape"),
    "an armed stop": ("!", "enter"),
    "the reason of a stop": ("!", "S", *"INC"),
}
SIZES = ((1, 1), (20, 3), (39, 10), (40, 10), (60, 15), (80, 24), (120, 36), (200, 60))
CLOSED = ("escape",) * 4


def test_from_everywhere_and_at_every_size_the_stop_reaches_the_journal(seed: int) -> None:
    done = 0
    for number in rounds(1, 50):
        done += asyncio.run(stopped_from_everywhere(random.Random(seed + number)))
    tell(f"{done} stops; seed {seed}")


async def stopped_from_everywhere(rng: random.Random) -> int:
    """Go to each place, get another size there, and stop."""
    places = rng.sample(sorted(PLACES.items()), len(PLACES))
    seat = Seat()
    async with seat.at(120, 36):
        for name, way in places:
            size = rng.choice([*SIZES, (rng.randint(1, 250), rng.randint(1, 80))])
            await seat.press(*CLOSED, *way)
            await seat.resize(*size)
            before = set(seat.world.latest().stops)
            await seat.press("escape" if seat.console.ear.chord.armed else "shift+tab", "!", "S")
            where = f"a stop from {name} at {size}"
            # mypy knows no default of a lambda
            await seat.until(lambda before=before: set(seat.world.latest().stops) > before, where)  # type: ignore[misc]
            seat.require_truth()
            seat.world.acknowledge(())
    return len(places)


KEYS = (
    *"jkgGpPRdz?123456yrc/:xnNvuUalowe-S mtT[]",
    *("enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "pageup", "pagedown", "home", "end"),
    *("backspace", "delete", "f1", "ctrl+r", "ctrl+p", "ctrl+u", "ctrl+w", "ctrl+d", "ctrl+f", "ctrl+b"),
)
HABITS = (
    ("p", "y"),
    ("2", "p", "y"),
    ("2", "P", *"mended", "enter", "y"),
    ("3", "P", *"mended", "enter", "y"),
    ("2", "space", "space", "p", "r", *"yes", "enter", "y"),
    (":", *"pause shop-us", "enter"),
    (":", *"resume shop-eu -- mended", "enter"),
    (":", *"flag ab_testing on -- again", "enter"),
    ("/", *"shop", "enter"),
    ("escape", "escape"),
)
TOKENS = st.one_of(
    st.sampled_from(KEYS).map(lambda key: (key,)),
    st.sampled_from(KEYS).map(lambda key: (key,)),
    st.sampled_from(KEYS).map(lambda key: (key,)),
    st.sampled_from(HABITS),
)


def test_no_200_keys_without_a_bang_ever_stop_anything_or_change_what_nobody_confirmed(seed: int) -> None:
    pressed = confirmed = 0

    @settings(
        max_examples=2,
        phases=tuple(Phase) if FULL else (Phase.explicit, Phase.generate),  # made smaller only where there is time
        suppress_health_check=list(HealthCheck),
        database=None,
        deadline=None,
    )
    @given(st.lists(TOKENS, min_size=60, max_size=200), st.sampled_from(SIZES[3:]), st.sampled_from(SIZES))
    def typed(tokens: list[tuple[str, ...]], size: tuple[int, int], other: tuple[int, int]) -> None:
        nonlocal pressed, confirmed
        keys = [key for token in tokens for key in token][:200]
        confirmed += asyncio.run(confirmed_among(keys, size, other))
        pressed += len(keys)

    for number in rounds(1, 150):
        with_seed(seed + number)(typed)()
    tell(f"{pressed} keys, {confirmed} prompts confirmed; seed {seed}")


async def confirmed_among(keys: Sequence[str], size: tuple[int, int], other: tuple[int, int]) -> int:
    """Press them, half of them at another size; how many confirmed something, which is ``y`` where a prompt offers it.

    As many commands have been sent, and at no time more.
    """
    seat, confirmed = Seat(), 0
    async with seat.at(*size):
        for number, key in enumerate(keys):
            if number == len(keys) // 2:
                await seat.resize(*other)
                await seat.paste("!S\ny")
            confirmed += key == "y" and any(f"y {does} now" in seat.foot for does in ("pause", "resume"))
            await seat.press(key)
            assert seat.console.left is None
            assert len(seat.changes) <= confirmed, f"{key} changed something that nobody confirmed: {seat.changes[-1]}"
            if number % 4 == 0:
                seat.require_truth()
        await seat.until(lambda: len(seat.changes) == confirmed, f"{confirmed} confirmed changes")
        assert not seat.world.latest().stops
    assert seat.console.crash is None
    return confirmed


def test_a_countdown_that_nobody_cancels_is_the_one_thing_that_goes_on_by_itself() -> None:
    async def recovers() -> None:
        seat = Seat()
        async with seat.at(80, 24):
            await seat.press("!", "S", "escape")
            await seat.until(lambda: bool(seat.world.latest().stops), "the stop")
            seat.world.acknowledge(())
            await seat.see()
            await seat.press("R", *"mended", "enter", *"all")
            assert "resuming all in 3 s" in seat.foot
            assert seat.changes == []
            while seat.console.counting:
                seat.world.pass_time(0.3)
                seat.console.count()
            await seat.until(lambda: len(seat.changes) == 1, "the recovery")

    asyncio.run(recovers())
