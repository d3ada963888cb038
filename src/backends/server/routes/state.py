"""The state of the fleet and what is observed beside it, for consoles that fold the journal themselves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from backends import documents
from backends.server.answers import cached
from backends.server.engine import Engine
from core.messages import Moment
from core.scope import EVERYWHERE, Scope


def routes(engine: Engine) -> APIRouter:
    """``GET /v1/state`` and ``GET /v1/observations``."""
    router = APIRouter(tags=["state"])

    @router.get("/v1/state", response_class=JSONResponse)
    async def read_state(request: Request, at: Annotated[Moment | None, Query()] = None) -> Response:
        """The state, as far as the credential reaches, and the chain hash of its last event; with ``at`` as it was at a
        past time."""
        scope = request.state.identity.scope
        if at is not None:
            text = await asyncio.to_thread(past, at, scope)
            return Response(text, media_type="application/json")
        await asyncio.to_thread(engine.runtime.state)
        if scope == EVERYWHERE:
            return cached(request.headers, *await asyncio.to_thread(engine.journal.state))
        revision, chain, body, variant = await asyncio.to_thread(engine.journal.outlooks.of(scope).document)
        return cached(request.headers, revision, chain, body, variant=variant)

    @router.get("/v1/observations")
    def read_observations(request: Request) -> dict[str, Any]:
        """Workers, what is used of the limits, whether a keeper is alive, who else looks on, and who asks."""
        identity = request.state.identity
        seen = replace(engine.observed(identity.scope), present=engine.present(identity), known_as=identity)
        return {**documents.of_observations(seen), "revision": engine.runtime.latest().revision}

    def past(at: datetime, scope: Scope) -> str:
        return documents.of_state(engine.seen(engine.runtime.state_at(at), scope), "")

    return router
