"""A pooler in transaction mode, as far as a client can tell it from a database: it greets under a process number of its
own, and passes no notification on."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

_KEY, _NOTIFICATION = b"K", b"A"
_OWN_PID = 7


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
            server = socket.socket(socket.AF_UNIX)
            server.connect(path)
            threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()
            threading.Thread(target=_pass_back, args=(server, client), daemon=True).start()


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    with contextlib.suppress(OSError), server:
        while data := client.recv(65536):
            server.sendall(data)
        server.shutdown(socket.SHUT_RDWR)


def _pass_back(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError), client, server.makefile("rb") as said:
        while len(head := said.read(5)) == 5:
            kind, length = head[:1], struct.unpack("!I", head[1:])[0]
            body = said.read(length - 4)
            if kind == _KEY:
                body = struct.pack("!I", _OWN_PID) + body[4:]
            if kind != _NOTIFICATION:
                client.sendall(head + body)
