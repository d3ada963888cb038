"""Waiting for something to become true, until a deadline: no test sleeps and hopes."""

import asyncio
import threading
import time
from collections.abc import Callable

PATIENCE_S = 60.0
"""Far more than it takes: the machine may be busy, and only what never happens costs it."""


def eventually(fact: Callable[[], object], *, within_s: float = PATIENCE_S) -> float:
    """Wait until ``fact()`` is true; returns how long that took, in seconds."""
    began_s = time.monotonic()
    pause = threading.Event()
    while not fact():
        waited_s = time.monotonic() - began_s
        assert waited_s < within_s, f"never became true within {within_s} s"
        pause.wait(0.002)
    return time.monotonic() - began_s


async def comes_true(fact: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
    """As `eventually`, where what is waited for happens in the same event loop."""
    began_s = time.monotonic()
    while not fact():
        assert time.monotonic() - began_s < within_s, f"never became true within {within_s} s"
        await asyncio.sleep(0.002)
