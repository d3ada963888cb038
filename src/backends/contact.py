"""How current what is shown can be, in the words that gate, header and health share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from core.errors import OpsError
from core.ports import Contact, Freshness
from opsgate.clock import elapsed_s


class ContactLog:
    """The last time that the database answered, and what is wrong since. Thread-safe."""

    def __init__(self, clock_s: Callable[[], float] = elapsed_s) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._word: Freshness = "initialising"
        self._at_s = clock_s()
        self._detail = ""
        self._round_trip_s: float | None = None
        self.newer = False
        """Whether what answers is of a later version."""

    def answered(self, round_trip_s: float | None = None) -> None:
        """It answered just now, ``round_trip_s`` after it was asked where something lies between."""
        with self._lock:
            if self._word != "off":
                self._word, self._at_s, self._detail = "valid", self._clock_s(), ""
                self._round_trip_s = round_trip_s

    def alive(self, age_s: float = 0.0) -> None:
        """It gave a sign of life, unasked, and what it tells is so old: what lies behind it may be away."""
        with self._lock:
            if self._word != "off":
                self._word, self._at_s, self._detail = "valid", self._clock_s() - age_s, ""

    def failed(self, error: OpsError) -> None:
        """It did not; what was last seen gets older from here."""
        with self._lock:
            if self._word != "off":
                self._word, self._detail = "interrupted", str(error)

    def closed(self) -> None:
        """Nobody asks any more."""
        with self._lock:
            self._word, self._detail = "off", ""

    def now(self) -> Contact:
        """Word, age and what is wrong."""
        with self._lock:
            age_s = max(0.0, self._clock_s() - self._at_s)
            return Contact(self._word, age_s, self._detail, self._round_trip_s, self.newer)
