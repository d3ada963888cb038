"""The thread that hears a server: messages of change and of stops, as they happen, and a heartbeat between them."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from opsgate import wire
from opsgate.clock import elapsed_s
from opsgate.http_faults import Behind, NoStream, broken_means
from opsgate.http_servers import CONNECT_WITHIN_S, Server, Servers
from opsgate.pauselog import plain
from opsgate.reader import Reading
from opsgate.sources import SourceError
from opsgate.sse import Event, Events
from opsgate.wire import HEARTBEAT_S

if TYPE_CHECKING:
    from opsgate.http_intake import Intake
    from opsgate.http_line import Connection

_log = logging.getLogger("opsgate")

SILENCE_S: Final = 2.5 * HEARTBEAT_S
"""Seconds without a word after which a stream is given up."""

RETRIES_S: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds at most until the next try after one, two, … failures; by chance as little as half. A stream that was heard
for a while and broke is tried again within the first of them."""

_NO_STREAM_S: Final = 60.0
"""Seconds for which a server is asked instead whose stream cannot be heard."""

ONCE_MORE_S: Final = 2.0
"""The same after the first try that brought nothing: a server that a thousand workers come back to is slow for a while,
and they must not all begin to ask it instead."""

_STEADY_S: Final = 5.0
"""Seconds for which a stream must have been heard before its end counts as the first failure."""

_HEAD_WITHIN_S: Final = 5.0


