"""Concluding stops: verified as soon as all have acknowledged, else what it came to when the time was up; and again
whenever somebody of its list stops later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from backends.keeper.office import Office
from backends.keeper.roster import Instant
from core.capabilities.emergencies import ConcludeStop
from core.state import State, Stop

_REMIND_S: Final = 0.5
"""Seconds between two reminders to gates that do not say that they have seen a stop."""


class Conclusions:
    """The duty of every stop in force that is not verified."""

    def __init__(self, office: Office, remind: Callable[[list[bytes | str]], None]) -> None:
        """``remind`` tells gates at these addresses that the fleet has moved."""
        self.next_deadline_at: datetime | None = None
        """The earliest deadline of a stop whose result is still pending."""
        self._office = office
        self._remind = remind
        self._reminded_s = 0.0

    def turn(self, now: Instant, state: State) -> None:
        """Look at each stop."""
        stops = [stop for stop in state.active_stops() if stop.result != "verified"]
        for stop in stops:
            self._conclude(stop, now)
        pending = [stop.deadline_at for stop in stops if stop.result == "pending" and stop.deadline_at > now.at]
        self.next_deadline_at = min(pending, default=None)
        if stops and now.elapsed_s - self._reminded_s >= _REMIND_S:
            self._reminded_s = now.elapsed_s
            self._remind_the_deaf(stops, now)

    def _conclude(self, stop: Stop, now: Instant) -> None:
        missing = [worker for worker in stop.missing if not self._has_stopped(worker, stop.stop_id, now)]
        news = len(missing) < len(stop.missing)
        if not missing or (now.at >= stop.deadline_at and (news or stop.result == "pending")):
            acked = tuple(worker for worker in stop.of if worker not in missing)
            self._office.submit(ConcludeStop(stop_id=stop.stop_id, acked=acked))

    def _has_stopped(self, worker: str, stop_id: str, now: Instant) -> bool:
        row = self._office.row(worker, now)
        return row is not None and row.has_stopped(stop_id)

    def _remind_the_deaf(self, stops: list[Stop], now: Instant) -> None:
        entries = self._office.roster.entries
        deaf = {
            entries[worker].address
            for stop in stops
            for worker in stop.missing
            if worker in entries
            and entries[worker].is_live(now.elapsed_s)
            and stop.stop_id not in entries[worker].row.stops
        }
        self._remind([address for address in deaf if address])
