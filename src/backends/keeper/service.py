"""The keeper: an engine room in a process of its own, and how long it lives."""

from __future__ import annotations

from typing import Final

from backends.emergency_settings import EmergencySettings
from backends.keeper.ending import Ending
from backends.keeper.room import EngineRoom
from backends.notifiers.settings import NotifySettings
from opsgate.clock import elapsed_s

_LOOK_S: Final = 0.5
"""Seconds between two looks whether anybody still needs this keeper."""


class Keeper:
    """One keeper at work, from the moment it is made until `close`."""

    def __init__(
        self,
        url: str,
        *,
        linger_s: float = 60.0,
        settings: EmergencySettings | None = None,
        notify: NotifySettings | None = None,
    ) -> None:
        """``linger_s`` is for how long it stays when nobody needs it. Raises as `EngineRoom` does."""
        self._linger_s = linger_s
        self._room = EngineRoom(url, settings=settings, notify=notify)
        self.fleet = self._room.fleet

    def start(self) -> None:
        """Go to work."""
        self._room.start()

    def serve(self, ending: Ending) -> str:
        """Stay until it is told to end, or nobody has needed it for a while, or its database is gone; returns why."""
        room = self._room
        while not ending.wait(_LOOK_S):
            if room.database.was_replaced() and not room.desk.only_in_memory:
                return "another database lies where its own was"
            if room.database.missing_for_s(elapsed_s()) > self._linger_s and not room.desk.only_in_memory:
                return "its database is gone"
            if not room.idle_for_s() < self._linger_s:
                return "nobody needs it"
        return "it was told to"

    def close(self, why: str) -> None:
        """Put everything down."""
        self._room.close(why)
