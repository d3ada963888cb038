"""The way to a fleet behind servers: a thread that hears a stream, one that says beats, and whole states by question.

While the stream is heard, nothing else is asked for. Where it cannot be heard (something in between holds it back, or
the server has none), the reader asks every few seconds, and answers to beats bring what a stream would have.
"""

from __future__ import annotations

import collections
import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from opsgate import wire
from opsgate.channel import Address, Sent
from opsgate.clock import elapsed_s
from opsgate.hold import whole
from opsgate.http_counter import Counter
from opsgate.http_faults import Behind, of_another_fleet, of_another_version, unanswered, unreadable
from opsgate.http_servers import Server, Servers
from opsgate.leases import Leases
from opsgate.links import Channel, Hearer
from opsgate.membership import Member
from opsgate.permits import Reservation, no_cost
from opsgate.snapshot import FORMAT, Snapshot
from opsgate.sources import Source, SourceError
from opsgate.stream import Stream
from opsgate.tables import hold_of
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

_BEHIND_S: Final = 10.0
"""Seconds for which a server may know less of the fleet than the gate before that is believed. Of several servers one
may lag behind the other; a database that was put back stays behind."""

_log = logging.getLogger("opsgate")

Hearing = Literal["connecting", "live", "mute", "away"]
"""What the stream is: not there yet, heard, not to be had (asked instead), or nobody answers."""


class HttpLink:
    """Some servers of one fleet."""

    shares_latches = False
    tells_soon_s = wire.HEARTBEAT_S

    def __init__(self, member: Member) -> None:
        self.hearing: Hearing = "connecting"
        self.hearer: Hearer
        self.worker = member.worker
        self._shown = member.shown
        self._has_token = bool(member.token)
        self._servers = Servers(member.urls, member.token)
        self._heard_s = elapsed_s() + _FIRST_EVENT_S - _QUIET_S
        self._behind_since_s: float | None = None
        self._counter = Counter(self, self._servers)
        self._leases = Leases(
            self._counter.take, self._counter.give_back, lambda: self.hearer.known.revision, self._sweep_soon
        )
        self.teller = Teller(self, self._servers, self._leases.sweep)
        self.post = HttpChannel(self.teller)
        self.channel: Channel = self.post
        self._stream = Stream(self, self._servers)

    @property
    def place(self) -> str:
        """The servers."""
        return f"the server at {self._shown}"

    def start(self, hearer: Hearer) -> None:
        """Connect."""
        self.hearer = hearer
        if self._has_token and (open_to := self._servers.in_clear()):
            _log.warning("the token goes to %s for everybody on the way to read: use https://", ", ".join(open_to))
        self._stream.start()
        self.teller.start()

    def source(self) -> Source:
        """Questions for the whole state."""
        return HttpSource(self, self._servers)

    def quiet_s(self) -> float:
        """Nobody asks while the stream is heard, and while nobody would answer."""
        if self.hearing == "away":
            return _AWAY_S
        return 0.0 if self.hearing == "mute" else max(0.0, self._heard_s + _QUIET_S - elapsed_s())

    def reserve(self, fleet: str, limit: str, cost: int) -> Reservation:
        """Ask a server, or take it from a block."""
        if cost < 1:
            return no_cost(limit, cost)
        return self._leases.reserve(limit, cost)

    def end(self) -> None:
        """Say goodbye, and hang up."""
        self._stream.end()
        self.teller.end()
        self._servers.interrupt()

    def abandon(self) -> None:
        """The sockets."""
        self._servers.abandon()
        self.channel.close()

    def _sweep_soon(self) -> None:
        self.teller.look()

    # ------------------------------------------------------------------------------------------ for its threads
    def heard(self) -> None:
        """The stream told something."""
        self._heard_s = elapsed_s()
        self.hearing = "live"

    def lost(self) -> None:
        """The stream broke off."""
        self.hearing = "connecting"

    def refused(self, server: Server, status: int, body: bytes) -> SourceError:
        """The error for an answer that was not asked for."""
        return unanswered(server.url, status, body, had_token=self._has_token, worker=self.worker)

    def foreign(self, server: Server, fleet: str) -> SourceError:
        """The error for a server of another fleet."""
        known = self.hearer.known.snapshot
        return of_another_fleet(server.url, fleet, known.fleet if known else "any")

    def receive(self, server: Server, body: bytes) -> Snapshot:
        """The state in a document, whose unrecorded orders are in force by then. Raises `SourceError` for one that
        cannot be read, and for one that must not be believed: of another fleet, or older than what is known."""
        try:
            document = json.loads(body)
            if abs(whole(document["format"]) - FORMAT) > 1:
                raise of_another_version(server.url, document["format"])
            snapshot = _snapshot(document["snapshot"])
            orders = [(str(order["stop_id"]), order) for order in document.get("orders", ())]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise unreadable(server.url, error) from error
        known = self.hearer.known.snapshot
        if self.hearer.is_foreign(snapshot.fleet):
            raise self.foreign(server, snapshot.fleet)
        for stop_id, order in orders:
            self.post.deliver(wire.encode("order", stop_id=stop_id, order=order))
        if known is not None and known.fleet == snapshot.fleet and snapshot.revision < known.revision:
            self._wait_for(server, snapshot.revision, known.revision)
        self._behind_since_s = None
        return snapshot

    def _wait_for(self, server: Server, revision: int, known: int) -> None:
        now_s = elapsed_s()
        if self._behind_since_s is None:
            self._behind_since_s = now_s
        if now_s - self._behind_since_s < _BEHIND_S:
            raise Behind(f"{server.url} is at revision {revision} and lags behind {known}, which was seen before")


