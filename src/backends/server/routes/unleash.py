"""Toggles for clients of Unleash, by its client API."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from backends.clients import keys, unleash
from backends.server.answers import tagged
from backends.server.bodies import BATCH_MAX, document_of
from backends.server.engine import Engine
from backends.server.problems import Problem


def routes(engine: Engine) -> APIRouter:
    """``/api/client/features``, ``/api/client/register`` and ``/api/client/metrics``."""
    router = APIRouter(tags=["Unleash"])

    @router.get("/api/client/features", response_class=JSONResponse)
    async def list_features(request: Request) -> Response:
        """Every flag of the fleet as a toggle without strategies: on where nothing holds its work."""
        scope = request.state.identity.scope
        tag = unleash.etag(engine.runtime.latest().fleet, engine.tag(scope))
        view = engine.view(scope)
        return tagged(request.headers, tag, lambda: json.dumps(unleash.features(view.table)).encode())

    @router.get("/api/client/features/{name:path}")
    async def show_feature(name: str, request: Request) -> dict[str, Any]:
        """One toggle."""
        found = unleash.feature(engine.view(request.state.identity.scope).table, name)
        if found is None:
            raise Problem(404, "unknown-name", f"no toggle is called {ascii(name)[:60]}", kind="unknown-name")
        return found

    @router.post("/api/client/register", status_code=202, response_class=Response)
    async def register(request: Request) -> Response:
        """An instance begins. It is no worker: nobody waits for it to acknowledge a stop."""
        document = await document_of(request)
        engine.instances.heard(*_who(document))
        return Response(status_code=202)

    @router.post("/api/client/metrics", status_code=202, response_class=Response)
    async def count(request: Request) -> Response:
        """What an instance found its toggles to be; shown by this server's metrics."""
        document = await document_of(request, at_most=BATCH_MAX)
        try:
            found = unleash.evaluated(document)
        except ValueError as error:
            raise Problem(400, "malformed-metrics", str(error)[:300], "send bucket.toggles") from error
        table = engine.view().table
        known = {flag: counts for flag, counts in found.items() if keys.work_of(table, flag) is not None}
        engine.instances.heard(*_who(document), known)
        return Response(status_code=202)

    return router


def _who(document: dict[str, Any]) -> tuple[str, str]:
    app, instance = document.get("appName"), document.get("instanceId", "")
    if not isinstance(app, str) or not isinstance(instance, str):
        raise Problem(400, "malformed-client", "a client says appName and instanceId", "send both as texts")
    return app, instance
