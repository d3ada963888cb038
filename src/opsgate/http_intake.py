"""What comes in from servers, by any thread: what of it is believed, who is told, and whether a stream is heard."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from opsgate import wire
from opsgate.clock import elapsed_s
from opsgate.hold import whole
from opsgate.http_faults import Behind, of_another_fleet, of_another_version, unanswered, unreadable
from opsgate.http_servers import Server
from opsgate.membership import Member
from opsgate.reader import Hearer
from opsgate.snapshot import FORMAT, Snapshot
from opsgate.sources import SourceError
from opsgate.tables import hold_of

_BEHIND_S: Final = 10.0
"""Seconds for which a server whose database answers may know less of the fleet than the gate before that is believed.
Of several servers one may lag behind the other; a database that was put back stays behind."""

Hearing = Literal["connecting", "live", "mute", "away"]
"""What the stream is: not there yet, heard, not to be had (asked instead), or nobody answers."""


class Intake:
    """What the threads of one link share. From any thread."""

    def __init__(self, member: Member, deliver: Callable[[bytes], None], heard_s: float) -> None:
        """``deliver`` takes a message for the watcher; ``heard_s`` is when a stream counts as heard last, to begin
        with (host clock)."""
        self.hearing: Hearing = "connecting"
        self.hearer: Hearer
        """Whom it is all for; from the start of the threads on."""
        self.heard_s = heard_s
        self.deliver = deliver
        self._worker = member.worker
        self._has_token = bool(member.token)
        self._behind_since_s: float | None = None

    def heard(self) -> None:
        """The stream told something."""
        self.heard_s = elapsed_s()
        self.hearing = "live"

    def lost(self) -> None:
        """The stream broke off."""
        self.hearing = "connecting"

    def refused(self, server: Server, status: int, body: bytes) -> SourceError:
        """The error for an answer that was not asked for."""
        return unanswered(server.url, status, body, had_token=self._has_token, worker=self._worker)

    def foreign(self, server: Server, fleet: str) -> SourceError:
        """The error for a server of another fleet."""
        known = self.hearer.known.snapshot
        return of_another_fleet(server.url, fleet, known.fleet if known else "any")

    def receive(self, server: Server, body: bytes, asked_at: int, age_s: float) -> Snapshot:
        """The state in a document, whose unrecorded orders are in force by then. ``asked_at`` is the revision that was
        known when it was asked for: one that what came by another way has overtaken since then lags behind nothing.
        ``age_s`` is for how long the server has heard nothing of its database.

        Raises `SourceError` for one that cannot be read, and for one that must not be believed: of another fleet, or
        older than what was known."""
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
            self.deliver(wire.encode("order", stop_id=stop_id, order=order))
        if known is not None and known.fleet == snapshot.fleet and _goes_back(known, snapshot, asked_at):
            self._wait_for(server, snapshot.revision, asked_at, age_s)
        self._behind_since_s = None
        return snapshot

    def _wait_for(self, server: Server, revision: int, known: int, age_s: float) -> None:
        """Raise `Behind` until a database must have been put back. One that is away shows nothing of the kind, and what
        was paused behind the last that its server heard must not run by that."""
        now_s = elapsed_s()
        if self._behind_since_s is None or age_s:
            self._behind_since_s = now_s
        if age_s or now_s - self._behind_since_s < _BEHIND_S:
            raise Behind(f"{server.url} is at revision {revision} and lags behind {known}, which was seen before")


def _goes_back(known: Snapshot, snapshot: Snapshot, asked_at: int) -> bool:
    """Whether a state is older than what was known, or as far by another chain."""
    is_as_far = snapshot.revision == known.revision
    return snapshot.revision < asked_at or (is_as_far and not known.is_at(snapshot.revision, snapshot.chain))


def _snapshot(document: Mapping[str, Any]) -> Snapshot:
    """A snapshot, each of whose holds is read by itself: one that a later version wrote must not hide the others."""
    # mypy knows no default of a lambda
    holds = [hold_of(str(hold.get("hold_id")), lambda hold=hold: hold) for hold in document["holds"]]  # type: ignore[misc]
    return replace(
        Snapshot.from_dict({**document, "holds": ()}), holds=tuple(hold for hold in holds if hold is not None)
    )
