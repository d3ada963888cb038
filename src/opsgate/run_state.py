"""The one word for a fleet: one rule for `status`, for row 1 of the console, for the journal and for measurements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from opsgate.hold import Hold

RunState = Literal["running", "stopped", "partly", "unknown"]
"""running: nothing is held; stopped: everything is, and nobody who should have acknowledged is missing; partly: some
is held, or somebody is missing; unknown: the state could not be read."""


def run_state_of(everywhere: Iterable[Hold], *, held: bool, missing: bool) -> RunState:
    """The word for a fleet that could be read.

    ``everywhere`` are the holds on everything; ``held`` is whether anything is held at all, by a limit of zero too;
    ``missing`` is whether somebody on a list of a stop in force is not known to have stopped.
    """
    if any(hold.admit <= 0.0 for hold in everywhere):
        return "partly" if missing else "stopped"
    return "partly" if held else "running"
