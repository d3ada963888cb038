"""Load without looking for garbage: what a start makes are modules and classes, which stay.

Python looks again and again through all that was made so far, in the hope that some of it has gone. While thousands of
classes are made that is a quarter of the time until something is on the screen.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Final, TypeVar

RARELY: Final = 200_000
"""Objects that are made until garbage is looked for while this loads. Not never: what is waited for may hang."""

_USUAL: Final = gc.get_threshold()

Loaded = TypeVar("Loaded")


def begin() -> None:
    """The program is loaded from now on."""
    gc.set_threshold(RARELY)


def end() -> None:
    """What is there now stays and is never looked through again; from now on garbage is looked for as usual."""
    if gc.get_threshold()[0] == RARELY:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_USUAL)


def last(load: Callable[[], Loaded]) -> Callable[[], Loaded]:
    """The call that loads the last large part, and with which loading is over, whatever comes of it."""

    def loads() -> Loaded:
        try:
            return load()
        finally:
            end()

    return loads
