"""Serving: the listeners, the threads that they run on, and how all of it begins and ends.

The main listener and the stop lane's have a thread and an event loop each and share nothing but the stop desk.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from backends.emergency_settings import EmergencySettings
from backends.keeper.log import NAME
from backends.keeper.room import EngineRoom
from backends.notifiers.settings import NotifySettings
from backends.server.access import Access
from backends.server.app import Door
from backends.server.engine import Engine
from backends.server.gates import Gates
from backends.server.identity import Identify
from backends.server.push import Hub
from backends.server.stop_port import StopPort
from opsgate.clock import elapsed_s
from opsgate.paths import runtime_home
from opsgate.wire import HEARTBEAT_S

_log = logging.getLogger(NAME)

_CREDENTIALS: Final = struct.Struct("3i")
_GRACE_S: Final = 5
"""Seconds that requests have to end when the server does."""

_REVIEW_S: Final = 0.5
"""Seconds between two looks whether those who listen still may."""

_DEAD_AFTER_MS: Final = 30_000
"""For how long a connection may leave what is sent to it unacknowledged."""

_BACKLOG: Final = 4096

_FIRST_WORD_S: Final = 10.0
"""Seconds in which a new connection must have said what it asks."""

_SPARE: Final = 256
"""Descriptors that the main listener leaves for stops, the database, latches and sockets of this host."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server listens, and what signs requests of hooks there.

    Port 0 is one that is free. TLS is for the ports; sockets of this host need none."""

    host: str = "127.0.0.1"
    port: int = 3001
    stop_port: int = 3002
    certificate: Path | None = None
    key: Path | None = None
    heartbeat_s: float = HEARTBEAT_S
    """Seconds between two signs of life on a stream. Clients wait for two and a half of the usual ones."""
    hook_secret: str = field(default="", repr=False)


class Lane(threading.Thread):
    """One application on some sockets, on a thread and a loop of its own."""

    def __init__(self, name: str, app: Any, sockets: Sequence[tuple[socket.socket, dict[str, Any]]]) -> None:
        """``sockets`` with the options of uvicorn that each has of its own."""
        super().__init__(name=name, daemon=True)
        self.ready = threading.Event()
        self.hubs: tuple[Hub, ...] = ()
        self.beats: tuple[Callable[[], None], ...] = ()
        self.heartbeat_s = HEARTBEAT_S
        self.fault: BaseException | None = None
        self._app = app
        self._sockets = sockets
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None

    def close(self) -> None:
        """End its streams, let its requests end, and wait for it."""
        if self._loop is not None and self._closing is not None and self.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self.join(timeout=2 * _GRACE_S)

    def run(self) -> None:
        """The life of the thread."""
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as fault:  # noqa: BLE001 (whoever waits for it has to hear why)
            self.fault = fault
            _log.exception("a listener ended", extra={"lane": self.name})
        finally:
            self.ready.set()

    async def _serve(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        for hub in self.hubs:
            hub.open(self._loop)
        servers = [uvicorn.Server(_config(self._app, options)) for _, options in self._sockets]
        serving = [
            asyncio.create_task(server.serve(sockets=[channel]))
            for server, (channel, _) in zip(servers, self._sockets, strict=True)
        ]
        while not all(server.started for server in servers):
            if any(task.done() for task in serving):
                break
            await asyncio.sleep(0.005)  # uvicorn tells of nothing
        self.ready.set()
        beating = asyncio.create_task(self._beat(servers))
        await self._closing.wait()
        beating.cancel()
        for hub in self.hubs:
            hub.close()
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*serving)

    async def _beat(self, servers: Sequence[uvicorn.Server]) -> None:
        rest_s = min(_REVIEW_S, self.heartbeat_s)
        turns = round(self.heartbeat_s / rest_s)
        turn = 0
        while True:
            await asyncio.sleep(rest_s)
            turn = (turn + 1) % turns
            try:
                self._beat_once(servers, all_of_it=turn == 0)
            except Exception:  # noqa: BLE001 (a fault of ours must end neither heartbeats nor the review of tokens)
                _log.exception("the server met a fault of its own and goes on")

    def _beat_once(self, servers: Sequence[uvicorn.Server], *, all_of_it: bool) -> None:
        for hub in self.hubs:
            hub.review()
        if all_of_it:
            for beat in self.beats:
                beat()
            _close_silent(servers)


class Serving:
    """One fleet served, from the moment it is made until `close`."""

    def __init__(
        self,
        url: str,
        identify: Callable[[EngineRoom], Identify],
        listening: Listening,
        settings: EmergencySettings | None = None,
        notify: NotifySettings | None = None,
    ) -> None:
        """``identify`` makes, of the room, what tells whose a credential is. Raises `core.errors.OpsError` where the
        database cannot be opened, `HouseError`, or OSError where nobody can listen there."""
        gates, secure = Gates(), _tls(listening)
        with ExitStack() as listened:
            main = listened.enter_context(_listen(listening.host, listening.port))
            stops = listened.enter_context(_listen(listening.host, listening.stop_port))
            self.room = EngineRoom(url, alone=False, streams=gates, create=True, settings=settings, notify=notify)
            listened.pop_all()
        access = Access(identify(self.room), self.room.runtime.latest)
        self.engine = Engine(self.room, gates, access, hook_secret=listening.hook_secret)
        self.port, self.stop_port = (int(channel.getsockname()[1]) for channel in (main, stops))
        gates.stop_port = self.stop_port
        self._paths = _own_sockets(self.room)
        main_sockets = [(main, {**secure, "http": _MainProtocol})]
        stop_sockets = [(stops, {**secure, "http": _Protocol})]
        for path, sockets in zip(self._paths, (main_sockets, stop_sockets), strict=False):
            sockets.append((_listen_at(path), {"http": _Protocol}))
        self.door = Door(self.engine)
        self._main = Lane("http", self.door, main_sockets)
        self._main.hubs = self.engine.hubs
        self._main.beats = (self.engine.heartbeat,)
        self._main.heartbeat_s = listening.heartbeat_s
        self._stops = Lane("stop-port", StopPort(self.room.desk, access), stop_sockets)

    def start(self) -> None:
        """Go to work: stops first. Returns when requests are answered."""
        self.room.start()
        self._stops.start()
        self._stops.ready.wait()
        self.engine.start()
        self._main.start()
        self._main.ready.wait()
        for lane in (self._stops, self._main):
            if lane.fault is not None:
                raise lane.fault

    def close(self, why: str = "it was told to") -> None:
        """End: first nothing new is taken, then what was taken is carried out; stops are taken to the last."""
        self._main.close()
        self.engine.close()
        self._stops.close()
        self.room.close(why)
        for path in self._paths:
            path.unlink(missing_ok=True)


class _Protocol(HttpToolsProtocol):
    """HTTP on one connection, with word of the door it came in by, and of who is at the other end of a unix socket."""

    limited: ClassVar[bool] = False
    """Whether there is an end to how many of them there are."""

    def connection_made(self, transport: Any) -> None:
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
        self.waits_since_s = float("inf")
        super().on_headers_complete()

    def is_silent(self, now_s: float) -> bool:
        """Whether it has not said what it asks since it was made, for too long."""
        return now_s - self.waits_since_s > _FIRST_WORD_S


class _MainProtocol(_Protocol):
    """The same for the main listener: connections beyond its share are closed at once."""

    limited = True


def _most() -> int:
    return max(64, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE)


def _close_silent(servers: Sequence[uvicorn.Server]) -> None:
    now_s = elapsed_s()
    for server in servers:
        for connection in tuple(server.server_state.connections):
            assert isinstance(connection, _Protocol), "all our connections are made of it"
            if connection.is_silent(now_s):
                connection.transport.abort()


def _config(app: Any, options: dict[str, Any]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_S,
        **options,
    )


def _tls(listening: Listening) -> dict[str, Any]:
    """What uvicorn needs for TLS. Raises OSError where the files are not what they should be."""
    if listening.certificate is None:
        return {}
    certificate, key = listening.certificate, listening.key or listening.certificate
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise OSError(error.errno, f"no certificate with its key can be read from {certificate} and {key}") from error
    return {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    channel = socket.socket(family, kind, protocol)
    try:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER_MS)
        channel.bind(address)
        channel.listen(_BACKLOG)  # so that nobody else can take the port before anything is opened
    except OSError as error:
        channel.close()
        raise OSError(error.errno, f"nobody can listen on {host} port {port}: {error.strerror}") from error
    return channel


def _listen_at(path: Path) -> socket.socket:
    """A socket of this host, for its own user alone, put there in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    channel.bind(str(temporary))
    temporary.chmod(0o600)
    channel.listen(_BACKLOG)
    temporary.replace(path)
    return channel


def _own_sockets(room: EngineRoom) -> tuple[Path, ...]:
    """Where people of this host reach this server; nowhere, where another keeper has the house."""
    if room.house is None:
        return ()
    return runtime_home() / f"{room.fleet}.http.sock", runtime_home() / f"{room.fleet}.http.stop.sock"
