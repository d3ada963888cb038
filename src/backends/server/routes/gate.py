"""What a gate needs: the table, decisions, and the worker's own word."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from backends.keeper.beats import Beat
from backends.keeper.outbox import HTTP
from backends.keeper.peers import Peer
from backends.server.answers import cached
from backends.server.caps import read_body, read_json
from backends.server.engine import Engine
from backends.server.problems import Problem
from opsgate.clock import elapsed_s
from opsgate.selector import IDENTIFIER

WAIT_MAX_S: Final = 30.0
"""Seconds for which a question may be kept."""


def routes(engine: Engine) -> APIRouter:
    """``GET /v1/gate`` and ``PUT|DELETE /v1/workers/{worker_id}``."""
    router = APIRouter(tags=["gates"])

    @router.get("/v1/gate", response_class=JSONResponse)
    async def read_gate(request: Request, wait: Annotated[float, Query(ge=0, le=WAIT_MAX_S)] = 0.0) -> Response:
        """All that a gate decides by, with the orders that no journal has yet.

        Whoever has it already, as ``If-None-Match`` says, is answered after ``wait`` seconds or when something has
        changed. ``Age`` is how long the database has been away.
        """
        deadline_s, audience = elapsed_s() + wait, engine.gates.of(request.state.identity.scope)
        while True:
            news, variant = audience.hub.next(), audience.tag()
            revision, body = await audience.document()
            engine.access.require_still(request.state.identity)
            answer = cached(request.headers, revision, body, variant=variant)
            left_s = deadline_s - elapsed_s()
            if answer.status_code != 304 or left_s <= 0 or audience.hub.closed:
                answer.headers["Age"] = str(math.ceil(engine.gates.age_s))
                return answer
            try:
                await asyncio.wait_for(asyncio.shield(news), left_s)
            except TimeoutError:
                pass  # nothing happened: that is the answer

    @router.put("/v1/workers/{worker_id}")
    async def report_worker(worker_id: str, request: Request) -> dict[str, Any]:
        """A worker's heartbeat and its acknowledgements; the answer holds what it has to be told."""
        _require_identifier(worker_id)
        engine.access.speaks_for(request.state.identity, worker_id)
        headers = request.headers
        document = read_json(await read_body(request.receive, headers), headers.get("content-type"))
        heard = engine.room.reception.beat(_beat(document, worker_id), _peer(worker_id))
        if heard.refused:
            raise Problem(409, "another-process", heard.refused, "give each process an id of its own")
        revision = engine.runtime.latest().revision
        return {"revision": revision, "messages": engine.gates.messages_for(f"{HTTP}{worker_id}")}

    @router.delete("/v1/workers/{worker_id}")
    async def say_goodbye(worker_id: str, request: Request) -> dict[str, Any]:
        """A worker ends on purpose."""
        _require_identifier(worker_id)
        engine.access.speaks_for(request.state.identity, worker_id)
        left = engine.room.reception.leave(worker_id, _peer(worker_id))
        engine.gates.messages_for(f"{HTTP}{worker_id}")
        return {"left": left}

    return router


def _peer(worker_id: str) -> Peer:
    """A worker that speaks HTTP has no process of this host, as far as anybody knows."""
    return Peer(0, 0, f"{HTTP}{worker_id}")


def _beat(document: Any, worker_id: str) -> Beat:
    if not isinstance(document, dict):
        raise Problem(422, "malformed-beat", "a heartbeat is an object", "send env, scope, pid, revision, stops, …")
    try:
        return Beat.of({**document, "worker": worker_id})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(422, "malformed-beat", f"this is no heartbeat: {error!r}"[:300], "see /openapi.json") from error


def _require_identifier(worker_id: str) -> None:
    if not IDENTIFIER.fullmatch(worker_id):
        raise Problem(422, "bad-name", f"{ascii(worker_id)[:60]} is no worker id", "use A-Z a-z 0-9 . _ ~ -")
