"""The chain of the journal: each event's hash covers the one before it, so nothing is changed, cut out or slipped in.

The chain covers ``header ‖ sha256(salt ‖ body)``. All that is personal (actor, door, data) is in the body, whose salt
and text may later be encrypted or erased, and the chain still verifies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from core.messages import EVENTS, Event, Header, Recorded
from core.upcast import upcast
from opsgate.hold import moment, timestamp

GENESIS: Final = hashlib.sha256(b"opsconsole journal").hexdigest()
"""The chain before the first event."""


@dataclass(frozen=True, slots=True)
class Row:
    """An event as it is stored: header fields in the open, everything personal in ``body``."""

    revision: int
    kind: str
    version: int
    at: str
    correlation_id: str
    command_id: str
    salt: str
    body: str
    digest: str
    chain: str


def row_of(recorded: Recorded, previous_chain: str, salt: str) -> Row:
    """Seal an event behind ``previous_chain``; ``salt`` is fresh randomness, hex."""
    header, happened = recorded.header, recorded.event
    data = happened.model_dump(mode="json", exclude={"kind"})
    body = _canonical({"actor": header.actor.model_dump(mode="json"), "door": header.door, "data": data})
    row = Row(
        revision=header.revision,
        kind=happened.kind,
        version=happened.version,
        at=timestamp(header.at),
        correlation_id=header.correlation_id,
        command_id=header.command_id,
        salt=salt,
        body=body,
        digest=body_digest(salt, body),
        chain="",
    )
    return _linked(row, previous_chain)


def seal(events: Iterable[Recorded], previous_chain: str, salts: Iterable[str]) -> tuple[Row, ...]:
    """Seal several events in a row."""
    rows: list[Row] = []
    for recorded, salt in zip(events, salts, strict=True):
        rows.append(row_of(recorded, previous_chain, salt))
        previous_chain = rows[-1].chain
    return tuple(rows)


def event_of(row: Row) -> Recorded:
    """Read an event of any version back; ValueError when the row is not one."""
    body = json.loads(row.body)
    header = Header.model_validate(
        {
            "revision": row.revision,
            "at": moment(row.at),
            "actor": body["actor"],
            "door": body["door"],
            "correlation_id": row.correlation_id,
            "command_id": row.command_id,
        },
        strict=False,
    )
    data = upcast(row.kind, row.version, body["data"])
    happened: Event = EVENTS[row.kind].model_validate_json(_canonical({"kind": row.kind, **data}))
    return Recorded.model_construct(header=header, event=happened)


def body_digest(salt: str, body: str) -> str:
    """What the chain covers of the body."""
    return hashlib.sha256(bytes.fromhex(salt) + body.encode()).hexdigest()


def link(row: Row, previous_chain: str) -> str:
    """The chain hash of a row behind ``previous_chain``."""
    fields = [row.revision, row.kind, row.version, row.at, row.correlation_id, row.command_id, row.digest]
    return hashlib.sha256(f"{previous_chain}\n{_canonical(fields)}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a journal does not verify, and how."""

    revision: int
    what: str


def verify(rows: Iterable[Row], after_revision: int = 0, chain: str = GENESIS) -> tuple[Fault | None, int, str]:
    """Check rows, oldest first, that follow on from ``after_revision`` and ``chain``.

    Returns the first fault or None, with the revision and chain hash verified so far. An erased body (empty salt and
    body) does not break the chain.
    """
    for row in rows:
        if row.revision != after_revision + 1:
            return Fault(after_revision + 1, f"event {after_revision + 1} is missing"), after_revision, chain
        if (row.salt or row.body) and row.digest != body_digest(row.salt, row.body):
            return Fault(row.revision, f"the body of event {row.revision} was changed"), after_revision, chain
        if row.chain != link(row, chain):
            return Fault(row.revision, f"event {row.revision} was changed or cut in"), after_revision, chain
        after_revision, chain = row.revision, row.chain
    return None, after_revision, chain


def _linked(row: Row, previous_chain: str) -> Row:
    return Row(
        row.revision,
        row.kind,
        row.version,
        row.at,
        row.correlation_id,
        row.command_id,
        row.salt,
        row.body,
        row.digest,
        link(row, previous_chain),
    )


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
