"""The line to the keeper: one datagram socket on which beats go out and changes come in.

Any program on the host may write to this socket, so the kernel is asked who did: only our own user and root are
listened to, for a message may release something.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Iterable
from typing import Final, Literal, Protocol

from opsgate import wire

_log = logging.getLogger("opsgate")

_SEND_WITHIN: Final = struct.pack("ll", 1, 0)
"""One second, as the kernel has it, to wait for room in the keeper's queue: a thousand workers may beat at once, and
the queue may hold ten. The kernel wakes one for each place that is free, which costs nothing; a thousand that gave up
and tried again by themselves kept two cores busy for a minute (measured)."""

_CREDENTIALS: Final = struct.Struct("3i")
"""``struct ucred``: process, user, group."""

_BUFFER_BYTES: Final = 65536
_ANCILLARY_BYTES: Final = socket.CMSG_SPACE(_CREDENTIALS.size)

Address = bytes | str

Sent = Literal["sent", "busy", "nobody"]
"""Taken by the keeper; its queue stayed full; there is no keeper."""


class Channel(Protocol):
    """Where messages come in and go out. For use by one thread; never waits for long."""

    @property
    def descriptor(self) -> int | None:
        """What becomes readable when something came, if anything can."""

    def receive(self) -> tuple[bytes, Address] | None:
        """The next message, empty where it was too long, and where to answer it; None where there is none."""

    def send(self, datagram: bytes, address: Address) -> Sent:
        """Send one message to the keeper at ``address``."""

    def close(self) -> None:
        """Hear and say nothing any more."""


class KeeperChannel:
    """For use by one thread. ``descriptor`` is None where the platform cannot tell who wrote, or has no socket left."""

    def __init__(self) -> None:
        self._socket = _endpoint()

    @property
    def descriptor(self) -> int | None:
        """What becomes readable when somebody wrote."""
        return None if self._socket is None else self._socket.fileno()

    def receive(self) -> tuple[bytes, Address] | None:
        """The next datagram, empty where it was too long, and the address of its sender; None where there is none, or
        one from somebody who is not listened to."""
        if self._socket is None:
            return None
        try:
            datagram, ancillary, flags, sender = self._socket.recvmsg(
                _BUFFER_BYTES, _ANCILLARY_BYTES, socket.MSG_DONTWAIT
            )
        except BlockingIOError:
            return None
        if not is_ours(ancillary):
            return None
        return b"" if flags & socket.MSG_TRUNC else datagram, sender or ""

    def send(self, datagram: bytes, address: Address) -> Sent:
        """Send one message to the keeper at ``address``."""
        if self._socket is None:
            return "nobody"
        try:
            self._socket.sendto(datagram, address)
        except BlockingIOError:
            return "busy"
        except OSError:
            return "nobody"
        return "sent"

    def close(self) -> None:
        """Hear and say nothing any more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def is_ours(ancillary: Iterable[tuple[int, int, bytes]]) -> bool:
    """Whether the kernel says that a process of our own user, or root's, wrote it."""
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            _pid, uid, _gid = _CREDENTIALS.unpack_from(content)
            return uid in (0, os.geteuid())
    return False


def _endpoint() -> socket.socket | None:
    if not hasattr(socket, "SO_PASSCRED"):
        return None
    try:
        endpoint = wire.endpoint()
    except OSError as error:
        _log.warning("no socket for the keeper's messages (%s): the tables are looked at every 5 s", error)
        return None
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_WITHIN)
    return endpoint
