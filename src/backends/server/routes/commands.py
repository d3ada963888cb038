"""Commands: everything that changes the fleet, as one document that names its kind."""

from __future__ import annotations

import re
import uuid
from itertools import count
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from backends.server import stopping
from backends.server.caps import read_body, read_json
from backends.server.engine import Engine
from backends.server.problems import Problem, of_error
from core.capabilities.emergencies import OrderStop
from core.errors import OpsError
from core.faults import sentence
from core.messages import Command, Envelope, Receipt, command_from
from opsgate.selector import IDENTIFIER

_REVISION: Final = re.compile(r'(?:W/)?"(\d{1,18})"')


def routes(engine: Engine) -> APIRouter:
    """``POST /v1/commands``."""
    router = APIRouter(tags=["commands"])
    of_this_process, numbers = f"http-{uuid.uuid4().hex}", count(1)

    @router.post("/v1/commands", response_model=Receipt)
    async def give_command(request: Request) -> JSONResponse:
        """Carry out one command. The same ``Idempotency-Key`` always gets the same receipt; ``If-Match`` names the
        revision at which a release was decided on, and it is refused where what may run has changed since."""
        headers = request.headers
        body = await read_body(request.receive, headers)
        command = command_in(read_json(body, headers.get("content-type")))
        identity = request.state.identity
        if isinstance(command, OrderStop):
            engine.access.permit_command(identity, command)
            return await stopping.as_command(engine, command, identity.actor().name)
        expected = _expected(headers.get("if-match"))
        envelope = Envelope(
            command_id=_key(headers.get("idempotency-key")) or f"{of_this_process}-{next(numbers)}",
            actor=identity.actor(),
            door="http",
            command=command,
            correlation_id=_identifier(headers.get("x-correlation-id"), "X-Correlation-ID"),
            expected_revision=expected,
        )
        try:
            receipt = await engine.writer.submit(envelope, identity)
        except OpsError as error:
            raise of_error(error, conditional=expected is not None) from error
        return JSONResponse(receipt.model_dump(mode="json"), headers={"ETag": f'"{receipt.revision}"'})

    return router


def command_in(document: Any) -> Command:
    """The command of a document; `Problem` 422 where it is none."""
    try:
        return command_from(document)
    except ValidationError as error:
        raise Problem(422, "malformed-command", sentence(error), "see /openapi.json for its fields") from error
    except ValueError as error:
        raise Problem(422, "malformed-command", str(error), "see /openapi.json for the kinds there are") from error


def _key(header: str | None) -> str | None:
    """The key of a request, quoted or bare."""
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
