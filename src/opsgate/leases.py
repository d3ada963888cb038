"""Blocks of a limit, so that a fast worker need not ask for each unit, and slower ones take from a block never.

A block is a reservation like any other: all of it counts as used from the moment in which it is given, and until a
window after its end. What is left of it at its end is given back. So whatever happens between, the sum of what workers
were granted within any window is never more than the limit.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from opsgate.clock import elapsed_s
from opsgate.permits import ANSWER_WITHIN_S, Reservation, nobody, used_up

LEASE_S: Final = 2.0
"""Seconds for which a block is good."""

UNITS_MAX: Final = 100
_SHARE: Final = 10
"""A block is at most this part of what is left of the limit, so that the last units are not kept by who is fast."""

_FAST: Final = 4
"""Questions within a second that make a worker fast."""

SETTLED_AFTER_S: Final = 6.0
"""Seconds after which no server gives any more what nobody has heard of: no question waits there for so long."""

_WINDOW_MIN_S: Final = 60.0
"""Of a shorter window the time of a block would be too large a part."""


class Taken(NamedTuple):
    """What whoever counts said. ``used`` and ``most`` are None where nobody counted."""

    granted: bool
    reservation_id: str = ""
    used: int | None = None
    most: int | None = None
    retry_after_s: float | None = None
    reason: str = ""
    window_s: float = 0.0
    unanswered: str = ""
    """The id of what may have been given, where nobody said."""


Ask = Callable[[str, int, float], Taken]
"""Take so many units of a limit, for a block that is good for so many seconds (0: for a single piece of work)."""

GiveBack = Callable[[str, int], bool | None]
"""Give a reservation back but for so many units; None where nobody answers. Asked again with fewer, it gives back more;
never less."""


@dataclass(slots=True)
class _Block:
    reservation_id: str
    left: int
    used: int
    until_s: float
    revision: int
    is_open: bool = True


@dataclass(slots=True)
class _Account:
    """What one worker knows of one limit."""

    rest: int = 0
    window_s: float = 0.0
    block: _Block | None = None
    asked: collections.deque[tuple[float, int]] = field(default_factory=lambda: collections.deque(maxlen=UNITS_MAX))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def worth(self, cost: int, now_s: float) -> int:
        """How much to take at once: what was used within the last second, where that was often."""
        recent = [units for at_s, units in self.asked if now_s - at_s <= 1.0]
        if len(recent) < _FAST or self.window_s < _WINDOW_MIN_S:
            return cost
        return max(cost, min(UNITS_MAX, sum(recent), self.rest // _SHARE))


class Leases:
    """The blocks of one worker. From any thread; never raises where ``ask`` and ``give_back`` do not."""

    def __init__(self, ask: Ask, give_back: GiveBack, revision: Callable[[], int], opened: Callable[[], None]) -> None:
        """``revision`` is that of the fleet: a block ends with any change, which may have lowered its limit.
        ``opened`` is called when there is something for `sweep`, which another thread does."""
        self._ask = ask
        self._give_back = give_back
        self._revision = revision
        self._opened = opened
        self._accounts: dict[str, _Account] = {}
        self._left_over: collections.deque[tuple[str, int]] = collections.deque()
        self._unanswered: collections.deque[tuple[float, str]] = collections.deque()

    def reserve(self, limit: str, cost: int) -> Reservation:
        """Take ``cost`` units."""
        account = self._accounts.setdefault(limit, _Account())
        if not account.lock.acquire(timeout=ANSWER_WITHIN_S):
            return nobody(limit, cost, "no server answers in time, so nobody counts this limit")
        try:
            now_s = elapsed_s()
            account.asked.append((now_s, cost))
            block = account.block
            if block is not None and self._is_good(block, now_s) and block.left >= cost:
                return self._from(account, block, limit, cost)
            if block is not None:
                self._end(account)
                self._opened()
            units = account.worth(cost, now_s)
            if units > cost and self._take_block(account, limit, units) and account.block is not None:
                return self._from(account, account.block, limit, cost)
            return self._single(account, limit, cost)
        finally:
            account.lock.release()

    def sweep(self, *, all_of_them: bool = False) -> float | None:
        """Give back what is left of blocks whose time is over, and what may have been given where nobody answered;
        seconds until there is more, None where nothing is open. For one thread."""
        due_s = self._take_over_unanswered(all_of_them=all_of_them)
        for account in tuple(self._accounts.values()):
            if not account.lock.acquire(blocking=False):
                due_s.append(LEASE_S)  # somebody waits for an answer, and it may be a slow one
                continue
            try:
                block, now_s = account.block, elapsed_s()
                if block is None:
                    continue
                if all_of_them or not self._is_good(block, now_s):
                    self._end(account)
                else:
                    due_s.append(block.until_s - now_s)
            finally:
                account.lock.release()
        while self._left_over:
            if self._give_back(*self._left_over[0]) is None:
                due_s.append(LEASE_S)
                break
            self._left_over.popleft()
        return min(due_s, default=None)

    def _take_over_unanswered(self, *, all_of_them: bool) -> list[float]:
        """Have given back what no server can give any more; the seconds until the next of it, if there is one."""
        while self._unanswered:
            settled_s, reservation_id = self._unanswered[0]
            if (left_s := settled_s - elapsed_s()) > 0 and not all_of_them:
                return [left_s]
            self._unanswered.popleft()
            self._left_over.append((reservation_id, 0))
        return []

    # ---------------------------------------------------------------------------- with the account's lock in hand
    def _is_good(self, block: _Block, now_s: float) -> bool:
        return now_s < block.until_s and block.revision == self._revision()

    def _take_block(self, account: _Account, limit: str, units: int) -> bool:
        revision, until_s = self._revision(), elapsed_s() + LEASE_S
        taken = self._told(account, self._ask(limit, units, LEASE_S))
        if taken.granted:
            account.block = _Block(taken.reservation_id, units, 0, until_s, revision)
            self._opened()
        return taken.granted

    def _single(self, account: _Account, limit: str, cost: int) -> Reservation:
        taken = self._told(account, self._ask(limit, cost, 0.0))
        if not taken.granted:
            reason = taken.reason or used_up(limit, taken.used, taken.most)
            return Reservation(False, limit, cost, account.rest, taken.retry_after_s, reason)
        giver = self._giver_of_all(taken.reservation_id)
        return Reservation(True, limit, cost, account.rest, reservation_id=taken.reservation_id, giver=giver)

    def _from(self, account: _Account, block: _Block, limit: str, cost: int) -> Reservation:
        block.left -= cost
        block.used += cost
        rest, giver = account.rest + block.left, self._giver_of_part(account, block, cost)
        return Reservation(True, limit, cost, rest, reservation_id=block.reservation_id, giver=giver)

    def _told(self, account: _Account, taken: Taken) -> Taken:
        if taken.used is not None and taken.most is not None:
            account.rest, account.window_s = max(0, taken.most - taken.used), taken.window_s
        if taken.unanswered and len(self._unanswered) < UNITS_MAX:  # those first asked are who may have been heard
            self._unanswered.append((elapsed_s() + SETTLED_AFTER_S, taken.unanswered))
            self._opened()
        return taken

    def _end(self, account: _Account) -> None:
        block, account.block = account.block, None
        if block is not None:
            block.is_open = False
            if block.left:
                self._left_over.append((block.reservation_id, block.used))

    # ---------------------------------------------------------------------------------------------------- givers
    def _giver_of_all(self, reservation_id: str) -> Callable[[], bool]:
        return lambda: bool(self._give_back(reservation_id, 0))

    def _giver_of_part(self, account: _Account, block: _Block, cost: int) -> Callable[[], bool]:
        def give() -> bool:
            with account.lock:
                block.used -= cost
                if block.is_open:
                    block.left += cost
                    return True
                return bool(self._give_back(block.reservation_id, block.used))

        return give
