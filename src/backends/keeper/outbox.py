"""The outbox: sockets to send from, which never wait and of which nobody who does not read can take more than a part.

A datagram counts against its sender's buffer until it is read. A few hundred unread ones fill an ordinary buffer, and
then nothing more leaves that socket, for anybody. So there are several, each address always goes by the same one, and
answers never leave by a socket that gates are told things through.

The same sockets can take what is answered to them. Each has a queue of its own, which holds ten: where a thousand
answer at once, hardly anybody has to wait until somebody else's word was read.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Final, Protocol

from backends.keeper.peers import tell_senders

Address = bytes | str

HTTP: Final = "http:"
"""How the address of a worker begins that speaks HTTP. No socket of ours has such a path."""

GATES: Final = 64
"""Sockets for telling all gates: a worker that is frozen holds up one in so many others, and only when its backlog has
grown to that socket's whole buffer."""

_BUFFER_BYTES: Final = 4 << 20
"""What is asked for; the kernel gives up to its own limit."""


class Streams(Protocol):
    """The way to those who have no socket on this host. Returns at once, from any thread; keeps the order."""

    def tell(self, message: bytes, address: str) -> None:
        """Tell the worker at this address, with what it asks next."""

    def tell_all(self, message: bytes) -> None:
        """Tell everybody who listens."""


class Outbox:
    """Some sockets to send from, and ``streams`` for those who cannot be reached by one. From any thread."""

    def __init__(self, sockets: int = 1, *, answered: bool = False, streams: Streams | None = None) -> None:
        """Where it is ``answered``, each of the ``channels`` has an address, and somebody has to read them."""
        self.channels = tuple(_channel() for _ in range(sockets))
        for channel in self.channels if answered else ():
            tell_senders(channel)
            channel.bind("")  # an address that the kernel picks, which leaves no file behind
        self._streams = streams

    def send(self, datagram: bytes, address: Address) -> bool:
        """Hand a datagram to one socket without waiting; False only where somebody is there and does not take it."""
        if isinstance(address, str) and is_http(address):
            if self._streams is not None:
                self._streams.tell(datagram, address)
            return True
        channel = self.channels[hash(address) % len(self.channels)]
        try:
            channel.sendto(datagram, address)
        except BlockingIOError:
            return False
        except OSError:
            return True  # it has gone; its silence makes it lost in time
        return True

    def send_all(self, datagram: bytes, addresses: Iterable[Address]) -> list[Address]:
        """Tell all of these and everybody who listens by other ways; returns who is there and does not take it."""
        self.send_streams(datagram)
        return [address for address in addresses if is_socket(address) and not self.send(datagram, address)]

    def send_streams(self, message: bytes) -> None:
        """Tell only those who listen by other ways, which carry a message of any size."""
        if self._streams is not None:
            self._streams.tell_all(message)

    def close(self) -> None:
        """Close them."""
        for channel in self.channels:
            channel.close()


def is_http(address: Address) -> bool:
    """Whether it is the address of a worker that speaks HTTP."""
    return isinstance(address, str) and address.startswith(HTTP)


def is_socket(address: Address) -> bool:
    """Whether a datagram can be sent there."""
    return bool(address) and not is_http(address)


def _channel() -> socket.socket:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    # With a timeout of its own, Python would try a datagram again and again that its receiver does not take.
    channel.setblocking(False)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    return channel
