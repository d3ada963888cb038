"""Upkeep: the journal keeps a month, and workers that ended are forgotten in time."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from backends.keeper.log import NAME
from backends.keeper.office import TRY_S, Office
from backends.keeper.roster import Instant
from core.state import State

_log = logging.getLogger(NAME)

_FIRST_S: Final = 300.0
"""Seconds after the start; a keeper has better things to do first."""

_EVERY_S: Final = 86_400.0
_ROWS_EVERY_S: Final = 600.0
_GONE_FOR: Final = timedelta(hours=1)


class Upkeep:
    """The leader's duty of what nobody waits for."""

    def __init__(self, office: Office, began: Instant, keep_days: int) -> None:
        """``keep_days`` is for how long the journal keeps events."""
        self._office = office
        self._began = began
        self._keep = timedelta(days=keep_days)
        self._journal_due_s = began.elapsed_s + _FIRST_S
        self._rows_due_s = began.elapsed_s + _FIRST_S

    def turn(self, now: Instant, state: State) -> None:
        """Do what is due, if anything is."""
        if now.elapsed_s >= self._journal_due_s:
            self._journal_due_s = now.elapsed_s + _EVERY_S
            self._shorten(now)
        if now.elapsed_s >= self._rows_due_s:
            self._rows_due_s = now.elapsed_s + _ROWS_EVERY_S
            self._forget(now, state)

    def _shorten(self, now: Instant) -> None:
        """By the clock that never jumps: a time of day that is years ahead must not cost the journal."""
        steady = self._began.at + timedelta(seconds=now.elapsed_s - self._began.elapsed_s)
        dropped = self._office.runtime.retain(min(steady, now.at) - self._keep)
        if dropped:
            _log.info("the journal was shortened", extra={"events": dropped})

    def _forget(self, now: Instant, state: State) -> None:
        """Drop workers that left, or were forgotten, an hour ago, unless a stop still has them on its list."""
        awaited = {worker for stop in state.active_stops() for worker in stop.of}
        gone = [
            entry.row.worker_id
            for entry in self._office.roster.entries.values()
            if not entry.is_live(now.elapsed_s)
            and entry.row.worker_id not in state.workers
            and entry.row.worker_id not in awaited
            and now.at - entry.row.heartbeat_at > _GONE_FOR
        ]
        if gone:
            self._office.runtime.drop_workers(gone, timeout_s=TRY_S)
            self._office.roster.forget(gone)
