"""A long line between two programs on one host: what goes in comes out whole, in order, and so much later."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_BLOCK = 1 << 16


class Line:
    """A port of this host that leads to another one, and how many bytes have gone through it, both ways."""

    def __init__(self, to_port: int, round_trip_ms: float) -> None:
        self.port = 0
        self.carried = 0
        self._to_port = to_port
        self._round_trip_s = round_trip_ms / 1000

    async def serve(self) -> None:
        """Begin to listen."""
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to_port)
            await asyncio.sleep(self._round_trip_s)  # until the other side has said that it takes the connection
            await asyncio.gather(self._carry(reader, to_server), self._carry(from_server, writer))
        except (OSError, asyncio.CancelledError):
            pass  # one side has gone, or the link is over
        finally:
            writer.close()

    async def _carry(self, come: asyncio.StreamReader, go: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while data := await come.read(_BLOCK):
            self.carried += len(data)
            loop.call_later(self._round_trip_s / 2, go.write, data)  # what follows sets out meanwhile, as on a line
        loop.call_later(self._round_trip_s / 2, go.close)


@contextmanager
def link(port: int, round_trip_ms: float) -> Iterator[Line]:
    """A line to ``port``, each way half as long as there and back."""
    loop, made, line = asyncio.new_event_loop(), threading.Event(), Line(port, round_trip_ms)

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(line.serve())
        made.set()
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    made.wait()
    try:
        yield line
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
