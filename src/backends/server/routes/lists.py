"""One list for each noun, as the command line and the console show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from fastapi import APIRouter, Request

from backends.server.engine import Engine
from core import facts, service_facts
from core.ports import Observations
from core.scope import Scope
from core.state import State

Rows = Iterable[dict[str, Any]]

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
    "workers": lambda _state, seen: facts.workers(seen),
}


def routes(engine: Engine) -> APIRouter:
    """``GET /v1/holds`` and the other lists."""
    router = APIRouter(tags=["lists"])

    def add(noun: str, read: Callable[[Scope], tuple[State, Rows]]) -> None:
        def answer(request: Request) -> dict[str, Any]:
            state, rows = read(request.state.identity.scope)
            return {"revision": state.revision, noun: list(rows)}

        router.add_api_route(f"/v1/{noun}", answer, methods=["GET"], summary=f"List {noun}", name=f"list_{noun}")

    def of_state(rows: Callable[[State], Rows]) -> Callable[[Scope], tuple[State, Rows]]:
        def read(scope: Scope) -> tuple[State, Rows]:
            state = engine.seen(engine.runtime.state(), scope)
            return state, rows(state)

        return read

    def of_both(rows: Callable[[State, Observations], Rows]) -> Callable[[Scope], tuple[State, Rows]]:
        def read(scope: Scope) -> tuple[State, Rows]:
            state = engine.seen(engine.runtime.state(), scope)
            return state, rows(state, engine.observed(scope))

        return read

    for noun, rows in _OF_STATE.items():
        add(noun, of_state(rows))
    for noun, both in _OF_BOTH.items():
        add(noun, of_both(both))
    return router
