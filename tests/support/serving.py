"""A real server over a real database: in this process, once for a module, or as a process of its own.

@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}") as one:
        yield one
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from backends.emergency_settings import EmergencySettings
from backends.keeper.room import EngineRoom
from backends.notifiers.settings import NotifySettings
from backends.server import writer
from backends.server.identity import Identify, developer
from backends.server.listening import Listening
from backends.server.serving import Serving
from tests.conftest import homes_under
from tests.support import warm

DEADLINE_S = 60.0

Running = tuple[subprocess.Popen[str] | warm.Process, IO[str]]


def client(**options: Any) -> httpx.Client:
    """A client of servers without TLS. It reads no authorities to believe, which takes longer than most tests."""
    return httpx.Client(verify=False, timeout=DEADLINE_S, **options)


class Served:
    """A server that listens on this host. ``room`` is None where it is another process."""

    def __init__(self, url: str, stop_url: str, backend: str, room: EngineRoom | None = None) -> None:
        self.url = url
        self.stop_url = stop_url
        self.backend = backend
        self.said = ""
        """What a process of its own said until it served."""
        self.pid = os.getpid()
        self._room = room
        self.http = client(base_url=url)

    @property
    def room(self) -> EngineRoom:
        """The engine room behind it, for what no route says."""
        assert self._room is not None, "it lives in another process"
        return self._room

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask."""
        return self.http.get(path, **options)

    def command(self, kind: str, *, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """Give one command."""
        return self.http.post("/v1/commands", json={"kind": kind, **fields}, headers=headers or {})

    def stop(self, **fields: Any) -> httpx.Response:
        """Stop, by the port that is for nothing else."""
        with client() as another:
            return another.post(f"{self.stop_url}/v1/stop", json=fields)

    @property
    def revision(self) -> int:
        """How far the fleet is."""
        return int(self.get("/v1/state").json()["revision"])

    @contextmanager
    def stream(self, path: str, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of a stream, each as ``{"id", "event", "data"}``."""
        sent = {"accept": "text/event-stream", **headers}
        with self.http.stream("GET", path, headers=sent) as response:
            assert response.status_code == 200, response.read()
            yield events_in(response.iter_lines())


def events_in(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """The events in the lines of a stream."""
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield {**fields, "data": json.loads(fields["data"])}
            fields = {}


@contextmanager
def adjacent() -> Iterator[tuple[int, int]]:
    """Two ports of this host, one right behind the other, that nobody but who listens there on purpose can take: they
    are bound, below those that connections are given, and listened to by nobody."""
    for first in range(20_000 + os.getpid() % 5_000 * 2, 32_000, 2):
        with ExitStack() as bound:
            try:
                for port in (first, first + 1):
                    channel = bound.enter_context(socket.socket())
                    channel.bind(("127.0.0.1", port))
                    channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            except OSError:
                continue
            yield first, first + 1
            return
    raise AssertionError("no two ports beside each other are free")


@contextmanager
def serving(
    backend: str,
    identify: Callable[[EngineRoom], Identify] = lambda _room: developer,
    *,
    settings: EmergencySettings | None = None,
    notify: NotifySettings | None = None,
    **listening: Any,
) -> Iterator[Served]:
    """A server in this process, with threads and loops of its own, on ports that were free. It gives up no command
    because the machine is busy."""
    patient = pytest.MonkeyPatch()
    patient.setattr(writer, "WITHIN_S", DEADLINE_S)
    server = Serving(backend, identify, Listening(**{"port": 0, "stop_port": 0, **listening}), settings, notify)
    try:
        server.start()
        served = Served(f"http://127.0.0.1:{server.port}", f"http://127.0.0.1:{server.stop_port}", backend, server.room)
        with served.http:
            yield served
    finally:
        server.close()
        patient.undo()


@contextmanager
def server_process(
    backend: str, *options: str, home: Path | None = None, starter: Sequence[str] = ()
) -> Iterator[Served]:
    """``opsconsole serve --dev`` on ports that were free; ended by a signal. With a ``home`` of its own it shares
    neither latches nor sockets with others, as if it ran on another host; ``starter`` is what becomes it."""
    command = [*starter, sys.executable, "-X", "faulthandler", "-m", "opsconsole", "serve", "-b", backend]
    command += ["--port", "0", "--stop-port", "0", *options]
    environment = {**os.environ, **(homes_under(home) if home else {})}
    with _started(command, environment, cold=bool(starter)) as (process, errors):
        said: list[str] = []
        try:
            for line in errors:
                said.append(line)
                found = re.search(r"serving fleet \S+ on (\S+):(\d+), stops on port (\d+)", line)
                if found:
                    break
            else:
                raise AssertionError(f"the server ended: {''.join(said)}")
            host = found[1]
            served = Served(f"{host}:{found[2]}", f"{host}:{found[3]}", backend)
            served.said, served.pid = "".join(said), process.pid
            draining = threading.Thread(target=said.extend, args=(errors,), daemon=True)
            draining.start()  # a full pipe would hold the server up
            with served.http:
                yield served
        finally:
            _end(process)
        draining.join(DEADLINE_S)
        assert process.returncode != -signal.SIGABRT, f"the server did not end: {''.join(said)}"


@contextmanager
def _started(command: Sequence[str], environment: dict[str, str], *, cold: bool) -> Iterator[Running]:
    """The process, and what it says on its error output."""
    if cold:
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as started:
            assert started.stderr is not None
            yield started, started.stderr
        return
    ours, its = os.pipe()
    with os.fdopen(ours) as said:
        module, *arguments = command[command.index("-m") + 1 :]
        folder = Path.cwd()
        try:
            process = warm.start(module, *arguments, streams=(0, 1, its), environment=environment, folder=folder)
        finally:
            os.close(its)
        yield process, said


def _end(process: subprocess.Popen[str] | warm.Process) -> None:
    """Have it end. One that does not is ended all the same, and says first what each of its threads waits for."""
    process.terminate()
    try:
        process.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        process.wait()
