"""Fresh salts for events, drawn from the host many at a time.

Asking the host gives other threads the interpreter, and it takes a while to get it back while they are busy: so one
question serves for many events.
"""

from __future__ import annotations

import os
import threading
from typing import Final

from core.audit import SALT_BYTES

_AT_ONCE: Final = 64


class Salts:
    """Hands out each salt once. Thread-safe; a forked child draws its own."""

    def __init__(self) -> None:
        self._drawn: list[str] = []
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._begin_anew)

    def __next__(self) -> str:
        """One salt, in hex."""
        with self._lock:
            if not self._drawn:
                block = os.urandom(SALT_BYTES * _AT_ONCE).hex()
                self._drawn = [block[at : at + 2 * SALT_BYTES] for at in range(0, len(block), 2 * SALT_BYTES)]
            return self._drawn.pop()

    def _begin_anew(self) -> None:
        self._drawn = []
        self._lock = threading.Lock()
