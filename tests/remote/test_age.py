"""What a server says while its database is away is as old as its database, and what only a proxy says is nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

import pytest

from backends.contact import ContactLog
from backends.documents import Malformed
from backends.remote import stream as module
from backends.remote.client import Client
from backends.remote.copy import Copy
from backends.remote.stream import Stream
from backends.remote.transport import HttpTransport, Request, Transport
from core.errors import OpsError, TimedOut


class Server:
    """Says these pieces of a stream."""

    def __init__(self, *pieces: bytes) -> None:
        self.left = list(pieces)

        self.transport = HttpTransport(["http://server"])

    @contextmanager
    def following(self, _request: Request, _timeout_s: float) -> Iterator[Iterator[bytes]]:
        yield (self.left.pop(0) for _ in range(len(self.left)))


def following(server: Server, contact: ContactLog) -> Stream:
    return Stream(cast(Client, server), Copy(lambda *_: None), lambda: None, contact.alive)


def test_a_heartbeat_makes_nothing_newer_than_the_database_that_it_tells_of() -> None:
    contact = ContactLog(lambda: 100.0)
    server = Server(b'event: heartbeat\ndata: {"t":"heartbeat","revision":0,"age_s":42.0}\n\n')

    following(server, contact)._listen()

    assert contact.now().age_s == 42.0


def test_a_line_that_something_on_the_way_keeps_open_is_no_contact_and_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SILENT_S", 0.0)
    contact = ContactLog(lambda: 100.0)
    server = Server(b": the proxy lives\n\n", b": and goes on\n\n")

    with pytest.raises(TimedOut):
        following(server, contact)._listen()

    assert server.left == [b": and goes on\n\n"]
    assert contact.now().word == "initialising"


def test_a_stream_of_which_one_event_never_ends_is_no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EVENT_BYTES_MAX", 100)

    with pytest.raises(Malformed, match="no stream of ours"):
        following(Server(*[b"data: " + b"x" * 50] * 3), ContactLog(lambda: 100.0))._listen()


@dataclass
class Answer:
    """One answer, to whatever is asked."""

    status: int
    document: dict[str, Any]
    url: str = "http://server"
    round_trip_s: float = 0.001

    @contextmanager
    def open(self, _request: Request, _timeout_s: float) -> Iterator[Answer]:
        yield self

    def read(self) -> bytes:
        return json.dumps(self.document).encode()


@pytest.mark.parametrize(
    ("status", "kind", "word", "age_s"),
    [
        (200, "", "valid", 0.0),
        (403, "not-permitted", "valid", 0.0),  # of one command: the server is there, and what it tells is heard
        (409, "rejected", "valid", 0.0),
        (401, "not-permitted", "interrupted", 30.0),
        (503, "unavailable", "valid", 30.0),
        (504, "timed-out", "valid", 30.0),
    ],
)
def test_what_is_shown_gets_older_while_the_server_answers_without_knowing_us_or_its_database(
    status: int, kind: str, word: str, age_s: float
) -> None:
    """Given a state that was read 30 s ago, when one more question is asked, then only an answer makes it new."""
    now_s = 100.0
    contact = ContactLog(lambda: now_s)
    contact.alive()
    now_s += 30.0
    problem = {"kind": kind, "code": "no-identity", "detail": "nobody is known by this credential"}
    client = Client(cast(Transport, Answer(status, problem)), contact)

    with suppress(OpsError):
        client.ask("/v1/observations", timeout_s=1.0)

    assert (contact.now().word, contact.now().age_s) == (word, age_s)
