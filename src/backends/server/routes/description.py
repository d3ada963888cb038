"""What this server can do, for programs."""

from __future__ import annotations

import json
from functools import cache

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from backends.server.document import document_of
from backends.server.engine import Engine


def routes(_engine: Engine) -> APIRouter:
    """``GET /openapi.json``."""
    router = APIRouter(tags=["description"])

    @cache
    def made(api: FastAPI) -> bytes:
        return json.dumps(document_of(api), separators=(",", ":")).encode()

    @router.get("/openapi.json", response_class=JSONResponse)
    async def describe(request: Request) -> Response:
        """This document."""
        return Response(made(request.app), media_type="application/json")

    return router
