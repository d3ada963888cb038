"""Presence: every keeper and server notes in the database that it is alive and which schema it knows."""

from __future__ import annotations

from typing import Final

from backends.keeper.office import TRY_S, Office
from backends.keeper.roster import Instant
from core.state import State

_EVERY_S: Final = 30.0
"""Seconds between two notes; who is silent for four of them is taken to have ended."""


class Presence:
    """The duty of everybody, so that no newer version takes from the database what this one needs."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._due_s = 0.0

    def turn(self, now: Instant, _state: State) -> None:
        """Sign in when that is due."""
        if now.elapsed_s >= self._due_s:
            self._office.runtime.sign_in(self._office.leader.holder, timeout_s=TRY_S)
            self._due_s = now.elapsed_s + _EVERY_S

    def leave(self) -> None:
        """Sign out, so that nobody waits for this one."""
        self._office.runtime.sign_out(self._office.leader.holder, timeout_s=TRY_S)
