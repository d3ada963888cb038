"""Flags for clients of OpenFeature, by its remote evaluation protocol.

No answer here waits for a database, and nobody is told to come back later: a client that gets an error instead of a
value takes its own default, and where that is true it would run what is stopped.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from backends.clients import keys, ofrep
from backends.server.answers import tagged
from backends.server.caps import read_body, read_json
from backends.server.engine import Engine
from backends.server.problems import Problem
from core.errors import OpsError

STREAM: Final = "/ofrep/v1/events"
"""Where clients hear that they should ask again; it goes past the framework, as every stream does."""


class Unusable(Exception):
    """A request that cannot be read."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(str(document))
        self.answer = JSONResponse(document, status)


def routes(engine: Engine) -> APIRouter:
    """``POST /ofrep/v1/evaluate/flags`` and ``POST /ofrep/v1/evaluate/flags/{key}``."""
    router = APIRouter(tags=["OpenFeature"])

    @router.post("/ofrep/v1/evaluate/flags", response_class=JSONResponse)
    async def evaluate_flags(request: Request, newest: Annotated[str, Query(alias="flagConfigEtag")] = "") -> Response:
        """Every flag in a context. ``flagConfigEtag`` is the tag that the stream named: what is answered is at least
        as new."""
        try:
            context = await _context(request, None)
        except Unusable as unusable:
            return unusable.answer
        await _catch_up(engine, newest)
        scope = request.state.identity.scope
        tag = ofrep.etag(engine.tag(scope), context)
        view = engine.view(scope)

        def made() -> bytes:
            answers = [keys.answer(view.table, key, context) for key in keys.keys(view.table)]
            return json.dumps(ofrep.bulk(filter(None, answers), view.revision, STREAM)).encode()

        return tagged(request.headers, tag, made)

    @router.post("/ofrep/v1/evaluate/flags/{key:path}")
    async def evaluate_flag(key: str, request: Request) -> Response:
        """One flag in a context: an explicit false where it is stopped, whatever the client's default. Of a key with
        a slash in it, all counts."""
        try:
            context = await _context(request, key)
        except Unusable as unusable:
            return unusable.answer
        view = engine.view(request.state.identity.scope)
        answer = keys.answer(view.table, key, context)
        if answer is None:
            return JSONResponse(ofrep.not_found(key), 404)
        engine.metrics.decided(answer.verdict)
        return JSONResponse(ofrep.evaluation(answer, view.revision))

    return router


async def _context(request: Request, key: str | None) -> Mapping[str, Any]:
    """The context of a request, whatever type its body claims to be of. Raises `Unusable`."""
    try:
        body = await read_body(request.receive, request.headers)
        document = read_json(body, None) if body.strip() else None
    except Problem as problem:
        raise Unusable(problem.status, ofrep.unusable(key, problem.detail)) from problem
    try:
        return ofrep.context_of(document)
    except ValueError as error:
        raise Unusable(400, ofrep.unusable(key, str(error), "INVALID_CONTEXT")) from error


async def _catch_up(engine: Engine, newest: str) -> None:
    """Look at the database, where a client knows of a later revision by another server. One that is away is no reason
    for no answer."""
    if ofrep.revision_of(newest) > engine.runtime.latest().revision:
        try:
            await asyncio.to_thread(engine.runtime.state, timeout_s=1.0)
        except OpsError:
            pass  # what was last seen holds on
