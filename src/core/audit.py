"""The chain of the journal: each event's hash covers the one before it, so nothing is changed, cut out or slipped in.

The chain covers ``header ‖ sha256(salt ‖ body)``. All that is personal (actor, door, data) is in the body, whose salt
and text may later be encrypted or erased, and the chain still verifies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pydantic_core import from_json

from core.messages import EVENTS, Actor, Header, Recorded
from core.upcast import downcast, upcast
from opsgate.hold import moment, timestamp

_Header = tuple[int, str, int, str, str, str, str]
"""Revision, kind, version, time, correlation and command ids, digest."""

GENESIS: Final = hashlib.sha256(b"opsconsole journal").hexdigest()
"""The chain before the first event."""

SEALED: Final = "sealed:"
"""How a body begins that is encrypted at rest: no JSON begins so. Its salt is sealed in with it."""

SALT_BYTES: Final = 16
"""Of one length, so that nothing can be moved between the end of the salt and the beginning of the body."""


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
    """Seal an event behind ``previous_chain``; ``salt`` is `SALT_BYTES` of fresh randomness in lower-case hex."""
    assert _is_salt(salt), "a salt of another shape would not verify"
    header, happened = recorded.header, recorded.event
    actor = {"name": header.actor.name, "kind": header.actor.kind}
    version, data = downcast(happened.kind, happened.version, happened.model_dump(mode="json", exclude={"kind"}))
    body = _canonical({"actor": actor, "door": header.door, "data": data})
    named = (happened.kind, version, timestamp(header.at), header.correlation_id, header.command_id)
    digest = body_digest(salt, body)
    return Row(header.revision, *named, salt, body, digest, _link(previous_chain, (header.revision, *named, digest)))


def seal(events: Iterable[Recorded], previous_chain: str, salts: Iterable[str]) -> tuple[Row, ...]:
    """Seal several events in a row."""
    rows: list[Row] = []
    for recorded, salt in zip(events, salts, strict=True):
        rows.append(row_of(recorded, previous_chain, salt))
        previous_chain = rows[-1].chain
    return tuple(rows)


def event_of(row: Row) -> Recorded:
    """Read an event of any version back; ValueError when the row is not one, or when its body has been erased."""
    try:
        body = from_json(row.body)
        actor, door, data = body["actor"], body["door"], body["data"]
        header = Header(
            row.revision, moment(row.at), _actor(actor["name"], actor["kind"]), door, row.correlation_id, row.command_id
        )
        current = upcast(row.kind, row.version, data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"event {row.revision} is none of ours: {error!r}") from error
    # Lax, because JSON has neither times nor tuples; what was sealed was valid, and the chain says it is what was.
    return Recorded(header, EVENTS[row.kind].model_validate(current, strict=False))


def body_digest(salt: str, body: str) -> str:
    """What the chain covers of the body."""
    return hashlib.sha256(bytes.fromhex(salt) + body.encode()).hexdigest()


def link(row: Row, previous_chain: str) -> str:
    """The chain hash of a row behind ``previous_chain``."""
    fields = (row.revision, row.kind, row.version, row.at, row.correlation_id, row.command_id, row.digest)
    return _link(previous_chain, fields)


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a journal does not verify, and how."""

    revision: int
    what: str


def verify(rows: Iterable[Row], after_revision: int = 0, chain: str = GENESIS) -> tuple[Fault | None, int, str]:
    """Check rows, oldest first, that follow on from ``after_revision`` and ``chain``.

    Returns the first fault or None, with the revision and chain hash verified so far. An erased body (empty salt and
    body) does not break the chain, and neither does one that is encrypted.
    """
    for row in rows:
        if row.revision != after_revision + 1:
            return Fault(after_revision + 1, f"event {after_revision + 1} is missing"), after_revision, chain
        if not _is_whole(row):
            return Fault(row.revision, f"the body of event {row.revision} was changed"), after_revision, chain
        if row.chain != link(row, chain):
            return Fault(row.revision, f"event {row.revision} was changed or cut in"), after_revision, chain
        after_revision, chain = row.revision, row.chain
    return None, after_revision, chain


def is_sealed(row: Row) -> bool:
    """Whether the body is encrypted: the chain can be verified, and what it says cannot be read."""
    return not row.salt and row.body.startswith(SEALED)


def _link(previous_chain: str, fields: _Header) -> str:
    return hashlib.sha256(f"{previous_chain}\n{_header(fields)}".encode()).hexdigest()


def _header(fields: _Header) -> str:
    """`_canonical` of these fields, made by hand: every event that is sealed or verified needs it."""
    revision, kind, version, at, correlation_id, command_id, digest = fields
    try:
        return (
            f"[{int.__repr__(revision)},{_quoted(kind)},{int.__repr__(version)},{_quoted(at)}"
            f",{_quoted(correlation_id)},{_quoted(command_id)},{_quoted(digest)}]"
        )
    except TypeError:  # something else stands in the row: whatever it is, it was never sealed so
        return _canonical(fields)


def _is_whole(row: Row) -> bool:
    """Whether the body is what was digested, or has been erased or encrypted together with its salt."""
    if not row.salt and (not row.body or is_sealed(row)):
        return True
    try:
        return _is_salt(row.salt) and row.digest == body_digest(row.salt, row.body)
    except ValueError:  # a salt that is not hex, a body that is not text
        return False


def _is_salt(salt: str) -> bool:
    return len(salt) == 2 * SALT_BYTES and bytes.fromhex(salt).hex() == salt


@lru_cache(maxsize=1024)
def _actor(name: str, kind: str) -> Actor:
    """The actor of many events in a row, made once."""
    return Actor.model_validate({"name": name, "kind": kind})


_quoted: Final[Callable[[str], str]] = json.encoder.encode_basestring_ascii

_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
"""JSON with one spelling for one value: keys sorted, no spaces, everything beyond ASCII escaped."""
