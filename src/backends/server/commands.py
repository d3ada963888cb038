"""Commands: everything that changes the fleet, as one document that names its kind.

This route goes past the framework, which would take as long as the commit.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError
from starlette.responses import Response

from backends.server import stopping
from backends.server.asked import Asked
from backends.server.caps import Receive, read_body, read_json
from backends.server.engine import Engine
from backends.server.envelopes import give_as
from backends.server.problems import Problem
from core.authority import Identity
from core.capabilities.emergencies import OrderStop
from core.faults import sentence
from core.messages import Command, as_json, command_from

PATH: Final = "/v1/commands"


async def answer(engine: Engine, asked: Asked, identity: Identity, receive: Receive) -> Response:
    """Carry out one command. The same ``Idempotency-Key`` always gets the same receipt; ``If-Match`` names the revision
    at which a release was decided on, and it is refused where what may run has changed since. Raises `Problem` or
    `core.errors.OpsError`."""
    engine.access.permit(identity, "POST", PATH)
    body = await read_body(receive, asked.headers)
    command = _command_in(read_json(body, asked.headers.get("content-type")), body)
    if isinstance(command, OrderStop):
        engine.access.permit_command(identity, command)
        return await stopping.as_command(engine, command, identity.actor().name)
    receipt = await give_as(engine, asked.headers, identity, command)
    etag = {"ETag": f'"{receipt.revision}"'}
    return Response(as_json(receipt).encode(), headers=etag, media_type="application/json")


def _command_in(document: Any, body: bytes) -> Command:
    """The command of a document; `Problem` 422 where it is none."""
    try:
        return command_from(document, body)
    except ValidationError as error:
        raise Problem(422, "malformed-command", sentence(error), "see /openapi.json for its fields") from error
    except ValueError as error:
        raise Problem(422, "malformed-command", str(error), "see /openapi.json for the kinds there are") from error
