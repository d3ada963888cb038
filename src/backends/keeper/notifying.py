"""Notifying: every channel is told by a thread of its own (`teller.py`), so what one does concerns no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from backends.keeper.roster import Instant
from backends.keeper.teller import Leadership, Teller, Terms
from backends.notifiers.channels import Channel
from backends.runtime import Runtime
from core.ports import Arrival


class Notifying:
    """All channels of one keeper. Without any it has no thread."""

    def __init__(
        self,
        runtime: Runtime,
        channels: Sequence[Channel],
        terms: Terms,
        leadership: Leadership,
        now: Callable[[], Instant],
    ) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """How many messages of which channel came to what: sent, failed, refused, hung, held."""
        self._runtime = runtime
        self._tellers = [Teller(runtime, each, terms, leadership, now, self.outcomes) for each in channels]
        self._leave: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Go to work."""
        for teller in self._tellers:
            teller.start()
        if self._tellers:
            self._leave = self._runtime.follow(self._arrived)

    def close(self) -> None:
        """End the threads; one that hangs is left behind."""
        self._leave()
        for teller in self._tellers:
            teller.close()

    def _arrived(self, arrival: Arrival) -> None:
        for teller in self._tellers:
            teller.news(arrival.events)
