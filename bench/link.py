"""A long line between two programs on one host: what goes in comes out whole, in order, and so much later."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_BLOCK = 1 << 16


@contextmanager
def link(port: int, round_trip_ms: float) -> Iterator[int]:
    """A port of this host that leads to another one, each way half as long as there and back."""
    loop, made, ports = asyncio.new_event_loop(), threading.Event(), []

    async def serve() -> None:
        server = await asyncio.start_server(lambda *ends: _join(*ends, port, round_trip_ms / 2000), "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        made.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    made.wait()
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, later_s: float) -> None:
    from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
    try:
        await asyncio.gather(_carry(reader, to_server, later_s), _carry(from_server, writer, later_s))
    except (OSError, asyncio.CancelledError):
        pass  # one side has gone, or the link is over
    finally:
        writer.close()
        to_server.close()


async def _carry(come: asyncio.StreamReader, go: asyncio.StreamWriter, later_s: float) -> None:
    loop = asyncio.get_running_loop()
    while data := await come.read(_BLOCK):
        loop.call_later(later_s, go.write, data)  # what follows sets out meanwhile, as on a real line
    loop.call_later(later_s, go.close)
