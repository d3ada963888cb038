"""Over a long line every question costs a way there and back, and a new connection one more: none is made in vain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest

from backends.remote.backend import RemoteBackend
from backends.remote.transport import Asked, HttpTransport, Reply, Request
from core.authority import Identity
from core.capabilities.holds import PlaceHold, ReleaseHolds
from opsconsole.session import Feed
from opsgate.selector import Selector
from tests.console.desk import WHO, Clock
from tests.console.fleet import START
from tests.support.fleets import say
from tests.support.proxy import Proxy
from tests.support.serving import Served, serving
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a new fleet, that takes everybody for an administrator."""
    url = f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}"
    with serving(url, lambda _room: lambda _asked: Identity("ana", "admin")) as one:
        yield one


class Noting(HttpTransport):
    """Notes what is asked, but for what is only listened to."""

    def __init__(self, url: str) -> None:
        super().__init__([url])
        self.asked: list[str] = []

    @contextmanager
    def open(self, request: Request, timeout_s: float) -> Iterator[Reply]:
        if request.silent_s is None:
            self.asked.append(f"{request.method} {urlsplit(request.path).path}")
        with super().open(request, timeout_s) as reply:
            yield reply


def test_the_first_picture_asks_for_the_state_the_latest_events_and_who_works_and_for_nothing_else(
    served: Served,
) -> None:
    transport = Noting(served.url)
    feed = Feed(lambda: RemoteBackend(transport), WHO, monotonic=Clock(), utc_now=lambda: START, by_itself=False)
    feed.start()
    try:
        eventually(lambda: feed.turns)
        assert transport.asked == ["GET /v1/state", "GET /v1/audit", "GET /v1/observations"]
    finally:
        feed.stop()


def test_a_command_is_one_question_and_so_is_one_that_lets_something_run_where_nothing_lies_latched(
    served: Served,
) -> None:
    transport = Noting(served.url)
    with closing(RemoteBackend(transport)) as backend:
        transport.asked.clear()

        backend.submit(say(PlaceHold(selectors=(Selector.of(account="a1"),), reason="late feed")))
        backend.submit(say(ReleaseHolds(selectors=(Selector.of(account="a1"),), reason="it is back")))

        assert transport.asked == ["POST /v1/commands"] * 2


def test_a_stream_takes_no_connection_from_the_questions(served: Served) -> None:
    with Proxy.before(served.url) as line, closing(HttpTransport([line.url])) as transport:

        def ask() -> None:
            with transport.open(Request("GET", "/v1/state"), 30.0) as reply:
                reply.read()

        ask()
        with transport.open(Request("GET", "/v1/events", {"Accept": "text/event-stream"}, silent_s=30.0), 30.0) as news:
            next(news.chunks())
            made = line.made
            ask()
            assert line.made == made


def test_how_far_a_server_is_counts_from_when_the_question_leaves_and_not_from_when_a_connection_was_wanted() -> None:
    now_s = 0.0
    asked = Asked(lambda: now_s)
    now_s = 0.8
    asked.trace("http11.send_request_headers.started", {})
    now_s = 1.2
    asked.trace("http11.receive_response_headers.complete", {})

    assert asked.elapsed_s() == pytest.approx(0.4)
