"""One connection to a listener: which door it came in by, who is at its other end, and how long it may say nothing."""

from __future__ import annotations

import resource
import socket
import struct
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from opsgate.clock import elapsed_s

_CREDENTIALS: Final = struct.Struct("3i")

_FIRST_WORD_S: Final = 10.0
"""Seconds in which a new connection must have said what it asks."""

_SPARE: Final = 256
"""Descriptors that the main listener leaves for stops, the database, latches and sockets of this host."""


class Connection(HttpToolsProtocol):
    """HTTP on one connection, with word of the door it came in by, and of who is at the other end of a unix socket."""

    limited: ClassVar[bool] = False
    """Whether there is an end to how many of them there are."""

    def connection_made(self, transport: Any) -> None:
        """It begins."""
        super().connection_made(transport)
        self.waits_since_s = elapsed_s()
        if self.limited and len(self.connections) > _most():
            transport.abort()
            return
        self.app_state = {**self.app_state, "abort": transport.abort}
        channel = transport.get_extra_info("socket")
        if channel is not None and channel.family == socket.AF_UNIX:
            pid, uid, _gid = _CREDENTIALS.unpack(
                channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
            self.app_state |= {"door": "unix", "peer": (pid, uid)}

    def on_headers_complete(self) -> None:
        """It has said what it asks."""
        self.waits_since_s = float("inf")
        super().on_headers_complete()

    def is_silent(self, now_s: float) -> bool:
        """Whether it has not said what it asks since it was made, for too long."""
        return now_s - self.waits_since_s > _FIRST_WORD_S


class LimitedConnection(Connection):
    """The same for the main listener: connections beyond its share are closed at once."""

    limited = True


def _most() -> int:
    return max(64, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE)


def close_silent(servers: Sequence[uvicorn.Server]) -> None:
    """Close whatever has not said in time what it asks. On the loop of these servers."""
    now_s = elapsed_s()
    for server in servers:
        for connection in tuple(server.server_state.connections):
            assert isinstance(connection, Connection), "all our connections are made of it"
            if connection.is_silent(now_s):
                connection.transport.abort()
