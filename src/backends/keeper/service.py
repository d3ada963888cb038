"""The keeper: its parts put together, and how long it lives."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from backends import open_runtime
from backends.keeper import peers
from backends.keeper.conclusions import Countdown
from backends.keeper.counter import Counter
from backends.keeper.house import House
from backends.keeper.latches import Latches
from backends.keeper.leader import Leader
from backends.keeper.log import NAME
from backends.keeper.loops import Loops
from backends.keeper.office import Office
from backends.keeper.outbox import GATES, Outbox
from backends.keeper.post import Post
from backends.keeper.publisher import Publisher
from backends.keeper.recorder import Recorder
from backends.keeper.roster import Instant, Roster
from backends.keeper.stop_desk import StopDesk
from backends.spool import Recorded
from core.ports import Arrival
from opsgate.clock import elapsed_s
from opsgate.paths import fleet_of_url, sqlite_path

_log = logging.getLogger(NAME)

_LOOK_S: Final = 0.5
"""Seconds between two looks whether anybody still needs this keeper."""


def now() -> Instant:
    """This moment, by both clocks."""
    return Instant(datetime.now(UTC), elapsed_s())


class Keeper:
    """One keeper at work, from the moment it is made until `close`."""

    def __init__(self, url: str, *, linger_s: float = 60.0) -> None:
        """``linger_s`` is for how long it stays when nobody needs it.

        Raises `BackendUnavailable` or `NotOurDatabase`, `HouseError`, or BlockingIOError where another keeper of this
        fleet lives on this host.
        """
        self._linger_s = linger_s
        self._database = _File(url)
        self._runtime = open_runtime(url, create=False, checkpoints=True)
        self.fleet = self._runtime.latest().fleet
        self._house = House(self.fleet, url)
        self._stop_runtime = open_runtime(url, create=False, expect_fleet=self.fleet)
        self._runtime.keeper_since = self._stop_runtime.keeper_since = now().at
        self._roster = Roster(peers.is_running, peers.started)
        self._roster.seed(self._runtime.store.workers(), now())
        names = (self.fleet, fleet_of_url(url))
        self._desk = StopDesk(self._house.stops, names, lambda: self._roster.entries, self._runtime.latest, elapsed_s)
        self._recorder = Recorder(self._stop_runtime, self._roster, names, now, self._settled)
        self._desk.record = self._recorder.put
        self._latches = Latches(names, self._runtime.latest, self._desk.adopt)
        self._outboxes = (Outbox(GATES), Outbox())
        for_gates, for_answers = self._outboxes
        self._publisher = Publisher(
            for_gates, lambda: self._roster.entries, self._runtime.latest(), elapsed_s, obeyed=self._desk.obeyed
        )
        self._counter = Counter(for_answers, self._runtime)
        self._leader = Leader(self._runtime)
        self._loops = Loops(Office(self._runtime, self._roster, self._leader), now, remind=self._publisher.remind)
        self._post = Post(self._house.post, for_answers, self._roster, self, now)
        self._countdown = Countdown(self._runtime.latest, lambda: self._roster.entries)
        self._needed_s = elapsed_s()

    def start(self) -> None:
        """Go to work: stops first."""
        self._desk.start()
        self._recorder.start()
        self._latches.start()
        self._runtime.follow(self._arrived)
        self._publisher.start()
        self._counter.start()
        self._post.start()
        self._loops.start()
        _log.info("the keeper is at work", extra={"fleet": self.fleet, "pid": os.getpid(), "url": self._runtime.url})

    def serve(self, ended: threading.Event) -> str:
        """Stay until ``ended`` is set, or nobody has needed it for a while, or its database is gone; returns why."""
        while not ended.wait(_LOOK_S):
            if self._database.was_replaced() and not self._desk.only_in_memory:
                return "another database lies where its own was"
            if self._database.missing_for_s(elapsed_s()) > self._linger_s and not self._desk.only_in_memory:
                return "its database is gone"
            if not self._idle_for_s() < self._linger_s:
                return "nobody needs it"
        return "it was told to"

    def close(self, why: str) -> None:
        """Put everything down, in an order in which nothing is lost."""
        _log.info("the keeper leaves", extra={"why": why})
        self._post.close()
        self._counter.close()
        self._latches.close()
        self._recorder.close()
        self._desk.close()
        self._loops.close()
        self._publisher.close()
        self._house.close()
        for outbox in self._outboxes:
            outbox.close()
        self._stop_runtime.close()
        self._runtime.close()

    # ------------------------------------------------------------------------------- what the post hands over
    def acknowledged(self, worker_id: str) -> None:
        """A worker said something new about stops in its beat, or left."""
        self._loops.news()

    def obeying(self, stop_id: str) -> None:
        """One more worker obeys a stop. Of a thousand the last one matters."""
        if self._countdown.is_over(stop_id):
            self._loops.conclude()
        else:
            self._loops.noted()

    def joined(self, worker_id: str, address: bytes | str, revision: int) -> None:
        """A worker speaks from this address for the first time."""
        self._desk.joined(address)
        self._publisher.joined(address, revision)
        self._loops.news()

    def obeys(self, address: bytes | str, revision: int, stop_ids: Sequence[str]) -> None:
        """A worker has these stops in force."""
        self._desk.obeys(address, revision, stop_ids)

    def watched(self, address: bytes | str) -> None:
        """Somebody wants to be told of changes."""
        self._publisher.watched(address)

    def hinted(self) -> None:
        """Somebody committed something: look now."""
        self._runtime.store.wake()

    def count(self, message: Mapping[str, Any], address: bytes | str) -> None:
        """A reservation or a refund is asked for."""
        self._counter.ask(message, address)

    def presence(self) -> dict[str, Any]:
        """Who is here, and how the database is: the fields of ``pong``. Whoever asks needs this keeper."""
        self._needed_s = elapsed_s()
        gone = self._database.was_replaced() or self._database.missing_for_s(elapsed_s()) > 0
        return {
            "pid": os.getpid(),
            "fleet": self.fleet,
            "revision": self._runtime.latest().revision,
            "leader": self._leader.leads(elapsed_s()),
            "database": "gone" if gone else "away" if self._recorder.fault else self._loops.database,
        }

    # ------------------------------------------------------------------------------- what the parts tell each other
    def _arrived(self, arrival: Arrival) -> None:
        self._publisher.arrived(arrival)
        self._loops.look()

    def _settled(self, recorded: Recorded) -> None:
        self._desk.settled(recorded)
        self._runtime.store.wake()

    def _idle_for_s(self) -> float:
        now_s = elapsed_s()
        counting = any(stop.result == "pending" for stop in self._runtime.latest().active_stops())
        if counting or self._desk.unrecorded or self._roster.live(now_s) or self._publisher.watchers():
            self._needed_s = now_s
        return now_s - self._needed_s


class _File:
    """Whether the file that holds an SQLite database is still the one that was there at the start."""

    def __init__(self, url: str) -> None:
        self._path: Path | None = sqlite_path(url) if url.startswith("sqlite:") else None
        self._first = self._node()
        self._missing_since_s: float | None = None

    def was_replaced(self) -> bool:
        """Whether another file lies there."""
        return self._path is not None and self._node() not in (None, self._first)

    def missing_for_s(self, now_s: float) -> float:
        """For how many seconds there has been no file; 0 where there is one."""
        if self._path is None or self._node() is not None:
            self._missing_since_s = None
            return 0.0
        if self._missing_since_s is None:
            self._missing_since_s = now_s
        return max(0.001, now_s - self._missing_since_s)

    def _node(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return (found.st_dev, found.st_ino) if found is not None else None
