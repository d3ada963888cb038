"""A box of time around a state machine: so many examples, or as many as fit into twenty seconds."""

from __future__ import annotations

import sys
import time

from hypothesis import reject
from hypothesis.errors import HypothesisException

from tests.conftest import FULL
from tests.simulation.harness import QUICK_S


class Timebox:
    """One for each machine. At full length it is never up, and never while a failure is being made smaller: that needs
    the same example to come to the same end."""

    def __init__(self) -> None:
        self._until_s: float | None = None

    def enter(self) -> None:
        """To be called where an example begins; ends it where the time is up."""
        if self._until_s is None:
            self._until_s = float("inf") if FULL else time.monotonic() + QUICK_S
        if time.monotonic() > self._until_s:
            reject()

    def leave(self) -> None:
        """To be called where an example ends, however it did."""
        failure = sys.exc_info()[1]
        if isinstance(failure, Exception) and not isinstance(failure, HypothesisException):
            self._until_s = float("inf")
