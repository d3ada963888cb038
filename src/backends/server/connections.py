"""The connections of a listener: how many there may be, whose, and which one goes when another one comes.

Nobody is turned away while somebody else's connection only lies there: the one that has been idle for longest is cut.
So whoever opens thousands and says nothing loses his own, and a stop finds room.
"""

from __future__ import annotations

import resource
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Protocol

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from opsgate.clock import elapsed_s

STOPS_MAX: Final = 128
"""Connections of the stop port, beside those that have an order under way."""

STOPS_PER_CLIENT: Final = 32

_CREDENTIALS: Final = struct.Struct("3i")

_FIRST_WORD_S: Final = 10.0
"""Seconds in which a new connection must have said what it asks, and in which a request that has begun must have."""

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


class Connection(HttpToolsProtocol):
    """HTTP on one connection, with word of the door it came in by, and of who is at the other end of a unix socket."""

    crowd: ClassVar[Crowd | None] = None
    """With whom it shares its listener; None where there is no end to how many there are."""

    def connection_made(self, transport: Any) -> None:
        """Join the crowd, or end."""
        super().connection_made(transport)
        self.waits_since_s = elapsed_s()
        self.is_admitted = False
        if self.crowd is not None and not self.crowd.join(self):
            transport.abort()
            return
        self.app_state = {**self.app_state, "abort": transport.abort, "admitted": self._admit}
        channel = transport.get_extra_info("socket")
        if channel is not None and channel.family == socket.AF_UNIX:
            pid, uid, _gid = _CREDENTIALS.unpack(
                channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
            self.app_state |= {"door": "unix", "peer": (pid, uid)}

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the crowd."""
        if self.crowd is not None:
            self.crowd.leave(self)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Its headers have so much time, too."""
        self.waits_since_s = min(self.waits_since_s, elapsed_s())
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It has said what it asks."""
        self.waits_since_s = float("inf")
        self.is_admitted = False
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """It is idle again, where nothing else was asked meanwhile."""
        super().on_response_complete()
        if self.crowd is not None:
            self.crowd.rests(self)

    @property
    def owner(self) -> str:
        """The address it comes from."""
        return self.client[0] if self.client else ""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked on it now."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request, whatever its type says
        return cycle is None or cycle.response_complete

    def cut(self) -> None:
        """End it at once."""
        self.transport.abort()

    def is_silent(self, now_s: float) -> bool:
        """Whether it has begun, or was made, too long ago without saying what it asks."""
        return now_s - self.waits_since_s > _FIRST_WORD_S

    def _admit(self) -> None:
        self.is_admitted = True


def crowded(crowd: Crowd) -> type[Connection]:
    """Connections of a listener with a limit."""
    return type("CrowdedConnection", (Connection,), {"crowd": crowd})


def main_crowd() -> Crowd:
    """That of the main listener: as many as there are descriptors, and half of them for one address, behind which a
    proxy or a whole host may stand."""
    most = max(64, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE)
    return Crowd(most, most // 2, refuses=True)


def stop_crowd() -> Crowd:
    """That of the stop port, which turns nobody away."""
    return Crowd(STOPS_MAX, STOPS_PER_CLIENT, refuses=False)


def close_silent(servers: Sequence[uvicorn.Server]) -> None:
    """Close whatever has not said in time what it asks. On the loop of these servers."""
    now_s = elapsed_s()
    for server in servers:
        for connection in tuple(server.server_state.connections):
            assert isinstance(connection, Connection), "all our connections are made of it"
            if connection.is_silent(now_s):
                connection.cut()
