"""The datagrams between the keeper and those who talk to it. One JSON object each, one line of meaning each.

To the keeper, from a bound socket so that it can answer:

===========  =======================================================================================================
``beat``     a worker is alive and has seen these stops: worker, pid, env, scope, revision, stops, in_flight, draining
``ack``      a worker obeys one more stop, and so much that it covers runs there still: worker, stop, running; it goes
             to the address that the order came from, where that is one
``bye``      a worker ends on purpose: worker
``reserve``  take a cost from a limit: id, limit, cost, worker                   → ``reserved``
``refund``   give a reservation back: id, reservation                            → ``refunded``
``sample``   measurements for triggers: worker, samples (each metric, value, and perhaps account, source, age_s)
``watch``    tell me of changes (renew within 15 s)                              → ``pong``, then ``moved``
``hint``     somebody committed or placed a latch: look now
``ping``     are you there?                                                      → ``pong``
``order``    stop: order (an `opsgate.order.Order`), to the stop socket only     → ``ordered``
===========  =======================================================================================================

From the keeper, beside the answers: ``delta`` (a `opsgate.snapshot.Delta`), ``moved`` (read the tables again:
revision, chain), ``order`` (obey this at once, its record follows: stop_id, which stands first, and order).

============  ======================================================================================================
``pong``      pid, fleet, revision, leader (whether it runs the loops), database: ``here``, ``away`` or ``gone``,
              automatic_stops, strains (what is used beyond what was set)
``ordered``   stop_id, durable: ``database``, ``spool`` (latched, recorded later) or ``memory``; revision,
              emergency_id, of (how many must acknowledge) where durable is ``database``
``reserved``  id, granted, used, limit, retry_after_s; reservation (its id) where granted, reason where nobody counts
``refunded``  id, refunded (False: it was not there any more, or nobody could write)
============  ======================================================================================================

A keeper listens to its own user and to root only, and a worker's id belongs to the process that first used it.
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

FLEET_HEADER: Final = "X-Opsconsole-Fleet"
"""Over HTTP, for which fleet a request is meant. Where another one's server answers by now, nothing is done."""

AWAY: Final = frozenset({421, 502, 503, 504})
"""Over HTTP, what a server answers, or a proxy before it, when another one may do better: it is away, or another
fleet's."""

DOOR_HEADER: Final = "X-Opsconsole-Door"
"""Over HTTP, which door of a server a stop is meant for: ``stop`` for the port behind its main one."""


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


def tell(address: str, kind: str, **fields: Any) -> bool:
    """Send one message to the keeper at ``address`` without waiting for an answer; False when it takes none."""
    with endpoint() as channel:
        channel.setblocking(False)
        try:
            channel.sendto(encode(kind, **fields), address)
        except OSError:
            return False
        return True


def ask(address: str, kind: str, *, timeout_s: float, **fields: Any) -> Mapping[str, Any] | None:
    """Send one question to the keeper at ``address`` and wait for its answer; None when nobody answered in time."""
    with endpoint() as channel:
        channel.settimeout(timeout_s)
        try:
            channel.sendto(encode(kind, **fields), address)
            return decode(channel.recv(MAX_DATAGRAM * 4))
        except OSError:
            return None
