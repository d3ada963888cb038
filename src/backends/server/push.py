"""Push: one frame of bytes for all who listen, written to each by whoever publishes it.

Nobody has a queue or a task of their own while they keep up: the frame is handed to each connection in one pass of the
event loop. Only who falls behind gets a small buffer and a task that waits for the connection; whose buffer overflows
is told everything anew when it reads again, and who does not read for long is let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any, Final, NamedTuple

from backends.server.stepping import Rest
from core.errors import OpsError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BEHIND_MAX: Final = 64
"""Frames that wait for one who falls behind. After that it is told everything anew."""

PATIENCE_S: Final = 30.0
"""Seconds for which nothing can be written to a connection before it is let go."""

HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
"""Of every stream; the last one asks proxies to pass on what they get."""


class Frame(NamedTuple):
    """An event as its bytes, and the revision that whoever has seen it knows; 0 where it says nothing of that. With
    ``anew`` what was seen before counts no more, and the revision may be an earlier one."""

    revision: int
    data: bytes
    anew: bool = False


def frame(event: str, data: bytes, revision: int = 0, *, anew: bool = False) -> Frame:
    """One event of a stream. ``data`` is one line of JSON; the revision is the event's id, where it has one."""
    head = b"id: %d\n" % revision if revision else b""
    return Frame(revision, head + b"event: %b\ndata: %b\n\n" % (event.encode(), data), anew)


