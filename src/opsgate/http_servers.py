"""The servers of one fleet: where they are, which one answered last, and how a connection to one is made.

Sockets are kept in a set, so that whoever waits on one can be interrupted at the end, and so that a forked child can
let go of its parent's without touching what the parent's threads were doing with them.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opsgate.clock import elapsed_s
from opsgate.http_faults import Refused, Unreachable, in_short, unconnected

if TYPE_CHECKING:
    import ssl

CONNECT_WITHIN_S: Final = 3.0
"""Seconds for a connection to come about, TLS included."""


_LOOPBACK: Final = re.compile(r"localhost|127(\.\d+){3}|::1")


class Server:
    """One URL. ``addresses`` are those that its name had last."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.is_tls = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.is_tls else 80)
        self.path = parts.path.rstrip("/")
        self.addresses: tuple[tuple[int, tuple[object, ...]], ...] = ()

    def resolve(self) -> None:
        """Look its name up, which may take as long as the system's resolver likes."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            if self.addresses:
                return  # a resolver that is away is no reason to forget where the server was
            raise Unreachable(f"{self.url} cannot be reached: its name is not known ({in_short(error)})") from error
        self.addresses = tuple((family, address) for family, _, _, _, address in found)


class Servers:
    """All servers of one fleet, in the order in which they are tried now. From any thread."""

    def __init__(self, urls: tuple[str, ...], token: str) -> None:
        self._all = tuple(map(Server, urls))
        self._first = 0
        self._open: set[socket.socket] = set()
        self._context: ssl.SSLContext | None = None
        self._ended = False
        self.headers: Mapping[str, str] = {"User-Agent": "opsgate"}
        """What every question carries."""
        if token:
            self.headers = {**self.headers, "Authorization": f"Bearer {token}"}

    def __len__(self) -> int:
        return len(self._all)

    def in_clear(self) -> list[str]:
        """The URLs to which everything goes in clear, over a network."""
        return [each.url for each in self._all if not each.is_tls and not _LOOPBACK.fullmatch(each.host)]

    def in_turn(self) -> Iterator[Server]:
        """Each once: the one that answered last, and those behind it."""
        first = self._first
        for step in range(len(self._all)):
            yield self._all[(first + step) % len(self._all)]

    def answered(self, server: Server) -> None:
        """Begin with this one."""
        self._first = self._all.index(server)

    def failed(self, server: Server) -> None:
        """Begin with another one."""
        if self._all[self._first] is server:
            self._first = (self._first + 1) % len(self._all)

    def connect(self, server: Server, deadline_s: float, *, resolve: bool = True) -> socket.socket:
        """An open connection, TLS and all; without ``resolve``, to where its name led last, if that is known. Raises
        `Unreachable` or `Refused`."""
        if self._ended:
            raise Unreachable("the gate is closed")
        if resolve or not server.addresses:
            server.resolve()
        deadline_s = min(deadline_s, elapsed_s() + CONNECT_WITHIN_S)
        fault: OSError | None = None
        for family, address in server.addresses:
            made = self._made(server, family)
            try:
                made.settimeout(max(0.05, deadline_s - elapsed_s()))
                made.connect(address)
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                fault = error
                self._context = None  # authorities are read again: somebody may have mended their file
                self.close(made)
            else:
                return made
        raise unconnected(server.url, fault)

    def _made(self, server: Server, family: int) -> socket.socket:
        """A socket, which speaks TLS from its connection on where the server does."""
        made = socket.socket(family, socket.SOCK_STREAM)
        if server.is_tls:
            try:
                context = self._context = self._context or _context()
                made = context.wrap_socket(made, server_hostname=server.host)
            except BaseException:  # whatever it was: nobody else knows of this socket
                made.close()
                raise
        self._open.add(made)
        return made

    def close(self, made: socket.socket) -> None:
        """Close a connection."""
        self._open.discard(made)
        with suppress(OSError):
            made.close()

    def interrupt(self) -> None:
        """Have everybody who waits for an answer get none, and make no connection again."""
        self._ended = True
        for made in tuple(self._open):
            with suppress(OSError):
                socket.socket.shutdown(made, socket.SHUT_RDWR)  # that of TLS would be in its reader's way

    def abandon(self) -> None:
        """After a fork: close the child's descriptors and nothing else."""
        self._ended = True
        for made in tuple(self._open):
            with suppress(OSError):
                if (descriptor := made.detach()) >= 0:
                    os.close(descriptor)
        self._open.clear()


def _context() -> ssl.SSLContext:
    import ssl

    authority = os.environ.get("OPSGATE_CA_FILE") or None
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise Refused(f"OPSGATE_CA_FILE={authority} is no file of certificates ({in_short(error)})") from error
