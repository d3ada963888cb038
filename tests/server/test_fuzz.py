"""Whatever is sent to a server, nothing breaks: no answer is a fault of ours, nothing changes that may not, and whoever
comes next is answered."""

from __future__ import annotations

import logging
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as drawn_from
from hypothesis import strategies as st
from schemathesis.core.result import Ok

from backends.server.asked import Asked
from core import checkpoint
from core.authority import Identity
from tests.conftest import FULL
from tests.support.serving import Served, serving

PARTS: Final = 4 if FULL else 1
"""In how many parts a full run is made side by side, each with a server of its own."""

pytestmark = [
    pytest.mark.timeout(0 if FULL else 180),
    pytest.mark.parametrize(
        "part", [pytest.param(part, marks=pytest.mark.xdist_group(f"fuzz-{part}")) for part in range(PARTS)]
    ),
]

PEOPLE: Final = {f"Bearer {role}": Identity(role, role) for role in ("viewer", "admin")}
VIEWER: Final = {"Authorization": "Bearer viewer"}


def identify(asked: Asked) -> Identity | None:
    """Who has one of two tokens."""
    return PEOPLE.get(asked.headers.get("authorization", ""))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that knows a viewer and an admin."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}", lambda _room: identify) as one:
        yield one


@pytest.fixture(autouse=True)
def faultless(served: Served, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test sends: the state is what it was, no traceback is logged, and the server goes on answering."""
    before = digest(served)
    with caplog.at_level(logging.INFO, logger="opsconsole.requests"):
        yield
    assert digest(served) == before
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert [record.__dict__ for record in caplog.records if getattr(record, "status", 0) >= 500] == []
    assert served.get("/v1/state", headers=VIEWER).status_code == 200
    refused = httpx.post(f"{served.stop_url}/v1/stop", headers=VIEWER, timeout=60)
    assert refused.status_code == 403


STREAMS: Final = ("/v1/gate/events", "/ofrep/v1/events")
PROBLEM: Final = "application/problem+json"


def digest(served: Served) -> str:
    return checkpoint.digest(checkpoint.dump(served.room.runtime.state()))


# ------------------------------------------------------------------------------------- as the document says it may be
def test_no_request_that_the_document_allows_breaks_it_or_lets_a_viewer_change_anything(
    served: Served, seed: int, part: int
) -> None:
    admin = {"Authorization": "Bearer admin"}
    document = served.get("/openapi.json", headers=admin).json()
    schema = schemathesis.openapi.from_dict(document)
    found = list(schema.get_all_operations())
    operations = [each.ok() for each in found if isinstance(each, Ok)]
    assert len(operations) == len(found) > 20
    cases = st.one_of([each.as_strategy() for each in operations if each.path not in STREAMS])

    @drawn_from(seed + part)
    @settings(
        max_examples=20_000 // PARTS if FULL else 80,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def run(case: schemathesis.Case[Any]) -> None:
        if "wait" in case.query:
            case.query["wait"] = 0
        answer = case.call(base_url=served.url, headers={**VIEWER, "Accept": "application/json"}, timeout=60)
        assert answer.status_code < 500, (case.method, case.path, answer.content)
        if answer.status_code >= 400:
            kinds = [PROBLEM, "application/json"] if case.path.startswith("/ofrep/") else [PROBLEM]
            assert answer.headers["content-type"][0] in kinds

    run()


# ------------------------------------------------------------------------------------------------------ raw bytes
DEEP = b"[" * 100_000 + b"]" * 100_000
BODIES: Final = (
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"{",
    b"\xff\xfe",
    b"\x00",
    b'{"kind":"place-hold","selectors":[{}],"create":"false"}',
    b'{"kind":"place-hold","selectors":[{}],"create":0}',
    b'{"kind":"place-hold","selectors":[{}],"admit":NaN}',
    b'{"kind":"place-hold","selectors":[{}],"admit":1e999}',
    b'{"kind":"place-hold","selectors":[{}],"reason":"\\ud800"}',
    b'{"kind":"place-hold","kind":"place-hold","selectors":[{}]}',
    b'{"kind":"place-hold","selectors":[{"site":"a","site":"b"}]}',
    b'{"kind":"place-hold","selectors":[{"site":"../x"}]}',
    b'{"kind":"place-hold","selectors":[{}],"actor":"mallory"}',
    b'{"kind":"set-limit","name":"sites","limit":"5"}',
    b'{"kind":"set-limit","name":"sites","limit":' + b"9" * 5000 + b"}",
    b'{"kind":"no-such-kind"}',
    b'{"kind":{"$ne":null}}',
    b'{"level":"gentle"}',
    b'{"selector":{"site":"x"},"selectors":"all"}',
    DEEP,
    b'{"a":' * 30_000,
    b'{"reason":"' + b"x" * 70_000 + b'"}',
)
"""None of these is anything that a server takes, whoever sends it."""

PATHS: Final = (
    b"/v1/commands",
    b"/v1/stop",
    b"/v1/state",
    b"/v1//state",
    b"/v1/../v1/state",
    b"/v1/%2e%2e/commands",
    b"/v1/commands/",
    b"//evil/v1/commands",
    b"http://evil/v1/commands",
    b"/v1/state?at=NaN",
    b"/v1/events?after=-1",
    b"/v1/events?after=99999999999999999999999",
    b"/v1/workers/%00",
    b"/v1/workers/%ff%fe",
    b"/v1/limits/..%2f..%2f/reserve",
    b"/v1/check?site=%0d%0aX:1",
    b"/" + b"a" * 9000,
    b"/v1/st\xc3\xa4te",
    b"*",
    b"",
)
HOSTS: Final = (b"127.0.0.1", b"", b"evil.example", b"a b", b"[::1", b"x" * 3000, b"localhost:99999", b"\xff")
METHODS: Final = (
    b"GET",
    b"POST",
    b"PUT",
    b"DELETE",
    b"PATCH",
    b"OPTIONS",
    b"HEAD",
    b"TRACE",
    b"CONNECT",
    b"get",
    b"X" * 99,
)
HEADERS: Final = (
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: 1\r\nContent-Length: 2",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 4",
    b"Transfer-Encoding: gzip, identity",
    b"Expect: 100-continue",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
    b"Upgrade: h2c\r\nConnection: Upgrade",
    b"Idempotency-Key: " + b"k" * 200,
    b"Idempotency-Key: a\r\nIdempotency-Key: b",
    b'If-Match: "x"',
    b'If-Match: "999999999999999999999999"',
    b"If-None-Match: " + b"," * 2000,
    b"Last-Event-ID: \xc2\xb2",
    b"Last-Event-ID: -5",
    b"X-Correlation-ID: \x01",
    b"Accept: text/event-stream",
    b"Content-Type: application/json; charset=utf-16",
    b"Content-Type: text/plain",
    b"Origin: null\r\nSec-Fetch-Site: cross-site",
    b"X-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1",
    b"Cookie: " + b"c" * 5000,
    b"No-Colon",
    b" : empty",
    b"Folded: a\r\n b",
    b"Nul: \x00",
)
WHO: Final = (b"", b"Authorization: Bearer viewer", b"Authorization: Bearer admin", b"Authorization: Bearer \xff")


def a_request(chance: random.Random) -> bytes:
    """Some bytes that begin as a request begins, more or less. No admin's request among them is a good one."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.randint(1, 300))
    who, body = chance.choice(WHO), chance.choice(BODIES)
    method, path = chance.choice(METHODS), chance.choice(PATHS)
    if b"admin" in who and not (body and b"commands" in path):
        who = b""  # an admin may stop by an empty body, and say goodbye for a worker
    headers = [b"Host: " + chance.choice(HOSTS) for _ in range(chance.choice((0, 1, 1, 1, 2)))]
    headers += [who] if who else []
    headers += chance.sample(HEADERS, chance.choice((0, 0, 1, 2, 3)))
    if chance.random() < 0.8:
        headers.append(b"Content-Length: %d" % len(body))
    version = chance.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/9.9", b"", b"ICY"))
    request = b"\r\n".join([b"%b %b %b" % (method, path, version), *headers, b"", body])
    if chance.random() < 0.2:
        at = chance.randrange(len(request))
        request = request[:at] + chance.randbytes(chance.randint(0, 5)) + request[at + chance.randint(0, 3) :]
    return request if chance.random() < 0.9 else request[: chance.randrange(len(request))]


@pytest.mark.parametrize("port", ["main", "stop"])
def test_no_bytes_break_a_listener(served: Served, port: str, seed: int, part: int) -> None:
    chance = random.Random(f"{seed}-{port}-{part}")
    where = httpx.URL(served.url if port == "main" else served.stop_url)
    answered: set[bytes] = set()
    with ExitStack() as slow:
        for number in range(50_000 // PARTS if FULL else 150):
            request = a_request(chance)
            client = socket.create_connection((where.host, where.port), timeout=60)
            if number % 30 == 0:  # one who never finishes, while the others are served
                slow.enter_context(client)
                client.sendall(request[:40])
                continue
            with client:
                answered.add(_status(client, request))
            if number % 3000 == 0:
                slow.close()
        assert not [status for status in answered if status.startswith(b"5")], answered
        assert {b"400", b"401"} <= answered


def _status(client: socket.socket, request: bytes) -> bytes:
    """What is answered, where anything is before the server has nothing more to say or waits for more."""
    said = b""
    with suppress(OSError):  # it hung up before it had heard it all, as it may
        client.sendall(request)
        client.settimeout(0.05)
        while b"\r\n" not in said and (piece := client.recv(4096)):
            said += piece
    words = said.split(b" ", 2)
    return words[1][:3] if len(words) > 1 else b""