class Stream(threading.Thread):
    """Hears one server at a time. Never ends by an error."""

    def __init__(self, intake: Intake, servers: Servers, connected: Callable[[], None]) -> None:
        """``connected`` is called whenever a server begins to stream."""
        super().__init__(name="opsgate-stream", daemon=True)
        self._intake = intake
        self._connected = connected
        self._servers = servers
        self._failures = self._in_vain = 0
        self._has_state = False
        self._asked_at: int | None = None
        """The revision that was known when a stream was asked for, until it has told something."""
        self._age_s = 0.0
        self._said = ""
        self._ending = threading.Event()

    def end(self) -> None:
        """End; it has to be interrupted besides where it waits for a server."""
        self._ending.set()

    def run(self) -> None:
        """The life of the thread."""
        while not self._ending.is_set():
            try:
                self._follow()
                rest_s = self._retry_s()
            except NoStream as error:
                rest_s = self._is_asked_instead(error) * random.uniform(0.8, 1.0)  # noqa: S311 (spread, no secret)
            except SourceError as error:
                self._failed(error)
                rest_s = self._retry_s()
            except Exception:  # noqa: BLE001 (a fault of ours must not leave the worker deaf for ever)
                _log.exception("the gate met a fault of its own in a stream and goes on")
                rest_s = RETRIES_S[-1]
            self._ending.wait(rest_s)

    def _retry_s(self) -> float:
        longest_s = RETRIES_S[max(0, min(self._failures, len(RETRIES_S)) - 1)]
        return longest_s * random.uniform(0.5 if self._failures else 0.0, 1.0)  # noqa: S311 (spread, no secret)

    def _follow(self) -> None:
        """Hear the first server that can be heard, until it breaks off. `SourceError` where none can be."""
        faults: list[SourceError] = []
        for server in tuple(self._servers.in_turn()):
            try:
                self._hear(server)
            except SourceError as error:
                self._servers.failed(server)
                faults.append(error)
            else:
                return
        raise next((fault for fault in faults if isinstance(fault, NoStream)), faults[0])

    def _hear(self, server: Server) -> None:
        """Hear one server; `SourceError` where it says nothing."""
        from opsgate.http_line import Connection

        began_s, connection, events = elapsed_s(), None, _Heard()
        try:
            with broken_means(server.url):
                connection = Connection(self._servers, server, began_s + CONNECT_WITHIN_S)
                self._ask(server, connection)
                self._must_be_stream(server, connection)
                self._servers.answered(server)
                self._connected()
                self._read(server, connection, events)
        except SourceError as error:
            if not events.any or error.lasting:
                raise
            _log.debug("%s", error)
        finally:
            if connection is not None:
                connection.close()
        self._in_vain = 0
        self._failures = 0 if elapsed_s() - began_s > _STEADY_S else self._failures + 1
        self._intake.lost()

    def _ask(self, server: Server, connection: Connection) -> None:
        """Ask for the stream. Where not even the head of an answer comes, whether anybody is there is for those to find
        out whose answers end."""
        from opsgate.http_line import Question

        self._asked_at = self._intake.hearer.known.revision
        question = Question("GET", "/v1/gate/events", None, self._headers(), elapsed_s() + _HEAD_WITHIN_S)
        try:
            connection.ask(question)
        except TimeoutError:
            raise _held_back(server) from None

    def _headers(self) -> dict[str, str]:
        known = self._intake.hearer.known.snapshot
        resumes = {"Last-Event-ID": str(known.revision)} if known is not None and self._has_state else {}
        return {"Accept": "text/event-stream", "Cache-Control": "no-cache", **resumes}

    def _must_be_stream(self, server: Server, connection: Connection) -> None:
        response = connection.response
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if response.status == 200 and kind == "text/event-stream":
            return
        if response.status in (200, 404, 405, 406, 501):
            raise NoStream(f"{server.url} has no stream ({response.status} {plain(kind, 60)})")
        raise self._intake.refused(server, response.status, connection.answer(server).body)

    def _read(self, server: Server, connection: Connection, heard: _Heard) -> None:
        """Take what comes until it breaks off, which raises."""
        events, heard_s = Events(), elapsed_s()
        while not self._ending.is_set():
            try:
                piece = connection.read(heard_s + SILENCE_S - elapsed_s())
            except TimeoutError:
                if heard.any:
                    raise
                raise _held_back(server) from None
            if not piece:
                raise ConnectionResetError
            came = events.feed(piece)
            for event in came:
                self._take(server, event)
                heard.any = True
            if came or events.is_inside:
                heard_s = elapsed_s()

    def _take(self, server: Server, event: Event) -> None:
        if event.name == "heartbeat":
            self._check(server, event.data)
        else:
            asked_at, self._asked_at = self._asked_at, None
        if event.name != "snapshot":
            self._intake.heard()
            self._intake.deliver(event.data)
            return
        hearer, began_s = self._intake.hearer, elapsed_s()
        asked_at = hearer.known.revision if asked_at is None else asked_at
        try:
            snapshot = self._intake.receive(server, event.data, asked_at, self._age_s)
        except Behind as error:
            _log.info("%s", error)
        else:
            self._has_state = True
            hearer.take(Reading(began_s - self._age_s, asked_at, snapshot))
        self._intake.heard()

    def _check(self, server: Server, data: bytes) -> None:
        """Whose heartbeat this is, and how old what it tells of."""
        heartbeat = wire.decode(data) or {}
        age_s, fleet = heartbeat.get("age_s"), heartbeat.get("fleet")
        self._age_s = float(age_s) if isinstance(age_s, int | float) else 0.0
        if isinstance(fleet, str) and self._intake.hearer.is_foreign(fleet):
            raise self._intake.foreign(server, fleet)

    # ------------------------------------------------------------------------------------------------- what is said
    def _failed(self, error: SourceError) -> None:
        """Nobody can be heard, and nobody would answer."""
        self._failures += 1
        self._intake.hearing = "away"
        hearer = self._intake.hearer
        if not self._ending.is_set():
            failure = Reading(elapsed_s(), hearer.known.revision, failure=str(error), lasting=error.lasting)
            hearer.take(failure)

    def _is_asked_instead(self, error: NoStream) -> float:
        """Have it asked; returns the seconds until a stream is tried again."""
        self._failures = 0
        self._intake.hearing = "mute"
        self._in_vain += 1
        if not error.certain and self._in_vain == 1:
            return ONCE_MORE_S
        if self._said != str(error):
            self._said = str(error)
            _log.warning("%s; it is asked every few seconds instead, so a stop arrives that much later", error)
        return _NO_STREAM_S


def _held_back(server: Server) -> NoStream:
    sentence = f"{server.url} is connected and says nothing: something between keeps back what it streams"
    return NoStream(sentence, certain=False)


class _Heard:
    """Whether a stream said anything."""

    any = False
