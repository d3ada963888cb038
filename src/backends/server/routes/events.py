"""The journal, as it grows and as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from backends import documents
from backends.server.engine import Engine
from backends.server.outlooks import Outlook
from backends.server.problems import Problem
from core.audit import Row
from core.scope import EVERYWHERE, Scope
from core.showing import Veil
from opsgate.clock import elapsed_s

_WAIT_MAX_S = 60.0


def routes(engine: Engine) -> APIRouter:
    """``GET /v1/events`` for those who poll, ``GET /v1/audit`` and its verification."""
    router = APIRouter(tags=["journal"])

    @router.get("/v1/events")
    async def read_events(
        request: Request,
        after: Annotated[int, Query(ge=0, lt=2**62)] = 0,
        wait: Annotated[float, Query(ge=0, le=_WAIT_MAX_S)] = 0.0,
        limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
    ) -> dict[str, Any]:
        """Events behind a revision, and the head of the journal; where there are none yet, the answer waits for so many
        seconds. 410 where they are not kept any more, or where the journal has never come so far: then the state has
        to be read. With ``Accept: text/event-stream`` it is a stream, without end.

        In the place of events of which whoever asks may see nothing stands what leads on from one end of them to the
        other: ``after, before, revision, chain``, and the state's own ``control_revision`` and ``names_revision``."""
        deadline_s, scope = elapsed_s() + wait, request.state.identity.scope
        outlook = None if scope == EVERYWHERE else engine.journal.outlooks.of(scope)
        hub = outlook.hub if outlook else engine.journal.hub
        while True:
            news = hub.next()
            rows = await asyncio.to_thread(_behind, engine, outlook, after, limit)
            engine.access.require_still(request.state.identity)
            revision, chain = _head(engine, rows)
            _require_kept(after, rows, revision)
            left_s = deadline_s - elapsed_s()
            if rows or left_s <= 0 or hub.closed:
                return documents.of_page(rows, revision, chain)
            try:
                await asyncio.wait_for(asyncio.shield(news), left_s)
            except TimeoutError:
                pass  # nothing happened: that is the answer

    @router.get("/v1/audit")
    def read_audit(
        request: Request,
        after: Annotated[int, Query(ge=0, lt=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
    ) -> dict[str, Any]:
        """Rows of the journal behind a revision, oldest first, as far as they may be seen."""
        scope: Scope = request.state.identity.scope
        if scope == EVERYWHERE:
            rows = engine.runtime.journal(after=after, limit=limit)
        else:
            rows = engine.journal.outlooks.of(scope).rows(after, limit)
        return {"revision": engine.runtime.latest().revision, "rows": [documents.of_row(row) for row in rows]}

    @router.get("/v1/audit/verify")
    def verify_audit() -> dict[str, Any]:
        """Check the chain of the whole journal."""
        return documents.of_chain_report(engine.runtime.verify())

    return router


def _behind(engine: Engine, outlook: Outlook | None, after: int, limit: int) -> Sequence[Row | Veil]:
    """What is known behind a revision. Who knows more than is known here may have heard it from another server of the
    fleet: then the database is asked. And so it is where the journal is ahead of what is known: who may still read it
    is judged by all that it says, the end of their own token included."""
    if outlook is None:
        rows = engine.runtime.journal(after=after, limit=limit)
        if engine.runtime.latest().revision < (rows[-1].revision if rows else after):
            engine.runtime.state()
        return rows
    if engine.runtime.latest().revision < after:
        engine.runtime.state()
    news = outlook.news(after, limit)
    if news is None:
        raise _not_kept(after)
    return news


def _head(engine: Engine, rows: Sequence[Row | Veil]) -> tuple[int, str]:
    """The end of the journal, as far as is known; what was read just now may go beyond what was known before."""
    state, chain = engine.runtime.sealed()
    last = rows[-1] if rows else None
    return (last.revision, last.chain) if last and last.revision > state.revision else (state.revision, chain)


def _require_kept(after: int, rows: Sequence[Row | Veil], head: int) -> None:
    """Raise `Problem` where the events behind ``after`` do not lead from there to the head."""
    first = rows[0] if rows else None
    if first is not None and (first.after if isinstance(first, Veil) else first.revision - 1) != after:
        raise _not_kept(after)
    if after > head:
        raise _not_kept(after)


def _not_kept(after: int) -> Problem:
    return Problem(410, "not-kept", f"the journal does not lead on from revision {after}", "read /v1/state")
