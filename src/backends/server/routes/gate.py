"""What a gate needs: the table; and a worker's goodbye."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from backends.keeper.outbox import HTTP
from backends.server.answers import cached
from backends.server.asked import Asked
from backends.server.beats import credential_of, peer_of, require_identifier
from backends.server.engine import Engine
from core.authority import Identity
from opsgate.clock import elapsed_s

PATH: Final = "/v1/gate"

WAIT_MAX_S: Final = 30.0
"""Seconds for which a question may be kept."""


async def answer_at_once(engine: Engine, asked: Asked, identity: Identity) -> Response:
    """The same as `GET /v1/gate` without anything behind it, past the framework, which takes several times as long: a
    thousand gates ask when their server has begun anew. Raises `Problem` or `core.errors.OpsError`."""
    engine.access.permit(identity, "GET", PATH)
    return await _answer(engine, asked.headers, identity)


async def _answer(engine: Engine, headers: Mapping[str, str], identity: Identity) -> Response:
    audience = engine.gates.of(identity.scope)
    variant = audience.tag()
    revision, chain, body = await audience.document()
    engine.access.require_still(identity)
    answer = cached(headers, revision, chain, body, variant=variant)
    answer.headers["Age"] = str(math.ceil(engine.gates.age_s))
    return answer


def routes(engine: Engine) -> APIRouter:
    """``GET /v1/gate`` and ``DELETE /v1/workers/{worker_id}``."""
    router = APIRouter(tags=["gates"])

    @router.get(PATH, response_class=JSONResponse)
    async def read_gate(request: Request, wait: Annotated[float, Query(ge=0, le=WAIT_MAX_S)] = 0.0) -> Response:
        """All that a gate decides by, with the orders that no journal has yet.

        Whoever has it already, as ``If-None-Match`` says, is answered after ``wait`` seconds or when something has
        changed. ``Age`` is how long the database has been away.
        """
        deadline_s, hub = elapsed_s() + wait, engine.gates.of(request.state.identity.scope).hub
        while True:
            news = hub.next()
            answer = await _answer(engine, request.headers, request.state.identity)
            left_s = deadline_s - elapsed_s()
            if answer.status_code != 304 or left_s <= 0 or hub.closed:
                return answer
            try:
                await asyncio.wait_for(asyncio.shield(news), left_s)
            except TimeoutError:
                pass  # nothing happened: that is the answer

    @router.delete("/v1/workers/{worker_id}")
    async def say_goodbye(
        worker_id: str, request: Request, boot: Annotated[str, Query(max_length=128)] = ""
    ) -> dict[str, Any]:
        """A worker ends on purpose. It may have spoken to another server of the fleet until now.

        One whose ``boot`` is not that of the process which goes by this name now ends nothing.
        """
        require_identifier(worker_id)
        engine.access.speaks_for(request.state.identity, worker_id)
        if worker_id not in engine.room.roster.entries:
            rows = await asyncio.to_thread(engine.runtime.store.workers)
            engine.room.reception.meet(row for row in rows if row.worker_id == worker_id)
        left = engine.room.reception.leave(worker_id, peer_of(worker_id, credential_of(request.state.identity)), boot)
        engine.gates.messages_for(f"{HTTP}{worker_id}")
        return {"left": left}

    return router
