"""Commands: everything that changes the fleet, as one document that names its kind."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from backends.server import stopping
from backends.server.caps import read_body, read_json
from backends.server.engine import Engine
from backends.server.envelopes import give
from backends.server.problems import Problem
from core.capabilities.emergencies import OrderStop
from core.faults import sentence
from core.messages import Command, Receipt, command_from


def routes(engine: Engine) -> APIRouter:
    """``POST /v1/commands``."""
    router = APIRouter(tags=["commands"])

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
        receipt = await give(engine, request, command)
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
