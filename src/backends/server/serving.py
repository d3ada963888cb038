"""Serving: the threads that listeners run on, and how all of it begins and ends.

The main listener and the stop lane's have a thread and an event loop each and share nothing but the stop desk.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

import uvicorn
import uvloop

from backends.clients.signed import secrets_in
from backends.emergency_settings import EmergencySettings
from backends.keeper.log import NAME
from backends.keeper.room import EngineRoom
from backends.notifiers.settings import NotifySettings
from backends.server.access import Access
from backends.server.app import Door
from backends.server.certificate import Certificate
from backends.server.connections import Connection, close_silent, connections_of
from backends.server.crowd import main_crowd, stop_crowd
from backends.server.engine import Engine
from backends.server.gates import Gates
from backends.server.identity import Identify, developer
from backends.server.listening import BACKLOG, Listening, listen, listen_at, own_sockets, own_urls
from backends.server.push import Hub
from backends.server.renewing import Renewed, Renewing
from backends.server.stop_port import Sign, StopPort
from opsgate.wire import HEARTBEAT_S

_log = logging.getLogger(NAME)

_GRACE_S: Final = 5
"""Seconds that requests have to end when the server does."""

_REVIEW_S: Final = 0.5
"""Seconds between two looks whether those who listen still may."""


class Lane(threading.Thread):
    """One application on some sockets, on a thread and a loop of its own."""

    def __init__(self, name: str, app: Any, sockets: Sequence[tuple[socket.socket, type[Connection]]]) -> None:
        """``sockets`` with what each makes of a connection."""
        super().__init__(name=name, daemon=True)
        self.ready = threading.Event()
        self.hubs: Callable[[], Iterable[Hub]] = tuple
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
        for hub in self.hubs():
            hub.open(self._loop)
        servers = [uvicorn.Server(_config(self._app, connection)) for _, connection in self._sockets]
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
        for hub in self.hubs():
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
        for hub in self.hubs():
            hub.review()
        if all_of_it:
            for beat in self.beats:
                beat()
            close_silent(servers)


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
        database cannot be opened, `HouseError`, `ConfigurationFault`, or OSError where nobody can listen there."""
        gates, files = Gates(), listening.certificate
        self.certificate = Certificate(files, listening.key or files) if files else None
        secure = self.certificate.context if self.certificate else None
        secrets = listening.hook_secrets
        hook_secrets = Renewed("hook secret", (secrets,), partial(secrets_in, secrets)) if secrets else None
        self._renewing = Renewing([each for each in (self.certificate, hook_secrets) if each], listening.heartbeat_s)
        with ExitStack() as listened:
            main = listened.enter_context(listen(listening.host, listening.port, "--port"))
            stops = listened.enter_context(listen(listening.host, listening.stop_port, "--stop-port"))
            self.room = EngineRoom(
                url,
                alone=False,
                streams=gates,
                create=True,
                settings=settings,
                notify=notify,
                known_as=own_urls(listening, main),
            )
            listened.pop_all()
        knows = identify(self.room)
        self.room.services.is_open = knows is developer
        access = Access(knows, self.room.runtime.latest)
        self.engine = Engine(self.room, gates, access, certificate=self.certificate, hook_secrets=hook_secrets)
        self.port, self.stop_port = (int(channel.getsockname()[1]) for channel in (main, stops))
        gates.stop_port = self.stop_port
        self._paths = own_sockets(self.room)
        main_sockets = [(main, connections_of(main_crowd(), secure))]
        stop_sockets = [(stops, connections_of(stop_crowd(), secure))]
        for path, sockets in zip(self._paths, (main_sockets, stop_sockets), strict=False):
            sockets.append((listen_at(path), Connection))
        main_sign = Sign(self.room.fleet, uuid.uuid4().hex)
        stop_sign = main_sign._replace(door="stop", behind=self.stop_port == self.port + 1)
        self.door = Door(self.engine, main_sign)
        self._main = Lane("http", self.door, main_sockets)
        self._main.hubs = self.engine.hubs
        self._main.beats = (self.engine.heartbeat,)
        self._stops = Lane("stop-port", StopPort(self.room.desk, access, stop_sign), stop_sockets)
        self._main.heartbeat_s = self._stops.heartbeat_s = listening.heartbeat_s

    def start(self) -> None:
        """Go to work: stops first. Returns when requests are answered."""
        self.room.start()
        self._renewing.start()
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
        self._renewing.close()
        for path in self._paths:
            path.unlink(missing_ok=True)


def _config(app: Any, connection: type[Connection]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_S,
    )
