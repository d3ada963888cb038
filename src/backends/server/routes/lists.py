"""One list for each noun, as the command line and the console show them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final
from zlib import crc32

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from backends.server.answers import at_revision, tagged
from backends.server.engine import Engine
from core import facts, service_facts
from core.ports import Observations
from core.scope import EVERYWHERE
from core.state import State

Rows = Iterable[dict[str, Any]]


def _workers(_state: State, seen: Observations) -> Rows:
    """Each worker with what it last said; ``lost`` when it has not been heard of for too long."""
    return facts.workers(seen)


_OF_STATE: Final[dict[str, Callable[[State], Rows]]] = {
    "holds": facts.holds,
    "sites": facts.sites,
    "flags": facts.flags,
    "workflows": facts.workflows,
    "emergencies": facts.emergencies,
    "triggers": facts.triggers,
    "services": service_facts.services,
    "recoveries": service_facts.recoveries,
    "procedures": service_facts.procedure_rows,
}
_OF_BOTH: Final[dict[str, Callable[[State, Observations], Rows]]] = {
    "limits": facts.limits,
    "workers": _workers,
}


def routes(engine: Engine) -> APIRouter:
    """``GET /v1/holds`` and the other lists. The tag is the revision, where nothing else makes the list what it is."""
    router = APIRouter(tags=["lists"])

    def add(noun: str, answer: Callable[[Request], Response], about: str | None) -> None:
        router.add_api_route(
            f"/v1/{noun}",
            answer,
            methods=["GET"],
            response_class=JSONResponse,
            name=f"list_{noun}",
            summary=f"List {noun}",
            description=about,
        )

    def shown(request: Request) -> State:
        return engine.seen(engine.runtime.state(), request.state.identity.scope)

    def of_state(noun: str, rows: Callable[[State], Rows]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            if request.state.identity.scope == EVERYWHERE:
                engine.runtime.state()
                whole, chain = engine.runtime.sealed()
                tag = f'"{at_revision(whole.revision, chain)}"'
                return tagged(request.headers, tag, lambda: _listed(whole, noun, rows(whole)))
            state = shown(request)
            return _by_its_bytes(request, state, _listed(state, noun, rows(state)))

        return answer

    def of_both(noun: str, rows: Callable[[State, Observations], Rows]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            state, seen = shown(request), engine.observed(request.state.identity.scope)
            return _by_its_bytes(request, state, _listed(state, noun, rows(state, seen)))

        return answer

    for noun, rows in _OF_STATE.items():
        add(noun, of_state(noun, rows), rows.__doc__)
    for noun, both in _OF_BOTH.items():
        add(noun, of_both(noun, both), both.__doc__)
    return router


def _listed(state: State, noun: str, rows: Rows) -> bytes:
    return json.dumps({"revision": state.revision, noun: list(rows)}, separators=(",", ":")).encode()


def _by_its_bytes(request: Request, state: State, body: bytes) -> Response:
    """What is observed, and who is asking, make another list of the same revision."""
    return tagged(request.headers, f'"{state.revision}/{crc32(body):08x}"', lambda: body)
