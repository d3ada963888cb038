"""The keyboard of a console that nobody sits at: each key is carried out before the next one is pressed.

Textual's own pilot waits after each key until the process uses no processor, three times: sixty milliseconds where
nothing else runs, and on a busy machine not even long enough, for a process that got no processor uses none either.
Here a message is sent behind the key and waited for: when it has been heard, the key has been carried out.
"""

from __future__ import annotations

import asyncio
import unicodedata
from contextlib import suppress
from typing import Any, Final

from textual import events
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot, WaitForScreenTimeout

from opsgate.clock import elapsed_s

DEADLINE_S: Final = 30.0
_LOOK_AGAIN_S: Final = 0.05


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys, by their names or their characters, each when the one before has been carried out.

    Raises `WaitForScreenTimeout` when one is not within half a minute.
    """
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        await send(pilot, events.Key(name, _character_of(name)))


async def carried_out(pilot: Pilot[Any]) -> None:
    """Wait until whatever was pressed or sent before is carried out and painted. A console that ends is not waited for.

    Raises `WaitForScreenTimeout` when that takes longer than half a minute.
    """
    await send(pilot)
    for _ in ("what the widgets were told", "what they told each other"):
        if pilot.app.screen_stack:
            await pilot.pause(0)


async def send(pilot: Pilot[Any], *sent: events.Event) -> None:
    """Hand events to the console as its terminal does, and wait until it has carried them out.

    Raises `WaitForScreenTimeout` when that takes longer than half a minute.
    """
    app, heard = pilot.app, asyncio.Event()
    driver = app._driver  # noqa: SLF001 - where Textual's own pilot hands its keys to
    if driver is None:
        return
    for event in (*sent, events.Callback(heard.set)):
        driver.send_message(event)
    deadline_s = elapsed_s() + DEADLINE_S
    while not (heard.is_set() or app._closing or app._closed):  # noqa: SLF001 - nowhere else it says that it ends
        if elapsed_s() > deadline_s:
            raise WaitForScreenTimeout("the console did not hear a message in time")
        with suppress(TimeoutError):
            await asyncio.wait_for(heard.wait(), _LOOK_AGAIN_S)


def _character_of(name: str) -> str | None:
    """What a key types, as Textual's pilot knows it."""
    try:
        return unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
    except KeyError:
        return name if len(name) == 1 else None
