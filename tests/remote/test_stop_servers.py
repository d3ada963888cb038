"""The stop lane over the network: every server is told at once, by both of its doors, and each is reported apart."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from backends import stop_lane
from backends.stop_servers import servers_of
from tests.support.serving import adjacent

RECORDED = {"durable": "database", "revision": 19, "emergency_id": "E-18", "of": 3}


@contextmanager
def a_server(status: int = 200, document: Any = RECORDED, port: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """One port that answers every stop in one way; yields its URL, and what it is told."""
    told: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.append((self.path, self.headers.get("Authorization"), order["stop_id"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def nobody() -> Iterator[str]:
    """The URL of a port that is taken and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def somebody_silent() -> Iterator[str]:
    """The URL of a port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_server_that_records_the_stop_makes_it_durable_in_the_database() -> None:
    order = stop_lane.new_order()

    with a_server() as (url, told):
        fired = stop_lane.fire(order, url=url, token="ops_secret")

    assert told == [("/v1/stop", "Bearer ops_secret", order.stop_id)]
    assert (fired.durable, fired.revision, fired.emergency_id, fired.of) == ("database", 19, "E-18", 3)
    assert [(server.url, server.word) for server in fired.servers] == [(url, "answered")]
    assert fired.latched, "the latch of this host is placed all the same"


def test_every_server_is_told_and_each_says_for_itself_what_became_of_it() -> None:
    refusal = {"title": "Forbidden", "detail": "this token may only look"}

    with (
        a_server() as (good, _),
        a_server(403, refusal) as (strict, _),
        a_server(502, "<html>") as (broken, _),
        nobody() as gone,
    ):
        fired = stop_lane.fire(stop_lane.new_order(), url=f"{strict}, {broken}, {gone}, {good}/")

    words = {server.url: server.word for server in fired.servers}
    assert words[good] == "answered"
    assert set(words) == {strict, broken, gone, good}
    assert fired.durable == "database", "one that has recorded it is enough"


def test_what_is_wrong_with_each_is_said() -> None:
    refusal = {"title": "Forbidden", "detail": "this token may only look"}

    with a_server(403, refusal) as (strict, _), a_server(502, "<html>") as (broken, _), nobody() as gone:
        fired = stop_lane.fire(stop_lane.new_order(), url=f"{strict},{broken},{gone}")

    told = {server.url: (server.word, server.fault) for server in fired.servers}
    assert told[strict] == ("refused", "this token may only look")
    assert told[broken] == ("refused", "it answered 502")
    assert told[gone] == ("absent", "Connection refused")
    assert (fired.durable, fired.in_force, fired.heard) == ("spool", True, False)


def test_a_server_that_never_answers_holds_up_neither_the_latch_nor_the_others() -> None:
    order = stop_lane.new_order()

    with somebody_silent() as stuck, a_server() as (good, _):
        fired = stop_lane.fire(order, url=f"{stuck},{good}", timeout_s=60.0)

    assert fired.durable == "database"
    assert {server.url: server.word for server in fired.servers} == {stuck: "silent", good: "answered"}


def test_one_that_is_there_and_says_nothing_counts_as_somebody_who_may_have_heard() -> None:
    with somebody_silent() as stuck:
        fired = stop_lane.fire(stop_lane.new_order(), url=stuck, timeout_s=0.2)

    assert (fired.heard, [told.word for told in fired.servers]) == (True, ["silent"])


OF_ANOTHER = {"title": "Misdirected Request", "detail": "this is the main port of server 5e", "code": "another-door"}
STOPPED_THERE = {**RECORDED, "fleet": "f-1", "server": "5e", "door": "stop"}


@pytest.mark.parametrize(
    ("status", "document", "word"),
    [
        (200, STOPPED_THERE, "answered"),
        (200, {**STOPPED_THERE, "door": "main"}, "absent"),
        (200, RECORDED, "absent"),
        (421, OF_ANOTHER, "absent"),
    ],
)
def test_what_answers_behind_a_servers_port_counts_for_it_where_it_says_that_it_is_a_stop_port(
    status: int, document: Any, word: str
) -> None:
    """The server is down, and on the port behind its own lives its stop port, or another server."""
    with adjacent() as (first, second), a_server(status, document, second) as (_, told):
        fired = stop_lane.fire(stop_lane.new_order(), url=f"http://127.0.0.1:{first}")

    assert len(told) == 1, "it was asked"
    assert [server.word for server in fired.servers] == [word]
    assert fired.durable == ("database" if word == "answered" else "spool")


def test_the_servers_of_a_url() -> None:
    assert servers_of("https://a:3001/, http://b") == ("https://a:3001", "http://b")
    assert servers_of("sqlite:///fleet.db") == servers_of(None) == ()
