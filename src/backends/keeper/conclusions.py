"""Concluding stops: verified as soon as all have acknowledged, else what it came to when the time was up; and again
whenever somebody of its list stops later."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

from backends.keeper.office import Office
from backends.keeper.roster import Entry, Instant
from backends.milestones import Milestone, passing
from core.ack_times import ack_times
from core.capabilities.emergencies import ConcludeStop
from core.ports import WorkerRow
from core.state import State, Stop
from opsgate.wire import HEARTBEAT_S

_REMIND_S: Final = 0.5
"""Seconds between two reminders to gates that do not say that they have seen a stop, and before the first: of a
thousand that have just been told most are about to answer, and a reminder sends each of them to the tables instead."""

_COUNTED_S: Final = 0.5
"""Seconds for which a stop is counted before anything else has its turn."""


class Countdown:
    """Notices, from one acknowledgement to the next, that nobody is left on a stop's list. For use by one thread.

    It only tells when to look: each worker is asked for once, in the order of the list, and whoever takes its word back
    is met by the look.
    """

    def __init__(self, latest: Callable[[], State], entries: Callable[[], Mapping[str, Entry]]) -> None:
        self._latest = latest
        self._entries = entries
        self._passed: dict[str, int] = {}
        """Stop → how many of its list, from the first one on, have stopped."""

    def is_over(self, stop_id: str) -> bool:
        """Whether everybody on the list has stopped; False for a stop that is not in the journal yet, or verified."""
        stop = self._latest().stops.get(stop_id)
        if stop is None or stop.result == "verified":
            return False
        entries, passed = self._entries(), self._passed.pop(stop_id, 0)
        while passed < len(stop.of):
            entry = entries.get(stop.of[passed])
            if entry is None or not entry.row.has_stopped(stop_id, stop.recounted_revision):
                self._passed[stop_id] = passed
                return False
            passed += 1
        return True


class Conclusions:
    """The duty of every stop in force that is not verified."""

    def __init__(self, office: Office, remind: Callable[[list[bytes | str]], None]) -> None:
        """``remind`` tells gates at these addresses that the fleet has moved."""
        self.next_deadline_at: datetime | None = None
        """The earliest deadline of a stop whose result is still pending."""
        self._office = office
        self._remind = remind
        self._met_s: dict[str, float] = {}
        """Stop → when it was first looked at here, by the clock that never jumps."""
        self._due_s: dict[tuple[str, datetime], float] = {}
        """Stop and its deadline → when its time is up by that clock: a time of day that goes back puts nothing off."""
        self._took_s: dict[str, dict[str, float | None]] = {}
        """Stop → worker → seconds from the order to its acknowledgement; None where they are not known."""
        self._reminded_s = 0.0
        self.is_counting = False
        """Whether all stops that are pending are so new that their acknowledgements are just coming."""

    def turn(self, now: Instant, state: State) -> None:
        """Look at each stop."""
        stops = [stop for stop in state.active_stops() if stop.result != "verified"]
        self._due_s = {_of(stop): self._due_s.get(_of(stop), self._first_due_s(stop, now)) for stop in stops}
        for stop in stops:
            self._conclude(stop, now)
        pending = [stop.deadline_at for stop in stops if stop.result == "pending" and stop.deadline_at > now.at]
        self.next_deadline_at = min(pending, default=None)
        self._took_s = {stop.stop_id: self._took_s[stop.stop_id] for stop in stops if stop.stop_id in self._took_s}
        self._met_s = {stop.stop_id: self._met_s.get(stop.stop_id, now.elapsed_s) for stop in stops}
        ages_s = [now.elapsed_s - self._met_s[stop.stop_id] for stop in stops if stop.result == "pending"]
        self.is_counting = max(ages_s, default=math.inf) < _COUNTED_S
        late = [stop for stop in stops if now.elapsed_s - self._met_s[stop.stop_id] >= _REMIND_S]
        if late and now.elapsed_s - self._reminded_s >= _REMIND_S:
            self._reminded_s = now.elapsed_s
            self._remind_the_deaf(late, now)

    def _first_due_s(self, stop: Stop, now: Instant) -> float:
        """What is left of its time, and no more than the whole of it, wherever the time of day is by now."""
        left_s = (stop.deadline_at - now.at).total_seconds()
        return now.elapsed_s + min(max(0.0, left_s), self._office.runtime.rules.budgets_s[stop.level])

    def _conclude(self, stop: Stop, now: Instant) -> None:
        rows = {worker: self._office.row(worker, now) for worker in stop.unacked}
        since = stop.recounted_revision
        stopped = {name: row for name, row in rows.items() if row is not None and row.has_stopped(stop.stop_id, since)}
        missing = rows.keys() - stopped.keys()
        took_s = self._took_s[stop.stop_id] = self._timed(stop, stopped, missing, now)
        news = len(missing) < len(stop.unacked)
        running = any(not step.has_stopped for step in stop.services)
        is_up = now.elapsed_s >= self._due_s[_of(stop)]
        is_due = is_up or now.at >= stop.deadline_at
        if not (missing or running) or (is_due and (news or stop.result == "pending")):
            acked = tuple(worker for worker in stop.of if worker not in missing)
            times = ack_times(_known(took_s))
            seen = ConcludeStop(stop_id=stop.stop_id, acked=acked, times=times, since=since, time_is_up=is_up)
            passing(Milestone.STOP_CONCLUDING)
            self._office.submit(seen)

    def _timed(
        self, stop: Stop, stopped: Mapping[str, WorkerRow], missing: AbstractSet[str], now: Instant
    ) -> dict[str, float | None]:
        """How long each took who has stopped. Nobody notes when an acknowledgement comes, but until the next heartbeat
        it is the last that was heard of that worker; who is met later than that, by a keeper that begins, is not timed.
        """
        met = self._took_s.get(stop.stop_id)
        unseen = met is None and (now.at - stop.ordered_at).total_seconds() > HEARTBEAT_S
        took_s = {worker: known for worker, known in (met or {}).items() if worker not in missing}
        for worker, row in stopped.items():
            if worker not in took_s:
                heard_s = round((row.heartbeat_at - stop.ordered_at).total_seconds(), 3)
                took_s[worker] = None if unseen else max(0.0, heard_s)
        return took_s

    def _remind_the_deaf(self, stops: list[Stop], now: Instant) -> None:
        entries = self._office.roster.entries
        deaf = {
            entries[worker].address
            for stop in stops
            for worker in stop.unacked
            if worker in entries
            and entries[worker].is_live(now.elapsed_s)
            and stop.stop_id not in entries[worker].row.stops
        }
        self._remind([address for address in deaf if address])


def _of(stop: Stop) -> tuple[str, datetime]:
    return stop.stop_id, stop.deadline_at


def _known(took_s: Mapping[str, float | None]) -> dict[str, float]:
    return {worker: seconds for worker, seconds in took_s.items() if seconds is not None}
