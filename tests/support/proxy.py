"""A bad line between a client and a server: a proxy on a thread of its own, whose faults a test switches on and off.

with Proxy.before(served.url) as line:
    line.stall()   # connections stay open and nothing comes through
    line.heal()
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Final, Self
from urllib.parse import urlsplit

from tests.support.waiting import eventually

_RESET: Final = struct.pack("ii", 1, 0)
_BLOCK: Final = 65536

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy(threading.Thread):
    """Passes bytes on, as well as the weather lets it. Its methods are for other threads."""

    def __init__(self, connect: Callable[[], Coroutine[None, None, Ends]]) -> None:
        """``connect`` opens a connection to what lies behind it."""
        super().__init__(name="proxy", daemon=True)
        self._connect = connect
        self._channel = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._channel.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self.made = 0
        """Connections so far."""
        self._open: set[asyncio.StreamWriter] = set()
        self._lost: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._left: int | None = None
        self._unhurried: int | None = None
        self._calm()

    @classmethod
    @contextmanager
    def before(cls, url: str) -> Iterator[Self]:
        """One before the server at a URL, or at a unix socket's path, until the end of the block."""
        where = urlsplit(url)
        if where.scheme:
            line = cls(lambda: asyncio.open_connection(where.hostname, where.port))
        else:
            line = cls(lambda: asyncio.open_unix_connection(url))
        line.start()
        try:
            yield line
        finally:
            line._loop.call_soon_threadsafe(line._loop.stop)
            line.join()

    # ------------------------------------------------------------------------------------------------- the weather
    def heal(self) -> None:
        """All faults are over. Connections that were cut stay so."""
        self._do(self._calm)

    def cut(self) -> None:
        """Break every connection in the middle of whatever it says."""
        self._do(self._reset)

    def refuse(self) -> None:
        """Break every connection, and each that is made."""
        self._refusing = True
        self._do(self._reset)

    def stall(self) -> None:
        """Let nothing through, and break nothing: half-open."""
        self._do(self._flowing.clear)

    def swallow(self) -> None:
        """Lose whatever is sent from now on, and every connection's end with it: neither side learns of anything, and
        connections of now stay lost when the line heals. New ones are let wait for that."""
        self._do(self._lose_all)

    def slow(self, latency_s: float) -> None:
        """Take so long for each piece."""
        self._latency_s = latency_s

    def slice(self, size: int = 1) -> None:
        """Send pieces of so many bytes."""
        self._size = size

    def drip(self, after: int = 0) -> None:
        """Let the first so many bytes of each answer through, and the rest one by one, a hundred a second."""
        self._unhurried = after

    def tear(self, after: int) -> None:
        """Break each connection after so many more bytes of an answer."""
        self._left = after

    def hold_back(self, size: int) -> None:
        """Pass a stream on only when so many bytes of it are there, as a proxy does that buffers. Answers that end by
        themselves pass."""
        self._held = size

    def _lose_all(self) -> None:
        self._lost |= self._open
        self._flowing.clear()

    def _calm(self) -> None:
        self._latency_s = 0.0
        self._size = _BLOCK
        self._held = 0
        self._left = None
        self._unhurried = None
        self._refusing = False
        self._flowing.set()

    # ------------------------------------------------------------------------------------------------- on its thread
    def run(self) -> None:
        """The life of the thread."""
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._channel))
        self._loop.run_forever()
        self._loop.remove_reader(self._channel)  # a connection that is just being made needs its server until it is
        self._refusing = True
        self._reset()
        for task in self._serving:
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        while tasks := asyncio.all_tasks(self._loop):
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0))  # what was reset is closed in the next turn
        self._loop.close()

    def _do(self, what: Callable[[], None]) -> None:
        done = threading.Event()

        def now() -> None:
            what()
            done.set()

        self._loop.call_soon_threadsafe(now)
        eventually(done.is_set)

    async def _serve(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self.made += 1
        self._open.add(to_client)
        if (task := asyncio.current_task()) is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        if self._refusing:
            self._break(to_client)
            return
        try:
            from_server, to_server = await self._connect()
        except OSError:
            self._break(to_client)
            return
        self._open.add(to_server)
        up = asyncio.create_task(self._pass_on(from_client, to_server, is_answer=False))
        try:
            await self._pass_on(from_server, to_client, is_answer=True)
        except asyncio.CancelledError:
            pass  # the proxy ends, and the streams of asyncio would complain of a cancelled task
        finally:
            up.cancel()
            for end in (to_client, to_server):
                self._open.discard(end)
                end.close()

    async def _pass_on(self, come: asyncio.StreamReader, go: asyncio.StreamWriter, *, is_answer: bool) -> None:
        kept, is_stream = bytearray(), False
        try:
            while data := await come.read(_BLOCK):
                if self._latency_s:
                    await asyncio.sleep(self._latency_s)
                await self._flowing.wait()
                await self._require_line(go)
                is_stream = is_answer and (is_stream or b"content-type: text/event-stream" in data.lower())
                kept += data
                if is_stream and len(kept) < self._held:
                    continue
                await self._write(go, bytes(kept), is_answer=is_answer)
                kept.clear()
            await self._flowing.wait()
            await self._require_line(go)
            go.write(bytes(kept))
            if go.can_write_eof():
                go.write_eof()
        except OSError:
            self._break(go)

    async def _require_line(self, go: asyncio.StreamWriter) -> None:
        """Go no further with a connection that was lost: it stays open until the proxy ends."""
        if go in self._lost:
            await asyncio.Event().wait()

    async def _write(self, go: asyncio.StreamWriter, data: bytes, *, is_answer: bool) -> None:
        size = self._size
        if is_answer and self._unhurried is not None:
            await self._drip(go, data, self._unhurried)
            return
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            if is_answer and self._left is not None:
                piece, self._left = piece[: self._left], max(0, self._left - len(piece))
            go.write(piece)
            await go.drain()
            if is_answer and self._left == 0:
                raise ConnectionResetError
            if size < _BLOCK:
                await asyncio.sleep(0)  # each piece leaves by itself

    async def _drip(self, go: asyncio.StreamWriter, data: bytes, after: int) -> None:
        go.write(data[:after])
        for at in range(after, len(data)):
            go.write(data[at : at + 1])
            await go.drain()
            await asyncio.sleep(0.01)

    def _reset(self) -> None:
        for end in tuple(self._open):
            self._break(end)

    def _break(self, end: asyncio.StreamWriter) -> None:
        """Reset a connection: what is under way is lost."""
        self._open.discard(end)
        channel = end.get_extra_info("socket")
        if channel is not None and channel.fileno() >= 0:
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        end.transport.abort()
