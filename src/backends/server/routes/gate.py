"""What a gate needs: the table; and a worker's goodbye."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from backends.keeper.outbox import HTTP
from backends.server.answers import cached
from backends.server.asked import Asked
from backends.server.beats import peer_of, require_identifier
from backends.server.engine import Engine
from core.authority import Identity
from opsgate.clock import elapsed_s

PATH: Final = "/v1/gate"

WAIT_MAX_S: Final = 30.0
"""Seconds for which a question may be kept."""


_WAIT: Final = re.compile(rb"wait=(\d{1,2}(?:\.\d{1,6})?)")


def wait_in(query: bytes) -> float | None:
    """For how long a query asks to be kept; None for one that the framework has to read, or to refuse."""
    found = _WAIT.fullmatch(query)
    wait_s = float(found[1]) if found else None if query else 0.0
    return wait_s if wait_s is not None and wait_s <= WAIT_MAX_S else None


async def answer(engine: Engine, asked: Asked, identity: Identity, wait_s: float) -> Response:
    """`GET /v1/gate` past the framework, which takes several times as long: a thousand gates ask when their server has
    begun anew, and again and again where they hear no stream. Raises `Problem` or `core.errors.OpsError`."""
    engine.access.permit(identity, "GET", PATH)
    return await _kept(engine, asked.headers, identity, wait_s)


async def _kept(engine: Engine, headers: Mapping[str, str], identity: Identity, wait_s: float) -> Response:
    deadline_s, hub = elapsed_s() + wait_s, engine.gates.of(identity.scope).hub
    while True:
        news = hub.next()
        answered = await _answer(engine, headers, identity)
        left_s = deadline_s - elapsed_s()
        if answered.status_code != 304 or left_s <= 0 or hub.closed:
            return answered
        try:
            await asyncio.wait_for(asyncio.shield(news), left_s)
        except TimeoutError:
            pass  # nothing happened: that is the answer


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
        return await _kept(engine, request.headers, request.state.identity, wait)

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
        peer = peer_of(worker_id, request.state.identity.credential)
        left = engine.room.reception.leave(worker_id, peer, boot)
        engine.gates.messages_for(f"{HTTP}{worker_id}")
        return {"left": left}

    return router
