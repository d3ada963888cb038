"""What a worker tells the keeper, and when: that it is alive, which stops it has seen, what still runs under them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from opsgate.snapshot import Notice
from opsgate.wire import HEARTBEAT_S
from opsgate.work import InFlight


@dataclass(frozen=True, slots=True)
class _Told:
    stops: frozenset[str]
    draining: Mapping[str, int]
    revision: int


class Beats:
    """The heartbeat of one worker, which is its acknowledgement too. For use by one thread.

    A worker has stopped for a stop when it lists it in ``stops`` and ``draining`` has none of it. What a recovery lets
    through step by step is not waited for, until nothing is let through any more: then all that runs counts anew.
    """

    def __init__(self, in_flight: InFlight, soon_s: float = 1.0) -> None:
        """``soon_s``: seconds within which a change that nobody waits for is told; spread, so that a fleet does not
        speak at once."""
        self._in_flight = in_flight
        self._soon_s = soon_s
        self._since: dict[str, int] = {}
        self._admitting: frozenset[str] = frozenset()
        self._told: _Told | None = None
        self._due_s = 0.0
        self._has_news = False
        """Whether it was drawn when to tell what has changed since the last beat."""
        self._not_before_s = 0.0
        self._notices: Mapping[str, Notice] = {}

    def see(self, stops: Mapping[str, Notice], admitting: frozenset[str] = frozenset()) -> None:
        """These stops are in force now, and these of them let some work through. To be called after the table that
        enforces them was published."""
        closed, self._admitting = self._admitting - admitting, admitting
        self._notices = stops
        known = self._since.keys() - closed
        now = self._in_flight.now() if stops.keys() - known else 0
        self._since = {stop_id: self._since[stop_id] if stop_id in known else now for stop_id in stops}

    def knows(self, stop_id: str) -> bool:
        """Whether this stop has been seen."""
        return stop_id in self._since

    def note(self, stop_id: str) -> bool:
        """A stop has just come into force; whether any work runs, that it may have to wait for."""
        self._since[stop_id] = self._in_flight.now()
        return len(self._in_flight) > 0

    def running(self, notice: Notice) -> int:
        """How much of the work runs that a noted stop has to wait for."""
        return self._in_flight.covered(notice, self._since[notice.stop_id])

    def acknowledged(self, stop_id: str, running: int) -> None:
        """The keeper was told of a stop, and of what it has to wait for, between two beats."""
        if self._told is not None:
            draining = {**self._told.draining, stop_id: running} if running else self._told.draining
            self._told = replace(self._told, stops=self._told.stops | {stop_id}, draining=draining)

    @property
    def are_taken(self) -> bool:
        """Whether the last one found a keeper."""
        return self._told is not None and self._not_before_s == 0.0

    def due_s(self, revision: int, now_s: float) -> float:
        """Seconds until the next beat: none when a stop was seen or released, or has nothing left to wait for."""
        current, told = self._current(revision), self._told
        if now_s < self._not_before_s:
            return self._not_before_s - now_s
        if told is None or current.stops != told.stops or told.draining.keys() - current.draining.keys():
            return 0.0
        if current != told and not self._has_news:  # drawn once: the least of many draws is no spread
            self._has_news = True
            self._due_s = min(self._due_s, now_s + random.uniform(0, self._soon_s))  # noqa: S311 (spread, no secret)
        return max(0.0, self._due_s - now_s)

    def beat(self, revision: int) -> dict[str, Any]:
        """The changing fields of one beat."""
        current = self._current(revision)
        return {
            "revision": revision,
            "stops": sorted(current.stops),
            "in_flight": len(self._in_flight),
            "draining": dict(current.draining),
        }

    def sent(self, beat: Mapping[str, Any], now_s: float) -> None:
        """The beat has left; the next regular one is due in 5 s, less a random fifth."""
        self._told = _Told(frozenset(beat["stops"]), beat["draining"], beat["revision"])
        self._not_before_s, self._has_news = 0.0, False
        self._due_s = now_s + HEARTBEAT_S * random.uniform(0.8, 1.0)  # noqa: S311 (spread, no secret)

    def put_off(self, until_s: float) -> None:
        """No beat before this moment (host clock): nobody took the last one, or there is nothing to say yet."""
        self._not_before_s = until_s

    def _current(self, revision: int) -> _Told:
        counts = {stop_id: self._in_flight.covered(n, self._since[stop_id]) for stop_id, n in self._notices.items()}
        return _Told(frozenset(counts), {stop_id: n for stop_id, n in counts.items() if n}, revision)
