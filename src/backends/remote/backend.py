"""`core.ports.Backend` over HTTP."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event
from typing import Any
from urllib.parse import quote, urlencode

from backends import documents, spool
from backends.contact import ContactLog
from backends.feed import Feed
from backends.remote.client import Client
from backends.remote.copy import Copy, Gap
from backends.remote.stream import Stream, catch_up
from backends.remote.transport import Transport
from core.audit import Row
from core.errors import NotOurDatabase, OpsError
from core.messages import Envelope, Receipt, as_json
from core.ports import SAMPLES_READ_MAX, ChainReport, Contact, Listener, Observations, Reservation
from core.state import State
from core.triggers.sample import Sample
from opsgate import latch
from opsgate.hold import timestamp


class RemoteBackend:
    """One fleet behind a server. Thread-safe; raises `core.errors` only."""

    def __init__(self, transport: Transport, *, expect_fleet: str | None = None, timeout_s: float = 5.0) -> None:
        """Reads the state once. Raises as `backends.open_backend` does."""
        self._transport = transport
        self._expected = expect_fleet
        self._contact = ContactLog()
        self._client = Client(transport, self._contact)
        self._feed = Feed(_Bell(), lambda: None)
        self._copy = Copy(self._feed.publish)
        self._stream = Stream(self._client, self._copy, self._reload, self._contact.alive)
        self._reload(timeout_s)

    @property
    def url(self) -> str:
        """Where it is, without secrets."""
        return self._transport.url

    def submit(self, envelope: Envelope, *, timeout_s: float = 5.0) -> Receipt:
        """Carry out one command, or say why not. Whoever sends it is who the credential says.

        The same ``command_id`` returns the same receipt, whichever server is asked: it may be sent again.
        """
        headers = {"Idempotency-Key": f'"{envelope.command_id}"', "Content-Type": "application/json"}
        if envelope.expected_revision is not None:
            headers["If-Match"] = f'"{envelope.expected_revision}"'
        if envelope.correlation_id is not None:
            headers["X-Correlation-ID"] = envelope.correlation_id
        body = as_json(envelope.command).encode()
        answer = self._client.ask("/v1/commands", method="POST", headers=headers, body=body, timeout_s=timeout_s)
        receipt = self._client.read(_receipt, answer)
        if envelope.command.lets_run:
            self._tidy()
        return receipt

    def state(self, *, timeout_s: float = 5.0) -> State:
        """The state now: catches up with the server first."""
        try:
            catch_up(self._client, self._copy, timeout_s=timeout_s)
        except Gap:
            self._reload(timeout_s)
        return self._copy.state

    def latest(self) -> State:
        """The state as last seen, without asking anybody."""
        return self._copy.state

    def contact(self) -> Contact:
        """How current ``latest`` can be, without asking anybody."""
        return self._contact.now()

    def observe(self, *, timeout_s: float = 5.0) -> Observations:
        """Workers, usage of limits, whether a keeper is alive, and who else looks."""
        answer = self._client.ask("/v1/observations", timeout_s=timeout_s)
        seen = self._client.read(documents.observations_from, answer)
        if self._client.read(lambda document: int(document.get("revision", 0)), answer) > self._copy.state.revision:
            self.state(timeout_s=timeout_s)
        return seen

    def samples(
        self, metric: str, *, last_s: float, most: int = SAMPLES_READ_MAX, timeout_s: float = 5.0
    ) -> Sequence[Sample]:
        """Kept readings of one metric of the last ``last_s`` seconds, the latest ``most`` of them, oldest first."""
        query = urlencode({"metric": metric, "last_s": last_s, "most": most})
        answer = self._client.ask(f"/v1/samples?{query}", timeout_s=timeout_s)
        return self._client.read(lambda document: [documents.sample_from(one) for one in document["samples"]], answer)

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` on a thread of ours for every change from now on; returns what ends it."""
        leave = self._feed.follow(listener)
        if not self._stream.is_alive():
            self._stream.start()
        return leave

    def journal(self, *, after: int = 0, limit: int = 1000, timeout_s: float = 5.0) -> Sequence[Row]:
        """Rows of the journal, oldest first."""
        answer = self._client.ask(f"/v1/audit?after={after}&limit={limit}", timeout_s=timeout_s)
        return self._client.read(lambda document: [documents.row_from(row) for row in document["rows"]], answer)

    def state_at(self, moment: datetime, *, timeout_s: float = 30.0) -> State:
        """The state at a past time; `CommandRejected` when retention has dropped what it needs."""
        answer = self._client.ask(f"/v1/state?{urlencode({'at': timestamp(moment)})}", timeout_s=timeout_s)
        return self._client.read(documents.state_from, answer)[0]

    def verify(self, *, timeout_s: float = 60.0) -> ChainReport:
        """Have the server check the chain of the whole journal."""
        return self._client.read(documents.chain_report_from, self._client.ask("/v1/audit/verify", timeout_s=timeout_s))

    def reserve(self, limit: str, cost: int = 1, *, lease_s: float = 0.0, timeout_s: float = 5.0) -> Reservation:
        """Reserve ``cost`` units of a limit (by its own name or S0's), atomically over all processes."""
        answer = self._client.ask(
            f"/v1/limits/{quote(limit, safe='')}/reserve",
            method="POST",
            headers={"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex},
            body=json.dumps({"cost": cost, **({"lease_s": lease_s} if lease_s else {})}).encode(),
            timeout_s=timeout_s,
            refused=lambda status, problem: status == 429 and "granted" in problem,
        )
        return self._client.read(documents.reservation_from, answer)

    def refund(self, reservation_id: str, *, keep: int = 0, timeout_s: float = 5.0) -> bool:
        """Give a reservation back, or all but ``keep`` units; False when there is nothing to give back."""
        path = f"/v1/reservations/{quote(reservation_id, safe='')}{f'?keep={keep}' if keep else ''}"
        answer = self._client.ask(path, method="DELETE", timeout_s=timeout_s)
        return self._client.read(lambda document: bool(document.get("refunded")), answer)

    def close(self) -> None:
        """End threads and connections."""
        if self._contact.now().word == "off":
            return
        self._contact.closed()
        self._stream.close()
        self._feed.close()
        self._transport.close()

    def _reload(self, timeout_s: float = 5.0) -> None:
        """Read the whole state."""
        asked_at = self._copy.state.revision
        answer = self._client.ask("/v1/state", timeout_s=timeout_s)
        newer = self._client.read(documents.is_newer, answer)
        state, chain = self._client.read(documents.state_from, answer)
        wanted = self._expected or self._copy.state.fleet or state.fleet
        if state.fleet != wanted:
            fault = NotOurDatabase(
                "another-fleet", f"{self.url} serves fleet {state.fleet}, not {wanted}", "name the right server"
            )
            self._contact.failed(fault)
            raise fault
        self._client.fleet, self._contact.newer = state.fleet, newer
        self._copy.replace(state, chain, asked_at=asked_at)

    def _tidy(self) -> None:
        """Take away the latches of this host whose stops have ended: the server's keeper reaches only its own host.
        The server is asked where one lies: over a long line it is not asked for nothing."""
        names = spool.names_of(self.latest(), self.url)
        if not latch.lies(names):
            return
        try:
            spool.unlatch(spool.ended(names, self.state()), names)
        except OpsError:
            return  # what lies there keeps its stop, until somebody looks again


def _receipt(document: Any) -> Receipt:
    return Receipt.model_validate(document, strict=False)


class _Bell:
    """What wakes the feed: there is no store here whose changes it could wait for."""

    def __init__(self) -> None:
        self._rung = Event()

    def wait(self, timeout_s: float) -> None:
        """Until `wake` was called."""
        self._rung.wait(timeout_s)
        self._rung.clear()

    def wake(self) -> None:
        """End a `wait`, or the next one."""
        self._rung.set()
