"""Whether the server lives, and whether it can be sent requests."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from backends.server.engine import Engine


def routes(engine: Engine) -> APIRouter:
    """``GET /healthz`` and ``GET /readyz``, which anybody may ask."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_class=Response)
    async def is_alive() -> Response:
        """Whether the process lives. It does not look at the database: one that is away is no reason to kill it."""
        return Response(b"ok\n", media_type="text/plain")

    @router.get("/readyz")
    async def is_ready() -> JSONResponse:
        """Whether commands can be carried out now, or why not. Stops are taken in any case. ``warnings`` are what will
        keep clients away soon."""
        contact, word = engine.runtime.contact(), engine.room.database_word
        warned = engine.certificate.warning() if engine.certificate else ""
        ready = contact.word == "valid" and word == "here"
        document: dict[str, Any] = {
            "ready": ready,
            "database": word,
            "contact": contact.word,
            "reason": "" if ready else contact.detail or f"the database is {word}",
            "warnings": [warned] if warned else [],
        }
        return JSONResponse(document, 200 if ready else 503, headers={} if ready else {"Retry-After": "1"})

    return router
