"""The datagrams between the keeper and those who talk to it. One JSON object each, one line of meaning each.

To the keeper (`KeeperMessage`), from a bound socket so that it can answer:

=========  =========================================================================================================
``beat``   a worker is alive and has seen these stops: worker, pid, env, scope, revision, stops, in_flight, draining
``bye``    a worker ends on purpose: worker
``order``  stop: order (an `opsgate.order.Order`)                                → ``ordered``
``reserve``  take a cost from a limit: id, limit, cost, worker                   → ``reserved``
``refund`` give a reservation back: id, reservation                              → ``refunded``
``watch``  tell me of changes (renew within 15 s)                                → ``pong``, then ``moved``
``hint``   somebody committed: look at the database now
``ping``   are you there?                                                        → ``pong``
=========  =========================================================================================================

From the keeper: ``delta`` (a `opsgate.snapshot.Delta`), ``moved`` (read the tables again: revision), ``order`` (obey
this at once, its record follows), and the answers above.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any, Final

MAX_DATAGRAM: Final = 60_000
"""Bytes. A larger message is replaced by ``moved``: the reader then reads the tables."""

HEARTBEAT_S: Final = 5.0
"""Seconds between a worker's heartbeats when nothing happens; a change is told at once."""

LOST_AFTER_S: Final = 15.0
"""Seconds without a heartbeat after which a worker counts as lost, shown apart from stopped."""


def encode(kind: str, **fields: Any) -> bytes:
    """One message as bytes."""
    return json.dumps({"t": kind, **fields}, separators=(",", ":")).encode()


def decode(datagram: bytes) -> Mapping[str, Any] | None:
    """The message in ``datagram``, or None when it is none: garbage from a stranger is not an error of ours."""
    try:
        message = json.loads(datagram)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("t"), str) else None


def endpoint() -> socket.socket:
    """A datagram socket that can be answered: bound to an address the kernel picks, which leaves no file behind."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    channel.bind("")
    return channel


def ask(address: str, kind: str, *, timeout_s: float, **fields: Any) -> Mapping[str, Any] | None:
    """Send one question to the keeper at ``address`` and wait for its answer; None when nobody answered in time."""
    with endpoint() as channel:
        channel.settimeout(timeout_s)
        try:
            channel.sendto(encode(kind, **fields), address)
            return decode(channel.recv(MAX_DATAGRAM * 4))
        except OSError:
            return None
