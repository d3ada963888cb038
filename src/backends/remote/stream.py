"""The thread that hears what happens on the server: by a stream of events, or by asking where no stream comes through.

A stream that brings no event for two and a half heartbeats is given up, also where something on the way keeps the
connection alive. What it brought is folded at once; between two streams nothing is missed, because each begins behind
the last event that is known here.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from backends.documents import Malformed, news_from, page_from
from backends.remote.client import Client
from backends.remote.copy import Copy, Gap
from backends.remote.transport import Request
from core.errors import NotOurDatabase, NotPermitted, OpsError, TimedOut
from opsgate.clock import elapsed_s
from opsgate.sse import Event, Events
from opsgate.wire import HEARTBEAT_S

_log = logging.getLogger("opsconsole.remote")

SILENT_S: Final = 2.5 * HEARTBEAT_S
"""Seconds without a heartbeat after which a stream counts as broken."""

CONNECT_S: Final = 5.0
WAIT_S: Final = 20.0
"""Seconds for which the server may keep a question for news, where it is asked."""

PAUSES_S: Final = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Before the next try after one, two, … failures, up to half shorter by chance; the last is the longest."""

_EVENT_BYTES_MAX: Final = 256 << 20
"""The state of a fleet of a million sites is smaller."""

_MUTE_TWICE: Final = 2
_STREAM_AGAIN: Final = 30
"""After so many streams that brought nothing it asks instead; after so many answers it tries a stream again."""


class Stream(threading.Thread):
    """Keeps a `Copy` up to date until `close`."""

    def __init__(self, client: Client, copy: Copy, reload: Callable[[], None], alive: Callable[[float], None]) -> None:
        """``reload`` reads the whole state anew; ``alive`` is told of every sign of life, and how many seconds
        old what it tells is."""
        super().__init__(name="opsconsole-stream", daemon=True)
        self._client = client
        self._copy = copy
        self._reload = reload
        self._alive = alive
        self._ended = threading.Event()
        self._mute = 0

    def close(self) -> None:
        """End. What it is reading is left to its deadline: nobody waits for it."""
        self._ended.set()

    def run(self) -> None:
        """The life of the thread."""
        failures = 0
        while not self._ended.wait(_pause_s(failures)):
            try:
                failures = self._go_on(failures)
            except Exception:  # noqa: BLE001 - news must not end for good because of one fault, whosever it is
                _log.exception("following the server failed")
                failures += 1

    def _go_on(self, failures: int) -> int:
        """Hear of news until that ends; returns how many failures follow on each other by then."""
        try:
            if self._mute < _MUTE_TWICE:
                self._listen()
            else:
                self._ask_for_a_while()
        except Gap:
            return self._read_anew(failures)
        except OpsError as error:  # the client remembers what is wrong and since when
            return len(PAUSES_S) if isinstance(error, NotPermitted | NotOurDatabase) else self._after(failures)
        return 0

    def _after(self, failures: int) -> int:
        """How many failures follow on each other with this one: one that was heard before it broke is the first."""
        return failures + 1 if self._mute else 1

    def _listen(self) -> None:
        """Follow one stream to its end."""
        after = self._copy.state.revision
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after), "Cache-Control": "no-store"}
        request = Request("GET", f"/v1/events?after={after}", headers, silent_s=SILENT_S)
        heard = False
        try:
            with self._client.following(request, CONNECT_S) as chunks:
                for sent in self._events(chunks):
                    heard = True
                    self._alive(_age_s(sent))
                    if self._ended.is_set():
                        return
                    self._take(sent)
        finally:
            self._mute = 0 if heard else self._mute + 1

    def _events(self, chunks: Iterable[bytes]) -> Iterator[Event]:
        """The events in a stream. Raises `TimedOut` where none comes, whatever else does, and `Malformed`."""
        events, heard_s = Events(_EVENT_BYTES_MAX), elapsed_s()
        for chunk in chunks:
            try:
                came = events.feed(chunk)
            except ValueError as error:
                raise Malformed(f"this is no stream of ours: {error}") from error
            yield from came
            if came or events.is_inside:
                heard_s = elapsed_s()
            elif elapsed_s() - heard_s > SILENT_S:
                raise TimedOut("no-answer", f"{self._client.transport.url} did not answer in time", "try again")

    def _take(self, sent: Event) -> None:
        match sent.name:
            case "row" | "veil":
                self._copy.follow([news_from(_json(sent.data))])
            case "heartbeat":
                self._compare(_json(sent.data))
            case "snapshot":
                raise Gap
            case _:
                pass  # a word of a later version

    def _ask_for_a_while(self) -> None:
        """Ask for news again and again: something on the way keeps streams back."""
        for _ in range(_STREAM_AGAIN):
            if self._ended.is_set():
                return
            catch_up(self._client, self._copy, wait_s=WAIT_S, timeout_s=WAIT_S + CONNECT_S)
            self._alive(0.0)
        self._mute = 0

    def _compare(self, beat: dict[str, Any]) -> None:
        """A heartbeat says how far the journal has come that was sent. Where that is not what is known here something
        was lost on the way, or an answer was ahead of the stream, or the journal was put back: asking tells which.
        Raises `Gap` where it is as far, and is another journal."""
        known = self._copy.state.revision
        if beat.get("revision", known) != known:
            catch_up(self._client, self._copy, timeout_s=CONNECT_S)
        elif "chain" in beat:
            self._copy.expect(known, beat["chain"])

    def _read_anew(self, failures: int) -> int:
        try:
            self._reload()
        except OpsError:
            return failures + 1
        return 0


def catch_up(client: Client, copy: Copy, *, wait_s: float = 0.0, timeout_s: float) -> None:
    """Ask for what comes next until there is no more. Raises `Gap`, and `core.errors`; what has come until then is
    kept."""
    deadline_s = elapsed_s() + timeout_s
    while (left_s := deadline_s - elapsed_s()) > 0:
        after = copy.state.revision
        path = f"/v1/events?after={after}" + (f"&wait={wait_s:g}" if wait_s else "")
        answer = client.ask(path, timeout_s=left_s, refused=lambda status, _problem: status == 410)
        if isinstance(answer, dict) and "rows" not in answer:
            raise Gap
        page = client.read(page_from, answer)
        copy.follow(page.news)
        if not page.news or copy.state.revision >= page.revision:
            return copy.expect(page.revision, page.chain)
        if copy.state.revision == after:
            raise Gap  # it says that there is more, and shows nothing new
    raise TimedOut("no-answer", f"{client.transport.url} has more to tell than the time allows", "try again")


def _age_s(sent: Event) -> float:
    """For how long the server has not heard of its database, as its heartbeat says."""
    said = _json(sent.data).get("age_s") if sent.name == "heartbeat" else None
    return max(0.0, float(said)) if isinstance(said, int | float) else 0.0


def _json(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise Gap from None
    if not isinstance(document, dict):
        raise Gap
    return document


def _pause_s(failures: int) -> float:
    longest = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 (spread, no secret)
