"""The outbox: sockets to send from, which never wait and of which nobody who does not read can take more than a part.

A datagram counts against its sender's buffer until it is read. A few hundred unread ones fill an ordinary buffer, and
then nothing more leaves that socket, for anybody. So there are several, each address always goes by the same one, and
answers never leave by a socket that gates are told things through.
"""

from __future__ import annotations

import socket
from typing import Final

Address = bytes | str

GATES: Final = 64
"""Sockets for telling all gates: a worker that is frozen holds up one in so many others, and only when its backlog has
grown to that socket's whole buffer."""

_BUFFER_BYTES: Final = 4 << 20
"""What is asked for; the kernel gives up to its own limit."""


class Outbox:
    """Some sockets to send from. From any thread."""

    def __init__(self, sockets: int = 1) -> None:
        self._channels = [_channel() for _ in range(sockets)]

    def send(self, datagram: bytes, address: Address) -> bool:
        """Hand a datagram to one socket without waiting; False only where somebody is there and does not take it."""
        channel = self._channels[hash(address) % len(self._channels)]
        try:
            channel.sendto(datagram, address)
        except BlockingIOError:
            return False
        except OSError:
            return True  # it has gone; its silence makes it lost in time
        return True

    def close(self) -> None:
        """Close them."""
        for channel in self._channels:
            channel.close()


def _channel() -> socket.socket:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    # With a timeout of its own, Python would try a datagram again and again that its receiver does not take.
    channel.setblocking(False)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    return channel
