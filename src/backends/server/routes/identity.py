"""Who somebody is taken for."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from backends import documents
from backends.server.engine import Engine


def routes(_engine: Engine) -> APIRouter:
    """``GET /v1/whoami``."""
    router = APIRouter(tags=["identity"])

    @router.get("/v1/whoami")
    async def tell_identity(request: Request) -> dict[str, Any]:
        """The name, the role and the scope that the credential of this request stands for."""
        return documents.of_identity(request.state.identity)

    return router
