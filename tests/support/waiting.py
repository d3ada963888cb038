"""Waiting for something to become true, until a deadline: no test sleeps and hopes."""

import threading
import time
from collections.abc import Callable

PATIENCE_S = 10.0


def eventually(fact: Callable[[], object], *, within_s: float = PATIENCE_S) -> float:
    """Wait until ``fact()`` is true; returns how long that took, in seconds."""
    began_s = time.monotonic()
    pause = threading.Event()
    while not fact():
        waited_s = time.monotonic() - began_s
        assert waited_s < within_s, f"never became true within {within_s} s"
        pause.wait(0.002)
    return time.monotonic() - began_s
