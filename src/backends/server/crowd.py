"""The crowd of a listener: how many connections there may be, whose, and which one goes when another one comes.

Nobody is turned away while somebody else's connection only lies there: the one that has been idle for longest is cut.
So whoever opens thousands and says nothing loses his own, and a stop finds room.
"""

from __future__ import annotations

import resource
from collections import Counter
from typing import Final, Protocol

STOPS_MAX: Final = 128
"""Connections of the stop port, beside those that have an order under way."""

STOPS_PER_CLIENT: Final = 32

_SPARE: Final = 256
"""Descriptors that the main listener leaves for stops, the database, latches and sockets of this host."""


class Member(Protocol):
    """What a crowd has to know of a connection."""

    @property
    def owner(self) -> str:
        """Whose it is: an address."""

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way on it."""

    @property
    def is_admitted(self) -> bool:
        """Whether what it asks has been found to be allowed, and is being done."""

    def cut(self) -> None:
        """End it at once."""


class Crowd:
    """The connections of one listener, at most so many of them and of one owner; those first that have been idle for
    longest. For one thread."""

    def __init__(self, most: int, per_owner: int, *, refuses: bool) -> None:
        """Where nobody is idle, one that ``refuses`` turns the new one away; otherwise the oldest goes whose request
        has not been read yet."""
        self._most = most
        self._per_owner = per_owner
        self._refuses = refuses
        self._members: dict[Member, None] = {}
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._members)

    def join(self, member: Member) -> bool:
        """Take one in, and cut another one where there are too many; False where this one has to go."""
        owner = member.owner
        if self._of[owner] >= self._per_owner:
            room = self._make_room(owner)
        else:
            room = len(self._members) < self._most or self._make_room(None)
        if not room and self._refuses:
            return False
        self._members[member] = None
        self._of[owner] += 1
        return True

    def rests(self, member: Member) -> None:
        """One has been answered, and is idle from now on."""
        if member in self._members:
            del self._members[member]
            self._members[member] = None

    def leave(self, member: Member) -> None:
        """One has ended."""
        if member in self._members:
            del self._members[member]
            self._of[member.owner] -= 1
            if not self._of[member.owner]:
                del self._of[member.owner]

    def _make_room(self, owner: str | None) -> bool:
        concerned = [member for member in self._members if owner is None or member.owner == owner]
        found = next((member for member in concerned if member.is_idle), None)
        if found is None and not self._refuses:
            found = next((member for member in concerned if not member.is_admitted), None)
        if found is None:
            return False
        self.leave(found)
        found.cut()
        return True


def main_crowd() -> Crowd:
    """That of the main listener: as many as there are descriptors, and half of them for one address, behind which a
    proxy or a whole host may stand."""
    most = max(64, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE)
    return Crowd(most, most // 2, refuses=True)


def stop_crowd() -> Crowd:
    """That of the stop port, which turns nobody away."""
    return Crowd(STOPS_MAX, STOPS_PER_CLIENT, refuses=False)
