"""A command as it comes by a request: who gives it, under which id, and at which revision it was decided on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from fastapi import Request

from backends.server.engine import Engine
from backends.server.problems import Problem, of_error
from core.authority import Identity
from core.errors import OpsError, UnknownName
from core.messages import Command, Envelope, Receipt
from core.scope import EVERYWHERE
from core.sight import Sight
from opsgate.selector import IDENTIFIER

_REVISION: Final = re.compile(r'(?:W/)?"(\d{1,18})(?:[.+/][^"]{0,80})?"')
"""An entity tag of ours: the revision, and behind it what else made the answer what it was."""


async def give(engine: Engine, request: Request, command: Command, part: str = "") -> Receipt:
    """Carry out one command by the authority of whoever sent the request. ``part`` tells several commands of one
    request apart. Raises `Problem` for a malformed header, and for what the engine refuses."""
    return await give_as(engine, request.headers, request.state.identity, command, part)


async def give_as(
    engine: Engine, headers: Mapping[str, str], identity: Identity, command: Command, part: str = ""
) -> Receipt:
    """The same of a request of which only the headers are at hand."""
    envelope = enveloped(engine, headers, identity, command, part)
    try:
        receipt = await engine.writer.submit(envelope, identity)
    except UnknownName as error:
        if identity.scope == EVERYWHERE:
            raise of_error(error) from error
        raise of_error(UnknownName(error.code, error.message)) from error  # the names near it may be others' sites
    except OpsError as error:
        raise of_error(error, conditional=envelope.expected_revision is not None) from error
    if identity.scope == EVERYWHERE:
        return receipt
    return Sight(identity.scope).receipt(receipt, engine.runtime.latest())


def enveloped(
    engine: Engine, headers: Mapping[str, str], identity: Identity, command: Command, part: str = ""
) -> Envelope:
    """The command with what the headers say of it: ``Idempotency-Key``, ``If-Match`` and ``X-Correlation-ID``."""
    key = key_in(headers)
    if key is not None and part:
        key = f"{hashlib.sha256(key.encode()).hexdigest()[:32]}-{part}"
    return Envelope(
        command_id=key or engine.command_id(),
        actor=identity.actor(),
        door="http",
        command=command,
        correlation_id=_identifier(headers.get("x-correlation-id"), "X-Correlation-ID"),
        expected_revision=_expected(headers.get("if-match")),
    )


def key_in(headers: Mapping[str, str]) -> str | None:
    """The ``Idempotency-Key`` of a request, quoted or bare."""
    header = headers.get("idempotency-key")
    if header is not None and len(header) > 1 and header[0] == header[-1] == '"':
        header = header[1:-1]
    return _identifier(header, "Idempotency-Key")


def _identifier(header: str | None, name: str) -> str | None:
    if header is None or IDENTIFIER.fullmatch(header):
        return header
    raise Problem(400, "bad-header", f"{name} is no identifier", "use 1 to 128 of A-Z a-z 0-9 . _ ~ -")


def _expected(header: str | None) -> int | None:
    """The revision that a request names; ``*`` names none."""
    if header is None or header.strip() == "*":
        return None
    found = _REVISION.fullmatch(header.strip())
    if found is None:
        raise Problem(400, "bad-header", "If-Match names no revision", 'write If-Match: "1234"')
    return int(found[1])
