"""Samples: what triggers live on, as workers and monitors report it, and what was kept of them."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from backends import documents
from backends.server.bodies import BATCH_MAX, document_of, model_of
from backends.server.engine import Engine
from core.authority import Identity
from core.errors import BackendUnavailable
from core.messages import Message
from core.ports import SAMPLES_READ_MAX
from core.triggers.sample import AGE_MAX_S, Metric, Reported, Sample


class SampleBatch(Message):
    """Samples of one sender, oldest first. How old each is, is said in seconds, because the server's clock decides."""

    samples: Annotated[list[Reported], Field(min_length=1, max_length=1000)]


def routes(engine: Engine) -> APIRouter:
    """``POST /v1/samples`` and ``GET /v1/samples``."""
    router = APIRouter(tags=["triggers"])

    @router.post("/v1/samples", status_code=202)
    async def take_samples(request: Request) -> JSONResponse:
        """Look at these: 202 where triggers will have looked at them in a moment, 403 where one of them would stop or
        bring back what lies beyond the sender's scope, 503 where too many wait."""
        batch = model_of(SampleBatch, await document_of(request, at_most=BATCH_MAX))
        by = request.state.identity.worker_id or ""
        at_s = engine.now().timestamp()
        samples = [
            Sample(one.metric, at_s - one.age_s, one.value, one.account, source=one.source or by)
            for one in batch.samples
        ]
        put(engine, request.state.identity, samples)
        return JSONResponse({"taken": len(samples)}, 202)

    building = asyncio.Semaphore(1)

    @router.get("/v1/samples", response_class=JSONResponse)
    async def read_samples(
        metric: Annotated[Metric, Query()],
        last_s: Annotated[float, Query(gt=0, le=AGE_MAX_S)] = 3600.0,
        most: Annotated[int, Query(ge=1, le=SAMPLES_READ_MAX)] = 20_000,
    ) -> Response:
        """The readings of a metric that were kept lately, the latest of them, oldest first: what a trigger can be
        rehearsed with. Kept is what triggers or gates look at. No reading says whose work it is about, so this is for
        credentials that see the whole fleet."""
        async with building:  # an answer may be large: whoever asks besides takes no thread and no memory meanwhile
            text = await asyncio.to_thread(kept, metric, last_s, most)
        return Response(text, media_type="application/json")

    def kept(metric: str, last_s: float, most: int) -> bytes:
        found = engine.runtime.samples(metric, last_s=last_s, most=most)
        return json.dumps({"samples": list(map(documents.of_sample, found))}, separators=(",", ":")).encode()

    return router


def put(engine: Engine, identity: Identity, samples: list[Sample]) -> None:
    """Hand samples to the evaluator, all of them or none. `NotPermitted` where some would move what lies beyond the
    sender's scope, `BackendUnavailable` where too many wait already."""
    engine.access.permit_samples(identity, samples)
    if not engine.room.triggers.put(samples):
        raise BackendUnavailable("too-many-samples", "more samples wait than can be looked at", "send fewer, or later")
