"""The loops: one thread that takes a turn when something happened and at least four times a second.

A turn does what is due and remembers nothing that the next keeper would have to know. Whoever does not lead only writes
down what its own workers say.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, Literal

from backends.keeper.attendance import NEWS_S, Attendance, Register
from backends.keeper.conclusions import Conclusions
from backends.keeper.expiry import Expiry
from backends.keeper.log import NAME
from backends.keeper.office import Duty, Office
from backends.keeper.presence import Presence
from backends.keeper.roster import Instant
from backends.keeper.upkeep import Upkeep
from core.errors import OpsError

_log = logging.getLogger(NAME)

TURN_S: Final = 0.25
"""Seconds between two turns when nothing happens."""

_PAUSE: Final = 2.0
"""How many times as long as a turn took the thread rests after it, so that the news of a large fleet, which come one by
one, leave the processor to those who send them."""

_PAUSE_MAX_S: Final = 1.0
"""The longest such rest: a turn that waited for a database which is away is no reason to let more time go by."""


def pause_after(took_s: float) -> float:
    """Seconds to rest after a turn that took so long."""
    return min(_PAUSE_MAX_S, _PAUSE * took_s)


class Loops(threading.Thread):
    """Takes turns until `close`."""

    def __init__(
        self,
        office: Office,
        now: Callable[[], Instant],
        *,
        remind: Callable[[list[bytes | str]], None],
        keep_days: int = 30,
        services: Duty | None = None,
    ) -> None:
        """``remind`` tells gates at these addresses that the fleet has moved; ``services`` hands in what was observed
        of services, wherever that was."""
        super().__init__(name="loops", daemon=True)
        self.database: Literal["here", "away"] = "here"
        self._office = office
        self._now = now
        self._register = Register(office)
        self._conclusions = Conclusions(office, remind)
        began = now()
        self._presence = Presence(office)
        first = (services,) if services else ()
        self._as_anybody: tuple[Duty, ...] = (*first, self._register, self._presence)
        self._as_leader: tuple[Duty, ...] = (
            *first,
            self._conclusions,
            self._register,
            self._presence,
            Attendance(office, began),
            Expiry(office),
            Upkeep(office, began, keep_days),
        )
        self._wake = threading.Event()
        self._at_once = threading.Event()
        self._ending = threading.Event()

    def news(self) -> None:
        """Somebody joined, left or acknowledged: have a turn. From any thread."""
        self._register.news = True
        self._wake.set()

    def noted(self) -> None:
        """Somebody acknowledged and others are still to come: that has time until the next turn. From any thread."""
        self._register.news = True

    def conclude(self) -> None:
        """The last one acknowledged, or was seen to have stopped: have a turn without any rest. From any thread."""
        self._register.news = True
        self._at_once.set()
        self._wake.set()

    def look(self) -> None:
        """The fleet has moved: have a turn. From any thread."""
        self._wake.set()

    def close(self) -> None:
        """End the thread, and write down what was said last, if the database takes it."""
        self._ending.set()
        self._at_once.set()
        self._wake.set()
        if self.is_alive():
            self.join(timeout=10)

    def run(self) -> None:
        """The life of the thread."""
        while not self._ending.is_set():
            self._at_once.clear()
            began = self._now()
            self.turn(began)
            self._at_once.wait(pause_after(self._now().elapsed_s - began.elapsed_s))
            self._wake.wait(self._rest_s(began))
            self._wake.clear()
        self._safely(lambda at, _state: self._register.write(at), self._now())
        self._safely(lambda *_: self._presence.leave(), self._now())
        self._safely(lambda *_: self._office.leader.resign(), self._now())

    def turn(self, now: Instant) -> None:
        """Do everything that is due."""
        duties = self._as_anybody
        if self._safely(lambda at, _state: self._office.leader.renew(at.elapsed_s), now):
            duties = self._as_leader if self._office.leader.leads(now.elapsed_s) else duties
        done = []
        for duty in duties:
            done.append(self._safely(duty.turn, now))
            if done[-1] and duty is self._conclusions and self._conclusions.is_counting:
                return  # a thousand rows to write would delay what the last acknowledgement says
        if all(done) and self.database == "away":
            _log.warning("the database is here again")
            self.database = "here"

    def _safely(self, act: Callable[..., None], now: Instant) -> bool:
        """Whether it could be done. What could not is due again next time."""
        try:
            act(now, self._office.runtime.latest())
        except OpsError as error:
            if error.code == "fenced":
                self._office.leader.lease = None
            elif self.database == "here":
                _log.error("the database is away: nothing is recorded", extra={"fault": str(error)})
                self.database = "away"
            return False
        except Exception:  # noqa: BLE001 (one duty's fault must not end the others)
            _log.exception("a loop failed")
            return False
        return True

    def _rest_s(self, began: Instant) -> float:
        """Until the next turn after one that ``began`` then: earlier where a stop's time is up, a moment later where
        rows may be gathered. A time that was up when the turn began makes none the earlier: what could not be concluded
        then, for want of the database or of the lease, may not be for hours."""
        if self._register.news:
            return NEWS_S
        deadline_at = self._conclusions.next_deadline_at
        if deadline_at is None or deadline_at <= began.at:
            return TURN_S
        return max(0.001, min(TURN_S, (deadline_at - self._now().at).total_seconds()))
