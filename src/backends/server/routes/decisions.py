"""Decisions: one question of a worker, and why the answer is what it is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from backends.server.caps import read_body, read_json
from backends.server.engine import Engine
from backends.server.problems import Problem
from core.policy import why
from opsgate.selector import Selector, SelectorError


def routes(engine: Engine) -> APIRouter:
    """``GET|POST /v1/check`` and ``GET /v1/why``."""
    router = APIRouter(tags=["decisions"])

    def decide(request: Request, work: dict[str, str], *, strict: bool) -> dict[str, Any]:
        scope = request.state.identity.scope
        return engine.decide(_selector(work).as_dict(), strict=strict, scope=scope).as_dict()

    @router.get("/v1/check")
    async def check(request: Request) -> dict[str, Any]:
        """Whether work of these dimensions may run: ``?site=s1&operation=site_creation``, ``strict=true`` refuses
        names that nobody registered. What lies beyond the scope of the credential is refused."""
        work = _work(request)
        strict = work.pop("strict", "false")
        if strict not in ("true", "false"):
            raise Problem(422, "malformed-request", "strict is neither true nor false", "write strict=true")
        return decide(request, work, strict=strict == "true")

    @router.post("/v1/check")
    async def check_document(request: Request) -> dict[str, Any]:
        """The same for a document of dimensions."""
        headers = request.headers
        work = read_json(await read_body(request.receive, headers), headers.get("content-type"))
        if not isinstance(work, dict):
            raise Problem(422, "malformed-work", "work is an object of dimension and value", 'send {"site": "s1"}')
        return decide(request, work, strict=False)

    @router.get("/v1/why")
    async def explain(request: Request) -> dict[str, Any]:
        """Every blocker of a scope, and what would remain after each release."""
        view = engine.view(request.state.identity.scope)
        selector = _selector(_work(request))
        return why(view.table, selector).as_dict(selector, view.revision)

    return router


def _work(request: Request) -> dict[str, str]:
    """The dimensions of a query; of two values one would be decided on, and the other one taken for allowed."""
    asked = request.query_params.multi_items()
    work = dict(asked)
    if len(work) != len(asked):
        raise Problem(422, "malformed-selector", "a dimension comes twice", "ask once for each value")
    return work


def _selector(work: dict[str, str]) -> Selector:
    try:
        return Selector.from_mapping(work)
    except SelectorError as error:
        raise Problem(422, "malformed-selector", str(error), "name dimensions and values") from error
