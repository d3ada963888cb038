"""What a server says while its database is away is as old as its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from backends.contact import ContactLog
from backends.remote.client import Client
from backends.remote.copy import Copy
from backends.remote.stream import Stream
from backends.remote.transport import Request


class Server:
    """Says one heartbeat."""

    @contextmanager
    def following(self, _request: Request, _timeout_s: float) -> Iterator[Iterator[bytes]]:
        yield iter([b'event: heartbeat\ndata: {"t":"heartbeat","revision":0,"age_s":42.0}\n\n'])


def test_a_heartbeat_makes_nothing_newer_than_the_database_that_it_tells_of() -> None:
    contact = ContactLog(lambda: 100.0)
    stream = Stream(cast(Client, Server()), Copy(lambda *_: None), lambda: None, contact.alive)

    stream._listen()

    assert contact.now().age_s == 42.0
