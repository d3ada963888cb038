"""What begins like a request and is none, on either port: answered by a problem, and nothing is done."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from backends.server.connections import HEAD_MAX
from tests.support.serving import DEADLINE_S, Served, serving

HOST = b"Host: localhost\r\n"
HOLD = b'{"kind":"place-hold","selectors":[{"account":"smuggled"}]}'
STOP = b'{"selector":{"account":"smuggled"}}'
NEXT = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for developers, where everybody is an administrator."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}") as one:
        yield one


@pytest.fixture(params=["main", "stop"])
def port(request: pytest.FixtureRequest, served: Served) -> Iterator[httpx.URL]:
    """One of the two, and the fleet is afterwards what it was."""
    before = served.get("/v1/gate").json()
    yield httpx.URL(served.url if request.param == "main" else served.stop_url)
    after = served.get("/v1/gate").json()
    assert (after["snapshot"]["holds"], after["orders"]) == (before["snapshot"]["holds"], before["orders"])


def say(port: httpx.URL, *pieces: bytes) -> bytes:
    """All that is answered until the server hangs up."""
    with socket.create_connection((port.host, port.port), timeout=DEADLINE_S) as line:
        said = b""
        with suppress(ConnectionError):  # it has heard enough
            for piece in pieces:
                line.sendall(piece)
        with suppress(ConnectionError):
            while piece := line.recv(65_536):
                said += piece
        return said


def problems(said: bytes) -> list[tuple[int, dict[str, Any]]]:
    """Status and document of each answer; each has to be a problem."""
    found = []
    while said:
        head, _, said = said.partition(b"\r\n\r\n")
        assert b"content-type: application/problem+json" in head.lower(), head
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        found.append((int(head.split()[1]), json.loads(said[:size])))
        said = said[size:]
    return found


def order(port: httpx.URL, served: Served, headers: bytes, body: bytes = b"", *, path: bytes = b"") -> bytes:
    """A request that would hold or stop, were it one."""
    path = path or (b"/v1/commands" if str(port) == served.url else b"/v1/stop")
    return b"POST %b HTTP/1.1\r\n%bContent-Type: application/json\r\n%b\r\n%b" % (path, HOST, headers, body)


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nContent-Length: 58\r\n",
        b"Content-Length: 58, 58\r\n",
        b"Content-Length: +58\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"X: a\r\n b\r\nTransfer-Encoding: chunked\r\n",
        b"X: a\0b\r\nTransfer-Encoding: chunked\r\n",
        b"X: a\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_what_two_readers_could_divide_differently_is_no_request_and_nothing_behind_it_is_one(
    served: Served, port: httpx.URL, framing: bytes
) -> None:
    body = chunked(HOLD if str(port) == served.url else STOP)

    ((status, problem),) = problems(say(port, order(port, served, framing, body + NEXT)))

    assert (status, problem["status"], problem["code"]) == (400, 400, "malformed-http")


@pytest.mark.parametrize(
    "said", [b"\x16\x03\x01\x02\x00" + b"a" * 600, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"hello\r\n\r\n"]
)
def test_another_protocol_is_told_so(port: httpx.URL, said: bytes) -> None:
    ((status, problem),) = problems(say(port, said))

    assert (status, problem["code"]) == (400, "malformed-http")


@pytest.mark.parametrize("many", [False, True])
def test_a_head_that_is_too_large_is_refused_at_once(served: Served, port: httpx.URL, many: bool) -> None:
    headers = b"X: a\r\n" * HEAD_MAX if many else b"X: " + b"a" * HEAD_MAX + b"\r\n"
    whole = order(port, served, headers + b"Content-Length: 0\r\n")

    for pieces in ([whole], [whole[:-9]], [b"GET /" + b"a" * 2 * HEAD_MAX]):
        ((status, problem),) = problems(say(port, *pieces))
        assert (status, problem["code"]) == (431, "head-too-large")


def test_what_never_ends_is_not_kept_wherever_it_stands(served: Served, port: httpx.URL) -> None:
    """A header, a number of a chunk, and what follows the last one."""
    endless = b"a" * (4 * HEAD_MAX)
    begun = order(port, served, b"Transfer-Encoding: chunked\r\n")

    for beginning in (b"GET /healthz HTTP/1.1\r\nX: ", begun + b"1;", begun + b"2\r\n{}\r\n0\r\nX: "):
        answers = problems(say(port, beginning, endless, endless))
        assert answers
        assert {status for status, _ in answers} <= {400, 422, 431}


def test_what_follows_a_body_is_no_part_of_what_was_asked(served: Served, port: httpx.URL) -> None:
    """What stands in front of a server looks at headers, and lets trailers pass."""
    trailer = b"2\r\n{}\r\n0\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n"
    path = b"/v1/nothing"

    ((status, _),) = problems(
        say(port, order(port, served, b"Transfer-Encoding: chunked\r\nConnection: close\r\n", trailer, path=path))
    )

    assert status == 404, "neither the host nor the page of the trailer was looked at"


def test_what_is_no_request_takes_no_answer_from_what_was_asked_before_it(port: httpx.URL) -> None:
    said = say(port, NEXT + b"\0nonsense\r\n\r\n")

    assert said.startswith(b"HTTP/1.1 200 OK")
    assert said.endswith(b"ok\n")


def test_a_chunk_that_is_none_ends_its_request_at_once(served: Served, port: httpx.URL) -> None:
    ((status, problem),) = problems(say(port, order(port, served, b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n")))

    assert (status, problem["code"]) == (400, "malformed-http")
