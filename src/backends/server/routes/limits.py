"""Reservations of rate limits."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field, ValidationError

from backends import documents
from backends.server.caps import read_body, read_json
from backends.server.engine import Engine
from backends.server.envelopes import key_in
from backends.server.problems import Problem
from core.capabilities.rate_limits import limit_named
from core.faults import sentence
from core.messages import Message
from core.ports import Reservation
from core.state import Limit


class ReserveRequest(Message):
    """How much to take; a block of it, to be used within ``lease_s``, counts as used from the end of that on."""

    cost: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    lease_s: Annotated[float, Field(ge=0, le=60)] = 0.0


def routes(engine: Engine) -> APIRouter:
    """``POST /v1/limits/{name}/reserve`` and ``DELETE /v1/reservations/{reservation_id}``."""
    router = APIRouter(tags=["limits"])

    @router.post("/v1/limits/{name}/reserve")
    async def reserve(name: str, request: Request) -> JSONResponse:
        """Take a cost from a limit, by its own name or S0's; 429 where it is used up, with when to try again. Asked for
        again with the same `Idempotency-Key` it is taken once: its id is `r-KEY`, and `r-KEY@WORKER` for a worker."""
        headers, owner, key = request.headers, request.state.identity.worker_id, key_in(request.headers)
        wanted = _wanted(await read_body(request.receive, headers), headers.get("content-type"))
        taken = await engine.writer.do(
            lambda left_s: engine.runtime.reserve(
                name, wanted.cost, lease_s=wanted.lease_s, timeout_s=left_s, owner=owner, named=key
            )
        )
        limit = limit_named(engine.runtime.latest(), name)
        sent = _headers(limit, taken)
        if not taken.grant.granted:
            engine.room.used_up(limit.name)
            raise _used_up(limit, taken, sent)
        return JSONResponse(documents.of_reservation(taken), headers=sent)

    @router.delete("/v1/reservations/{reservation_id}")
    async def refund(
        request: Request, reservation_id: str, keep: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0
    ) -> dict[str, Any]:
        """Give a reservation back whose work never started, or all of it but ``keep`` units. A worker gives back what
        it took itself, and nothing else."""
        engine.access.permit_refund(request.state.identity, reservation_id)
        done = await engine.writer.do(lambda left_s: engine.runtime.refund(reservation_id, keep=keep, timeout_s=left_s))
        return {"refunded": done}

    return router


def _wanted(body: bytes, content_type: str | None) -> ReserveRequest:
    document = read_json(body, content_type) if body else {}
    try:
        return ReserveRequest.model_validate(document)
    except ValidationError as error:
        raise Problem(422, "bad-cost", sentence(error), "reserve 1 or more") from error


def _headers(limit: Limit, taken: Reservation) -> dict[str, str]:
    grant = taken.grant
    rest, seconds = max(0, grant.limit - grant.used), math.ceil(grant.retry_after_s or 0)
    return {
        "RateLimit-Policy": f'"{limit.name}";q={grant.limit};w={math.ceil(limit.window_s)}',
        "RateLimit": f'"{limit.name}";r={rest}' + (f";t={seconds}" if seconds else ""),
    }


def _used_up(limit: Limit, taken: Reservation, headers: dict[str, str]) -> Problem:
    grant = taken.grant
    wait = {} if grant.retry_after_s is None else {"Retry-After": str(max(1, math.ceil(grant.retry_after_s)))}
    return Problem(
        429,
        "limit-used-up",
        f"{grant.used} of {grant.limit} of limit {limit.name} are used",
        "try again later" if wait else "it never grants so much: lower the cost or raise the limit",
        kind="used-up",
        headers={**headers, **wait},
        more=documents.of_reservation(taken),
    )
