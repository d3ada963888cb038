"""The journal, as it grows and as it was."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from backends import documents
from backends.server.engine import Engine
from opsgate.clock import elapsed_s

_WAIT_MAX_S = 60.0


def routes(engine: Engine) -> APIRouter:
    """``GET /v1/events`` for those who poll, ``GET /v1/audit`` and its verification."""
    router = APIRouter(tags=["journal"])

    @router.get("/v1/events")
    async def read_events(
        request: Request,
        after: Annotated[int, Query(ge=0, lt=2**62)] = 0,
        wait: Annotated[float, Query(ge=0, le=_WAIT_MAX_S)] = 0.0,
        limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
    ) -> dict[str, Any]:
        """Events behind a revision; where there are none yet, the answer waits for so many seconds. With
        ``Accept: text/event-stream`` it is a stream, without end."""
        deadline_s = elapsed_s() + wait
        while True:
            news = engine.journal.hub.next()
            rows = await asyncio.to_thread(engine.runtime.journal, after=after, limit=limit)
            engine.access.require_still(request.state.identity)
            left_s = deadline_s - elapsed_s()
            if rows or left_s <= 0 or engine.journal.hub.closed:
                revision = rows[-1].revision if rows else engine.runtime.latest().revision
                return {"revision": revision, "rows": [documents.of_row(row) for row in rows]}
            try:
                await asyncio.wait_for(asyncio.shield(news), left_s)
            except TimeoutError:
                pass  # nothing happened: that is the answer

    @router.get("/v1/audit")
    def read_audit(
        after: Annotated[int, Query(ge=0, lt=2**62)] = 0, limit: Annotated[int, Query(ge=1, le=5000)] = 1000
    ) -> dict[str, Any]:
        """Rows of the journal behind a revision, oldest first."""
        rows = engine.runtime.journal(after=after, limit=limit)
        return {"revision": engine.runtime.latest().revision, "rows": [documents.of_row(row) for row in rows]}

    @router.get("/v1/audit/verify")
    def verify_audit() -> dict[str, Any]:
        """Check the chain of the whole journal."""
        return documents.of_chain_report(engine.runtime.verify())

    return router
