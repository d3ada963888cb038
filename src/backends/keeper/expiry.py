"""Expiry: a hold ends when its time has come by two clocks, the time of day and the one that never jumps.

So a time of day that jumps ahead ends nothing early. It may end something late: that is the safe side.
What falls due while nobody watches, because the keeper is frozen or does not lead yet, is shown and not done.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from backends.keeper.log import NAME
from backends.keeper.office import STALL_S, Office
from backends.keeper.roster import Instant
from core.capabilities.holds import ExpireHolds
from core.state import State

_log = logging.getLogger(NAME)

_SLACK_S: Final = 0.5
"""By how much the two clocks may differ over an interval and still agree."""


class Expiry:
    """The leader's duty of holds that end by themselves."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._looked_at: State | None = None
        self._due: dict[str, tuple[datetime, float]] = {}
        """Hold → when it expires, and when that is by the host's clock."""
        self._warned = False
        self._turned_s: float | None = None
        """When the last turn was, by the host's clock; None before this keeper has led."""

    def turn(self, now: Instant, state: State) -> None:
        """Expire what is due; all of it, or none where one of them is due by the time of day alone."""
        self._watch(now)
        self._look(now, state)
        due = [due_s for expires_at, due_s in self._due.values() if expires_at <= now.at]
        if not due:
            return
        if max(due) > now.elapsed_s + _SLACK_S:
            if not self._warned:
                ahead_s = round(max(due) - now.elapsed_s)
                _log.error("the clock jumped ahead: holds that are due by it wait", extra={"seconds": ahead_s})
            self._warned = True
            return
        self._warned = False
        self._office.submit(ExpireHolds(watched_until=now.at))

    def _watch(self, now: Instant) -> None:
        """After a gap in the turns, also the one before the first, watching begins anew."""
        if self._turned_s is None or now.elapsed_s - self._turned_s > STALL_S:
            self._office.runtime.keeper_since = now.at
        self._turned_s = now.elapsed_s

    def _look(self, now: Instant, state: State) -> None:
        """Note when each hold is due by the host's clock, from the moment it was first seen."""
        if self._looked_at is not None and state.holds is self._looked_at.holds:
            return
        self._looked_at = state
        seen = self._due
        self._due = {}
        for hold_id, hold in state.holds.items():
            if hold.expires_at is None or hold.overdue:
                continue
            known = seen.get(hold_id)
            if known is None or known[0] != hold.expires_at:
                known = (hold.expires_at, now.elapsed_s + (hold.expires_at - now.at).total_seconds())
            self._due[hold_id] = known