class HttpSource:
    """Asks for the whole state. For use by one thread."""

    def __init__(self, link: HttpLink, servers: Servers) -> None:
        from opsgate.http_line import Line

        self._link = link
        self._line = Line(servers)
        self._tag = ""
        self.age_s, self.waits = 0.0, False
        self._read: Snapshot | None = None

    def read(self, known: Snapshot | None = None) -> Snapshot:
        """The state now; ``known`` itself where nothing has moved since it was read here."""
        path = f"/v1/gate?wait={_POLL_WAITS_S:.0f}" if self._link.hearing == "mute" else "/v1/gate"
        is_same = known is not None and known is self._read
        headers = {"If-None-Match": self._tag} if is_same and self._tag else {}
        asked_s = elapsed_s()
        answer = self._line.ask("GET", path, headers=headers, within_s=ANSWER_WITHIN_S + _POLL_WAITS_S)
        self.age_s = _seconds(answer.headers.get("age", ""))
        self.waits = elapsed_s() - asked_s > _KEPT_S
        if answer.status == 304 and known is not None and is_same:
            return known
        if answer.status != 200:
            raise self._link.refused(answer.server, answer.status, answer.body)
        snapshot = self._link.receive(answer.server, answer.body)
        self.waits = self.waits or (bool(headers) and self._link.hearing == "mute")
        self._tag, self._read = answer.headers.get("etag", ""), snapshot
        return snapshot

    def close(self) -> None:
        """Hang up."""
        self._line.close()


class HttpChannel:
    """Messages that came by any answer, for the watcher; its own go to the teller."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
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
        return self._teller.tell(wire.decode(datagram) or {})

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


def _snapshot(document: Mapping[str, Any]) -> Snapshot:
    """A snapshot, each of whose holds is read by itself: one that a later version wrote must not hide the others."""
    holds = [hold_of(str(hold.get("hold_id")), lambda hold=hold: hold) for hold in document["holds"]]  # type: ignore[misc]
    return replace(
        Snapshot.from_dict({**document, "holds": ()}), holds=tuple(hold for hold in holds if hold is not None)
    )
