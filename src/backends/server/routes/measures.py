"""Metrics, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from backends.server.engine import Engine
from backends.server.metrics import MEDIA_TYPE


def routes(engine: Engine) -> APIRouter:
    """``GET /metrics``."""
    router = APIRouter(tags=["metrics"])

    @router.get("/metrics", response_class=PlainTextResponse)
    def read_metrics() -> Response:
        """What the fleet is doing and how this server does, as Prometheus reads it."""
        return Response(engine.metrics.page(), media_type=MEDIA_TYPE)

    return router
