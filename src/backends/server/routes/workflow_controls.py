"""The switches of S2: a list of workflows, each of them on or off."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from fastapi import APIRouter, Request

from backends.clients import workflow_controls
from backends.clients.workflow_controls import Toggle
from backends.keeper.log import NAME
from backends.server.bodies import document_of, model_of
from backends.server.engine import Engine
from backends.server.envelopes import give
from backends.server.problems import Problem
from core.capabilities.names import unknown_name
from opsgate.selector import IDENTIFIER

_log = logging.getLogger(NAME)


def routes(engine: Engine) -> APIRouter:
    """``GET /api/workflow_controls`` and ``PUT /api/workflow_controls/{name}``."""
    router = APIRouter(tags=["workflow controls"])

    @router.get("/api/workflow_controls")
    async def list_workflow_controls(request: Request) -> list[dict[str, Any]]:
        """Every workflow, by name. One is enabled where no hold at all has exactly its selector."""
        await asyncio.to_thread(engine.runtime.state)
        return workflow_controls.controls(engine.held(request.state.identity.scope))

    @router.put("/api/workflow_controls/{name}")
    async def switch_workflow(name: str, request: Request) -> dict[str, Any]:
        """Switch one workflow; the answer says whether it is enabled now, and what else holds it where it is not."""
        document = await document_of(request)
        if document.get("enabled") is None:
            said = "enabled field required"
            raise Problem(400, "enabled-missing", said, 'send {"enabled": true} or false', more={"error": said})
        wanted = model_of(Toggle, document)
        if not IDENTIFIER.fullmatch(name):
            raise unknown_name(
                engine.held(request.state.identity.scope), "workflow", ascii(name)[1:-1][:60], create=False
            )
        receipt = await give(engine, request, wanted.command(name))
        _log.warning(
            "Workflow '%s' %s by %s",
            name,
            "ENABLED" if wanted.enabled else "DISABLED",
            request.state.identity.actor().name,
        )
        return workflow_controls.toggled(engine.held(request.state.identity.scope), name, receipt.remaining_holds)

    return router