async def begin(send: Send) -> None:
    """Send what stands at the head of a stream."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})


CatchUp = Callable[[int | None], Awaitable[list[Frame]]]
"""What somebody must be told who has seen this revision (None: nothing), so that the frames after that follow on."""


class Listener:
    """One connection. While ``waiting`` is a list, frames go there; ``seen`` is the revision that it was told last."""

    __slots__ = ("abort", "overflowed", "seen", "send", "still", "waiting", "who")

    def __init__(self, send: Send, still: Callable[[], bool], abort: Callable[[], None], who: str) -> None:
        self.send = send
        self.abort = abort
        self.still = still
        self.who = who
        self.seen: int | None = None
        self.waiting: list[Frame] | None = []
        self.overflowed = False

    def knows(self, one: Frame) -> bool:
        """Whether it was told this already: what led to now is read from the journal, which is ahead of the frames."""
        return self.seen is not None and 0 < one.revision <= self.seen and not one.anew

    def is_told(self, one: Frame) -> None:
        """From now on it knows this."""
        if one.revision or one.anew:
            self.seen = one.revision or None

    def keep(self, one: Frame) -> None:
        """Keep a frame until the connection takes it."""
        assert self.waiting is not None
        if len(self.waiting) >= BEHIND_MAX:
            self.overflowed = True
            self.waiting.clear()
        elif not self.overflowed:
            self.waiting.append(one)


class Hub:
    """All listeners of one stream. For use on one event loop, but for `publish`: from any thread."""

    def __init__(self, catch_up: CatchUp, delivered: Callable[[int], None] = lambda _revision: None) -> None:
        """``delivered`` is told of each revision that was handed to all who keep up."""
        self._catch_up = catch_up
        self._delivered = delivered
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: dict[Listener, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next: asyncio.Future[None] | None = None
        self.revision = 0
        """The revision that everybody who keeps up has been told; 0 where they ask for everything anew."""
        self.closed = False
        """Whether all streams have been ended for good."""

    def __len__(self) -> int:
        return len(self._listeners)

    def present(self) -> list[str]:
        """Who listens, once for each connection."""
        return sorted(listener.who for listener in tuple(self._listeners))

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Publish on this loop from now on."""
        self._loop = loop

    def publish(self, one: Frame) -> None:
        """Tell everybody. Returns at once; frames stay in the order in which one thread published them."""
        if self._loop is not None and not self.closed:
            try:
                self._loop.call_soon_threadsafe(self.deliver, one)
            except RuntimeError:
                pass  # the loop has ended, and with it all who listened

    def skip(self, revision: int) -> None:
        """Go on to this revision where nobody listens; whoever waits for the `next` frame is woken. From any thread."""
        self.publish(Frame(revision, b""))

    def deliver(self, one: Frame) -> None:
        """Tell everybody, on the loop."""
        self._come()
        self.revision = one.revision if one.anew else one.revision or self.revision
        if not one.data:
            return
        message = {"type": "http.response.body", "body": one.data, "more_body": True}
        for listener in tuple(self._listeners):
            if listener.waiting is not None:
                listener.keep(one)
            elif not listener.knows(one):
                listener.is_told(one)
                if not self._write(listener, message):
                    self._forget(listener)
        if one.revision and self._listeners:
            self._delivered(one.revision)

    def next(self) -> asyncio.Future[None]:
        """What is done when the next frame is delivered, or the hub is closed. Shield it: others wait for it too."""
        self._loop = self._loop or asyncio.get_running_loop()
        if self._next is None or self._next.done():
            self._next = self._loop.create_future()
        return self._next

    def review(self) -> None:
        """End the streams of those who may not listen any more."""
        for listener in tuple(self._listeners):
            if not listener.still():
                self._end(listener)

    async def listen(
        self,
        receive: Receive,
        send: Send,
        seen: int | None,
        *,
        still: Callable[[], bool],
        abort: Callable[[], None],
        who: str = "",
    ) -> None:
        """Serve one connection until it ends. ``seen`` is the revision that it knows already; ``still`` says again and
        again whether it may listen; ``abort`` ends a connection that takes nothing."""
        self._loop = self._loop or asyncio.get_running_loop()
        listener = Listener(send, still, abort, who)
        self._listeners[listener] = None  # from here on frames are kept for it, so that none is missed
        try:
            async with asyncio.timeout(PATIENCE_S):
                await begin(send)
            listener.seen = seen
            await self._tell_anew(listener, seen)
            await self._drain(listener)
            while not self.closed and (await receive())["type"] != "http.disconnect":
                pass  # the rest of a body that nobody needs
        except (TimeoutError, OSError, OpsError):
            abort()  # it takes nothing, or nobody can say what it missed: that is too late for another answer
        finally:
            self._forget(listener)

    def close(self) -> None:
        """End all streams."""
        self.closed = True
        self._come()
        for listener in tuple(self._listeners):
            self._end(listener)

    # -------------------------------------------------------------------------------------------- one connection
    def _write(self, listener: Listener, message: Message) -> bool:
        """Write without waiting: run the connection's own coroutine as far as it goes. One that has to wait goes on in
        a task. False where the connection is gone."""
        writing = listener.send(message)
        assert isinstance(writing, Coroutine)
        try:
            waits_for = writing.send(None)
        except StopIteration:
            return True
        except OSError:
            return False
        listener.waiting = []
        task = asyncio.get_running_loop().create_task(self._follow_up(listener, Rest(writing, waits_for)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _follow_up(self, listener: Listener, rest: Rest[None]) -> None:
        """Wait until the connection takes what it was given, then give it what has come meanwhile."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await rest
            await self._drain(listener)
        except (TimeoutError, OSError, OpsError):
            pass  # it stands still, is gone, or nobody can say what it missed
        finally:
            if listener.waiting is not None:
                self._forget(listener)
                listener.abort()

    async def _drain(self, listener: Listener) -> None:
        """Write what was kept, but for what the listener knows; from then on frames are written as they come."""
        while listener.waiting or listener.overflowed:
            kept, listener.waiting = listener.waiting or [], []
            if listener.overflowed:
                listener.overflowed = False
                await self._tell_anew(listener, None)
            for one in kept:
                if not listener.knows(one):
                    await self._tell(listener, one)
        listener.waiting = None

    async def _tell_anew(self, listener: Listener, seen: int | None) -> None:
        for one in await self._catch_up(seen):
            await self._tell(listener, one)

    async def _tell(self, listener: Listener, one: Frame) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await listener.send({"type": "http.response.body", "body": one.data, "more_body": True})
        listener.is_told(one)

    def _end(self, listener: Listener) -> None:
        self._forget(listener)
        self._write(listener, {"type": "http.response.body", "body": b"", "more_body": False})

    def _come(self) -> None:
        if self._next is not None and not self._next.done():
            self._next.set_result(None)

    def _forget(self, listener: Listener) -> None:
        self._listeners.pop(listener, None)


def last_seen(headers: Mapping[str, str], query: Mapping[str, str]) -> int | None:
    """The revision that a listener says it has seen: where a connection broke, or where it asks to begin."""
    for text in (headers.get("last-event-id", ""), query.get("after", "")):
        if text.isascii() and text.isdigit() and len(text) < 19:
            return int(text)
    return None
