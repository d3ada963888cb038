"""Who sent a datagram: the kernel's word for it, not the sender's."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from opsgate import wire

_CREDENTIALS: Final = struct.Struct("3i")
"""``struct ucred``: process, user, group."""

_SPACE: Final = socket.CMSG_SPACE(_CREDENTIALS.size)

BUFFER_BYTES: Final = 2 * wire.MAX_DATAGRAM
"""Room for the largest datagram; what is cut off by it is none of ours."""


class Peer(NamedTuple):
    """A sender: its user, its process (0 where that lies in another process namespace), where to answer it."""

    uid: int
    pid: int
    address: bytes | str
    credential: str = ""
    """Whose word it is, where no kernel says whose: what one name of this kind has begun another start may go on
    with."""

    @property
    def trusted(self) -> bool:
        """Whether it runs as this user or as root: nobody else is listened to."""
        return self.uid in (os.geteuid(), 0)


class Letter(NamedTuple):
    """A message and the one who sent it."""

    message: Mapping[str, Any]
    peer: Peer


def tell_senders(channel: socket.socket) -> None:
    """Have the kernel attach the sender's credentials to each datagram of this socket."""
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def receive(channel: socket.socket, buffer: bytearray) -> Letter | None:
    """The next datagram on a socket of `tell_senders`; None when it is no message, or nobody's that we listen to.

    Raises OSError as ``recvmsg`` does (a timeout among them).
    """
    size, ancillary, flags, address = channel.recvmsg_into([buffer], _SPACE)
    peer = _peer(ancillary, address)
    if peer is None or not peer.trusted or flags & socket.MSG_TRUNC:
        return None
    message = wire.decode(bytes(memoryview(buffer)[:size]))
    return None if message is None else Letter(message, peer)


def started(pid: int) -> str:
    """When a process started, in clock ticks since the host did; empty when there is no such process."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    after_name = line.rpartition(")")[2].split()  # the name in parentheses may itself hold spaces and parentheses
    return "" if after_name[0] in "ZX" else after_name[19]


def is_running(pid: int, start: str) -> bool:
    """Whether the process that had this number when it started at ``start`` still runs (a zombie does not)."""
    return pid > 0 and start != "" and started(pid) == start


def _peer(ancillary: list[tuple[int, int, bytes]], address: bytes | str | None) -> Peer | None:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS) and len(data) == _CREDENTIALS.size:
            pid, uid, _gid = _CREDENTIALS.unpack(data)
            return Peer(uid, pid, address or "")
    return None
