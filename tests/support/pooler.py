"""A pooler in transaction mode: it greets under a process number of its own, has each transaction done by another
session than the one before, and passes no notification on."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

_OWN_PID = 7
_SESSIONS = 2

Message = tuple[bytes, bytes]
"""What kind it is, and all of it."""


@contextmanager
def pooled(url: str) -> Iterator[str]:
    """The URL of a pooler before the database at ``url``, which is reached by a unix socket."""
    where = urlsplit(url)
    folder = parse_qs(where.query)["host"][0]
    login = f"{where.username}@" if where.username else ""
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_let_in, args=(door, f"{folder}/.s.PGSQL.5432"), daemon=True).start()
        yield f"postgresql://{login}127.0.0.1:{door.getsockname()[1]}{where.path}?sslmode=disable&gssencmode=disable"
        with contextlib.suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)  # which wakes the one who waits at it


def _let_in(door: socket.socket, path: str) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = door.accept()
            threading.Thread(target=_serve, args=(client, path), daemon=True).start()


def _serve(client: socket.socket, path: str) -> None:
    with contextlib.suppress(OSError), client:
        startup = _startup(client)
        sessions = [_Session(path, startup) for _ in range(_SESSIONS)]
        try:
            client.sendall(sessions[0].greeting)
            while asked := _message(client):
                sessions.append(sessions.pop(0))
                sessions[0].carry_out(asked, client)
        finally:
            for session in sessions:
                session.channel.close()


class _Session:
    """One session with the database. ``greeting`` is what it said when it was begun, under the pooler's number."""

    def __init__(self, path: str, startup: bytes) -> None:
        self.channel = socket.socket(socket.AF_UNIX)
        self.channel.connect(path)
        self.channel.sendall(startup)
        self.greeting = b""
        while (said := _message(self.channel)) and said[0] != b"Z":
            kind, text = said
            self.greeting += text[:5] + struct.pack("!I", _OWN_PID) + text[9:] if kind == b"K" else text
        if said is None:  # it let nobody in, and has said why
            return
        self.greeting += said[1]

    def carry_out(self, asked: Message, client: socket.socket) -> None:
        """A transaction, from the message that begins it until the database says that none is open."""
        unanswered = self._pass_on(asked)
        with selectors.DefaultSelector() as either:
            either.register(client, selectors.EVENT_READ)
            either.register(self.channel, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in either.select()}
                if client in ready:
                    more = _message(client)
                    if more is None:
                        raise ConnectionError
                    unanswered += self._pass_on(more)
                elif self.channel in ready:
                    said = _message(self.channel)
                    if said is None:
                        raise ConnectionError
                    kind, text = said
                    if kind != b"A":
                        client.sendall(text)
                    unanswered -= kind == b"Z"
                    if kind == b"Z" and not unanswered and text[5:6] == b"I":
                        return

    def _pass_on(self, asked: Message) -> int:
        """Returns how many times the database will say that it is ready."""
        self.channel.sendall(asked[1])
        return int(asked[0] in (b"Q", b"S"))


def _startup(client: socket.socket) -> bytes:
    length = client.recv(4, socket.MSG_WAITALL)
    return length + client.recv(struct.unpack("!I", length)[0] - 4, socket.MSG_WAITALL)


def _message(end: socket.socket) -> Message | None:
    """The next message; None where the other side has hung up."""
    head = end.recv(5, socket.MSG_WAITALL)
    if len(head) < 5:
        return None
    length = struct.unpack("!I", head[1:])[0] - 4
    body = end.recv(length, socket.MSG_WAITALL) if length else b""
    return head[:1], head + body
