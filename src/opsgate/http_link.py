"""The way to a fleet behind servers: a thread that hears a stream, one that says beats, and whole states by question.

While the stream is heard, nothing else is asked for. Where it cannot be heard (something in between holds it back, or
the server has none), the reader asks every few seconds, and answers to beats bring what a stream would have.
"""

from __future__ import annotations

import collections
import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from opsgate import wire
from opsgate.channel import Address, Channel, Sent
from opsgate.clock import elapsed_s
from opsgate.http_counter import Counter
from opsgate.http_intake import Intake
from opsgate.http_servers import Servers
from opsgate.leases import Leases
from opsgate.membership import Member
from opsgate.permits import Reservation, no_cost
from opsgate.reader import Hearer
from opsgate.snapshot import Snapshot
from opsgate.sources import Source
from opsgate.stream import Stream
from opsgate.teller import Teller

ANSWER_WITHIN_S: Final = 5.0
"""Seconds for the answer to a question of the gate's own threads."""

_FIRST_EVENT_S: Final = 1.0
"""Seconds after opening for which the stream alone is to bring the first state."""

_QUIET_S: Final = 1.5 * wire.HEARTBEAT_S
"""Seconds after the last event of the stream for which nobody else asks."""

_AWAY_S: Final = 1.0
_POLL_WAITS_S: Final = 4.0
"""Seconds for which a server may keep a question until something changes, where it can."""

_KEPT_S: Final = 1.0
"""An answer that took longer was kept back until something happened, or nothing did."""

_log = logging.getLogger("opsgate")


class HttpLink:
    """Some servers of one fleet."""

    shares_latches = False
    tells_soon_s = wire.HEARTBEAT_S

    def __init__(self, member: Member) -> None:
        self._shown = member.shown
        self._has_token = bool(member.token)
        self._servers = Servers(member.urls, member.token)
        post = HttpChannel(self._tell)
        self.channel: Channel = post
        self._intake = Intake(member, post.deliver, elapsed_s() + _FIRST_EVENT_S - _QUIET_S)
        self._counter = Counter(self._intake.refused, self._servers, member.worker if member.token else "")
        self._leases = Leases(
            self._counter.take, self._counter.give_back, lambda: self._intake.hearer.known.revision, self._sweep_soon
        )
        self._teller = Teller(member.worker, self._intake, self._servers, self._leases.sweep)
        self._stream = Stream(self._intake, self._servers, self._teller.again)

    @property
    def place(self) -> str:
        """The servers."""
        return f"the server at {self._shown}"

    def start(self, hearer: Hearer) -> None:
        """Connect."""
        self._intake.hearer = hearer
        if self._has_token and (open_to := self._servers.in_clear()):
            _log.warning("the token goes to %s for everybody on the way to read: use https://", ", ".join(open_to))
        self._stream.start()
        self._teller.start()

    def source(self) -> Source:
        """Questions for the whole state."""
        return HttpSource(self._intake, self._servers)

    def quiet_s(self) -> float:
        """Nobody asks while the stream is heard, and while nobody would answer."""
        intake = self._intake
        if intake.hearing == "away":
            return _AWAY_S
        return 0.0 if intake.hearing == "mute" else max(0.0, intake.heard_s + _QUIET_S - elapsed_s())

    def reserve(self, fleet: str, limit: str, cost: int) -> Reservation:
        """Ask a server, or take it from a block."""
        if cost < 1:
            return no_cost(limit, cost)
        return self._leases.reserve(limit, cost)

    def sample(self, fleet: str, said: dict[str, Any]) -> bool:
        """Have it told with the others that have come meanwhile."""
        return self._teller.sample(said)

    def end(self) -> None:
        """Say goodbye, and hang up."""
        self._stream.end()
        self._teller.end()
        self._servers.interrupt()

    def abandon(self) -> None:
        """The sockets."""
        self._servers.abandon()
        self.channel.close()

    def _tell(self, message: Mapping[str, Any]) -> Sent:
        return self._teller.tell(message)

    def _sweep_soon(self) -> None:
        self._teller.look()


class HttpSource:
    """Asks for the whole state. For use by one thread."""

    def __init__(self, intake: Intake, servers: Servers) -> None:
        from opsgate.http_line import Line

        self._intake = intake
        self._servers = servers
        self._line = Line(servers)
        self._tag = ""
        self.age_s, self.waits = 0.0, False
        self._read: Snapshot | None = None

    def read(self, known: Snapshot | None = None) -> Snapshot:
        """The state now; ``known`` itself where nothing has moved since it was read here."""
        path, within_s = "/v1/gate", ANSWER_WITHIN_S
        if self._intake.hearing == "mute":
            path, within_s = f"{path}?wait={_POLL_WAITS_S:.0f}", (within_s + _POLL_WAITS_S) * len(self._servers)
        is_same = known is not None and known is self._read
        headers = {"If-None-Match": self._tag} if is_same and self._tag else {}
        asked_s = elapsed_s()
        answer = self._line.ask("GET", path, headers=headers, within_s=within_s)
        self.age_s = _seconds(answer.headers.get("age", ""))
        self.waits = elapsed_s() - asked_s > _KEPT_S
        if answer.status == 304 and known is not None and is_same:
            return known
        if answer.status != 200:
            raise self._intake.refused(answer.server, answer.status, answer.body)
        snapshot = self._intake.receive(answer.server, answer.body, known.revision if known else 0, self.age_s)
        self.waits = self.waits or (bool(headers) and self._intake.hearing == "mute")
        self._tag, self._read = answer.headers.get("etag", ""), snapshot
        return snapshot

    def close(self) -> None:
        """Hang up."""
        self._line.close()


class HttpChannel:
    """Messages that came by any answer, for the watcher; its own go to the teller."""

    def __init__(self, tell: Callable[[Mapping[str, Any]], Sent]) -> None:
        """``tell`` has a message told."""
        self._tell = tell
        self._came: collections.deque[bytes] = collections.deque()
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)

    @property
    def descriptor(self) -> int | None:
        """What becomes readable when something came."""
        return self._ear.fileno()

    def deliver(self, datagram: bytes) -> None:
        """Something came. From any thread."""
        self._came.append(datagram)
        self._ring()

    def receive(self) -> tuple[bytes, Address] | None:
        """The next message that came; it is answered to nobody in particular."""
        try:
            self._ear.recv(65536)
        except OSError:
            pass  # it was silenced already
        if not self._came:
            return None
        datagram = self._came.popleft()
        if self._came:
            self._ring()
        return datagram, ""

    def send(self, datagram: bytes, address: Address) -> Sent:
        """Have it told; ``address`` is of no use here."""
        return self._tell(wire.decode(datagram) or {})

    def _ring(self) -> None:
        try:
            self._bell.send(b"!")
        except OSError:
            pass  # it rings already, or the gate is closed

    def close(self) -> None:
        """Hear nothing any more."""
        self._ear.close()
        self._bell.close()


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0
