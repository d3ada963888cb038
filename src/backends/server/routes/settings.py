"""The panel of S0: one global pause, sites, five flags, and a way to make a site that is itself gated and limited."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from typing import Any

from fastapi import APIRouter, Request

from backends.clients import settings
from backends.clients.settings import Features, NewSite, Pausing
from backends.server.bodies import document_of, model_of
from backends.server.engine import Engine
from backends.server.envelopes import enveloped, give, key_in
from core.authority import Identity
from core.capabilities.names import AddName, unknown_name
from core.errors import OpsError
from core.messages import Envelope
from opsgate.selector import EVERYTHING, IDENTIFIER, Selector

_LIMIT = "sites"


def routes(engine: Engine) -> APIRouter:
    """``/admin/api/settings`` and ``/admin/api/sites``."""
    router = APIRouter(tags=["settings"])

    @router.get("/admin/api/settings")
    async def read_settings(request: Request) -> dict[str, Any]:
        """The global pause with who, when and why, the five flags and the four limits. A flag is true where no hold at
        all has exactly its selector."""
        await asyncio.to_thread(engine.runtime.state)
        return settings.settings(engine.held(request.state.identity.scope))

    @router.post("/admin/api/settings/pause-all")
    async def pause_all(request: Request) -> dict[str, Any]:
        """Pause everything. The body may be missing; ``pausedBy`` in it is a note."""
        return await pause(request, EVERYTHING)

    @router.post("/admin/api/settings/resume-all")
    async def resume_all(request: Request) -> dict[str, Any]:
        """Release what operators hold on everything, and say what else still holds."""
        return await resume(request, EVERYTHING)

    @router.patch("/admin/api/settings/features")
    async def set_features(request: Request) -> dict[str, Any]:
        """Switch flags. What was to be off is off first; the answer says how each of them is now."""
        wanted = model_of(Features, await document_of(request))
        receipts = [
            await give(engine, request, command, "on" if command.on else "off") for command in wanted.commands()
        ]
        return settings.changed(wanted, engine.held(request.state.identity.scope), receipts[-1] if receipts else None)

    @router.post("/admin/api/sites/create")
    async def create_site(request: Request) -> dict[str, Any]:
        """Register a site, unless that work is held or its limit is used up: then it is skipped, which is no error."""
        wanted = model_of(NewSite, await document_of(request, optional=True))
        identity: Identity = request.state.identity
        name = wanted.siteId or _made_up(key_in(request.headers))
        command = AddName(dimension="site", name=name)
        engine.access.permit_command(identity, command)
        envelope = enveloped(engine, request.headers, identity, command)
        return await engine.writer.do(lambda left_s: _create(engine, envelope, identity, name, left_s))

    @router.post("/admin/api/sites/{site_id}/pause")
    async def pause_site(site_id: str, request: Request) -> dict[str, Any]:
        """Pause one site."""
        return await pause(request, _site(engine, request, site_id))

    @router.post("/admin/api/sites/{site_id}/resume")
    async def resume_site(site_id: str, request: Request) -> dict[str, Any]:
        """Release what operators hold on one site, and say what else still holds."""
        return await resume(request, _site(engine, request, site_id))

    async def pause(request: Request, selector: Selector) -> dict[str, Any]:
        wanted = model_of(Pausing, await document_of(request, optional=True))
        return settings.paused(selector, await give(engine, request, settings.pause(wanted, selector)))

    async def resume(request: Request, selector: Selector) -> dict[str, Any]:
        wanted = model_of(Pausing, await document_of(request, optional=True))
        return settings.resumed(selector, await give(engine, request, settings.resume(wanted, selector)))

    return router


def _site(engine: Engine, request: Request, name: str) -> Selector:
    """The selector of a site. Whether there is one is decided where the hold is; what can be no name is none."""
    if not IDENTIFIER.fullmatch(name):
        raise unknown_name(engine.held(request.state.identity.scope), "site", ascii(name)[1:-1][:60], create=False)
    return Selector.of(site=name)


def _made_up(key: str | None) -> str:
    """A name for a site that was given none; the same one for a request that is repeated under its key."""
    word = hashlib.sha256(key.encode()).hexdigest() if key else uuid.uuid4().hex
    return f"site-{word[:12]}"


def _create(engine: Engine, envelope: Envelope, identity: Identity, name: str, left_s: float) -> dict[str, Any]:
    """On the writer's thread: decide, take one from the limit, register; give it back where nothing came of it."""
    runtime, work = engine.runtime, {"site": name, "operation": "site_creation"}
    decision = engine.decide(work)
    if decision:  # what is held is said without a database; that nothing holds it, only by looking
        runtime.state(timeout_s=left_s)
        decision = engine.decide(work)
    if not decision:
        return decision.skipped()
    if ("site", name) in runtime.latest().names:
        return settings.created(name)
    taken = runtime.reserve(_LIMIT, timeout_s=left_s)
    if not taken.grant.granted:
        used, limit = taken.grant.used, taken.grant.limit
        return {"skipped": True, "reason": f"limit {_LIMIT} is used up: {used} of {limit}"}
    try:
        receipt = runtime.submit(envelope, timeout_s=left_s, identity=identity)
    except OpsError:
        runtime.refund(taken.reservation_id, timeout_s=left_s)
        raise
    return {**settings.created(name), "revision": receipt.revision}
