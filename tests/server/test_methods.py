"""Methods as HTTP has them: HEAD is GET without its body, OPTIONS says what a path takes, and so does a refusal."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from backends.server.access import OPEN, ROUTES
from tests.support.serving import DEADLINE_S, Served, serving

NAMED = {"worker_id": "w1", "name": "sites", "reservation_id": "r-1@w1", "site_id": "s1", "key": "enableABTesting"}
STREAMS = ("/v1/gate/events", "/v1/events", "/ofrep/v1/events")


def path_of(template: str) -> str:
    return template.replace(":path}", "}").format_map(NAMED)


TAKEN: dict[str, set[str]] = {}
for method, template in (*ROUTES, *(("GET", path) for path in OPEN)):
    TAKEN.setdefault(path_of(template), set()).add(method)
READ = sorted(path for path, methods in TAKEN.items() if "GET" in methods and path not in STREAMS)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for developers."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}") as one:
        yield one


def allowed(answer: httpx.Response) -> set[str]:
    return set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize("path", READ)
def test_head_is_answered_as_get_without_its_body(served: Served, path: str) -> None:
    read, asked = served.get(path), served.http.head(path)

    assert asked.status_code == read.status_code
    assert set(asked.headers) == set(read.headers)
    assert [asked.headers[name] for name in ("content-type", "etag") if name in asked.headers] == [
        read.headers[name] for name in ("content-type", "etag") if name in read.headers
    ]
    assert asked.content == b""


def test_not_a_byte_of_a_body_goes_over_the_wire(served: Served) -> None:
    where = httpx.URL(served.url)
    paths = (b"/v1/gate", b"/v1/state", b"/nowhere")
    asked = b"".join(b"HEAD %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path for path in paths)
    with socket.create_connection((where.host, where.port), timeout=DEADLINE_S) as line:
        line.sendall(asked + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        said = b""
        while piece := line.recv(65_536):
            said += piece

    heads = said.split(b"\r\n\r\n")
    assert [head.split(b" ")[1] for head in heads[:-1]] == [b"200", b"200", b"404", b"200"]
    assert all(head.startswith(b"HTTP/1.1 ") for head in heads[:-1])
    assert heads[-1] == b"ok\n"


@pytest.mark.parametrize("path", STREAMS)
def test_the_head_of_a_stream_comes_to_an_end(served: Served, path: str) -> None:
    asked = served.http.head(path, headers={"accept": "text/event-stream"})

    assert asked.status_code == 200
    assert asked.headers["content-type"] == "text/event-stream; charset=utf-8"


@pytest.mark.parametrize("path", sorted(TAKEN))
def test_options_says_what_a_path_takes_and_so_does_the_refusal_of_another_method(served: Served, path: str) -> None:
    takes = TAKEN[path] | {"OPTIONS"} | ({"HEAD"} if "GET" in TAKEN[path] else set())

    options, refused = served.http.options(path), served.http.request("TRACE", path)

    assert (options.status_code, options.content, allowed(options)) == (204, b"", takes)
    assert (refused.status_code, refused.json()["code"], allowed(refused)) == (405, "wrong-method", takes)
    assert refused.headers["content-type"] == "application/problem+json"


def test_what_there_is_not_takes_nothing(served: Served) -> None:
    for method in ("GET", "OPTIONS", "DELETE"):
        answer = served.http.request(method, "/v1/nothing")
        assert (answer.status_code, answer.json()["code"]) == (404, "no-such-route")
        assert "allow" not in answer.headers


def test_the_stop_port_says_the_same_of_its_one_route(served: Served) -> None:
    url = f"{served.stop_url}/v1/stop"
    options, refused = httpx.options(url), httpx.get(url)

    assert (options.status_code, allowed(options)) == (204, {"OPTIONS", "POST"})
    assert (refused.status_code, allowed(refused)) == (405, {"OPTIONS", "POST"})
    assert httpx.head(f"{served.stop_url}/healthz").status_code == 200
    assert not served.room.runtime.state().stops
