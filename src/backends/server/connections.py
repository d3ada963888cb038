"""One connection of a listener: from the moment it is taken, through its TLS, to the answer of each of its requests.

It counts among the others before it has said a word, and has one short time for its handshake and what it asks. What
is no HTTP, or begins with more than there is room for, is answered by a problem like any other fault. Whoever has been
given the last answer is heard out, up to a bound: a connection that is closed before all was read that came on it is
reset, and takes that answer with it.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr

from backends.server.crowd import Crowd
from backends.server.problems import MEDIA_TYPE, Problem
from opsgate.clock import elapsed_s

HEAD_MAX: Final = 65_536
"""Bytes of a request before its body, and of whatever comes in one piece without being part of a body."""

REST_MAX: Final = 16 << 20
"""Bytes that are read, and thrown away, of what follows the last answer."""

_log = logging.getLogger("opsconsole.requests")

_CREDENTIALS: Final = struct.Struct("3i")

_FIRST_WORD_S: Final = 10.0
"""Seconds in which a new connection must have said what it asks, and in which a request that has begun must have."""

_NO_REQUEST: Final = Problem(400, "malformed-http", "this is no request of HTTP/1.1", "write it as RFC 9112 says")
_TOO_LARGE: Final = Problem(
    431,
    "head-too-large",
    f"the request begins with more than {HEAD_MAX} bytes",
    "send a shorter path and fewer headers",
)


class _Line:
    """What an answer is written to: the transport, but for how it is left."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: Any, leave: Callable[[], None]) -> None:
        self.write, self.is_closing, self.close = transport.write, transport.is_closing, leave


class Connection(HttpToolsProtocol):
    """HTTP on one connection, with word of the door it came in by, and of who is at the other end of a unix socket."""

    crowd: ClassVar[Crowd | None] = None
    """With whom it shares its listener; None where there is no end to how many there are."""

    tls: ClassVar[ssl.SSLContext | None] = None
    """What it is secured by; None where it speaks plainly."""

    def connection_made(self, transport: Any) -> None:
        """Join the crowd, or end."""
        self.transport, self.client = transport, get_remote_addr(transport)
        self.waits_since_s = elapsed_s()
        self.is_admitted = False
        self._is_secured = False
        self._unread = 0
        self._wrong, self._is_leaving = _NO_REQUEST, False
        self.connections.add(self)
        if self.crowd is not None and not self.crowd.join(self):
            transport.abort()
        elif self.tls is None:
            self._begin(transport)

    def _secure(self, tls: ssl.SSLContext, hello: bytes) -> None:
        """Shake hands with one who has said so much already. The first step of the task puts TLS before this protocol,
        and right behind it that is handed on."""
        self._is_secured = True
        self.transport.pause_reading()
        self._shaking = self.loop.create_task(self._shake_hands(tls))
        self.loop.call_soon(self._hand_on, hello)

    async def _shake_hands(self, tls: ssl.SSLContext) -> None:
        if self.transport.is_closing():
            return
        try:
            secured = await self.loop.start_tls(self.transport, self, tls, server_side=True)
        except OSError:  # of which those of TLS are: it speaks another language, or has left
            self.transport.abort()
            self.connection_lost(None)
        else:
            self._begin(secured)

    def _hand_on(self, hello: bytes) -> None:
        before: Any = self.transport.get_protocol()
        if before != self:
            before.get_buffer(len(hello))[: len(hello)] = hello
            before.buffer_updated(len(hello))

    def _begin(self, transport: Any) -> None:
        super().connection_made(transport)
        self._line: Any = _Line(transport, self._leave)
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

    # -------------------------------------------------------------------------------------------- what it says
    def data_received(self, data: bytes) -> None:
        """Read on, and hold no more of what is neither a whole head nor part of a body than there is room for."""
        if self.tls is not None and not self._is_secured:
            self._secure(self.tls, data)
            return
        self._unread += len(data)
        if self._is_leaving:
            if self._unread > REST_MAX:
                self.cut()
            return
        super().data_received(data)
        if self._unread > HEAD_MAX and not self.transport.is_closing():
            self._wrong = _TOO_LARGE
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Its headers have so much time, too."""
        self.waits_since_s = min(self.waits_since_s, elapsed_s())
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It has said what it asks. What follows its body is not of its head."""
        self._unread = 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_MAX:
            self._wrong = _TOO_LARGE
            raise ValueError(_TOO_LARGE.detail)  # the parser ends with it
        self.waits_since_s = float("inf")
        self.is_admitted = False
        super().on_headers_complete()
        self.cycle.transport = self._line
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It has said all of it."""
        self._unread = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with what is no request, and end. Where an answer is still under way to what was asked
        before it, that answer is the last word."""
        if self._is_leaving:
            return
        problem = self._wrong
        _log.info("no request", extra={"client": self.owner, "status": problem.status, "code": problem.code})
        if self.pipeline or not (self.is_idle or self.cycle.more_body):
            self.flow.pause_reading()
            self.cycle.keep_alive = False
            return
        body = json.dumps(problem.document()).encode()
        head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
        if self.is_idle or not self.cycle.response_started:
            self.transport.write(STATUS_LINE[problem.status] + head + body)
        self._hear_out()

    def _leave(self) -> None:
        """End, for an answer was the last one."""
        if self.cycle.more_body:
            self._hear_out()
        else:
            self.transport.close()

    def _hear_out(self) -> None:
        """Say no more, and read on until the other side leaves, has said too much, or takes too long."""
        self._is_leaving, self._unread, self.waits_since_s = True, 0, elapsed_s()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def on_response_complete(self) -> None:
        """It is idle again, where nothing else was asked meanwhile."""
        if self._is_leaving:
            self.flow.resume_reading()
        else:
            super().on_response_complete()
        if self.crowd is not None:
            self.crowd.rests(self)

    # ------------------------------------------------------------------------------------- what is known of it
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


def connections_of(crowd: Crowd, tls: ssl.SSLContext | None) -> type[Connection]:
    """Connections of a listener with a limit, and with TLS where that is set up."""
    return type("CrowdedConnection", (Connection,), {"crowd": crowd, "tls": tls})


def close_silent(servers: Sequence[uvicorn.Server]) -> None:
    """Close whatever has not said in time what it asks. On the loop of these servers."""
    now_s = elapsed_s()
    for server in servers:
        for connection in tuple(server.server_state.connections):
            assert isinstance(connection, Connection), "all our connections are made of it"
            if connection.is_silent(now_s):
                connection.cut()
