"""Samples that the engine has kept, to rehearse a trigger with: asked for by whoever shows one, read by the feed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from core.errors import OpsError
from opsconsole.views.picture import REPLAY_S, Replay

if TYPE_CHECKING:
    from core.ports import Backend

FRESH_S: Final = 30.0
"""Seconds after which what was read is read again, while somebody looks at it."""

WANTED_S: Final = 60.0
"""Seconds for which something is read after it was asked for last."""

MOST: Final = 5_000
"""Samples of one metric that are read."""


class Replays:
    """What was asked for and what is known. `want` is for the thread of the screen, `look` for the feed's."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._wanted: tuple[tuple[str, ...], float] = ((), float("-inf"))
        self._read_s = float("-inf")
        self.known = Replay()

    def want(self, metrics: tuple[str, ...]) -> bool:
        """Have these read; whether that is to be done at once. Returns without waiting."""
        self._wanted = metrics, self._monotonic()
        return not self.known.trouble and any(metric not in self.known.samples for metric in metrics)

    def look(self, backend: Backend, *, timeout_s: float) -> bool:
        """Read what is wanted, where it is not known or no longer fresh; whether anything is new. What a server does
        not let one read is said instead."""
        metrics, asked_s = self._wanted
        now_s = self._monotonic()
        fresh = now_s - self._read_s < FRESH_S
        known = self.known.trouble or all(metric in self.known.samples for metric in metrics)
        if not metrics or now_s - asked_s > WANTED_S or (fresh and known):
            return False
        try:
            ask = backend.samples
            found = {metric: tuple(ask(metric, last_s=REPLAY_S, most=MOST, timeout_s=timeout_s)) for metric in metrics}
            self.known = Replay(found)
        except OpsError as error:
            self.known = Replay({}, str(error))
        self._read_s = now_s
        return True
