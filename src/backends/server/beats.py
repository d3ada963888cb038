"""A worker's own word, past the framework: where a thousand workers acknowledge a stop at once, each waits for those
before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from starlette.responses import Response

from backends.keeper.beats import Beat
from backends.keeper.outbox import HTTP
from backends.keeper.peers import Peer
from backends.server.asked import Asked
from backends.server.caps import Receive, read_body
from backends.server.engine import Engine
from backends.server.problems import Problem
from core.authority import Identity
from core.errors import NotPermitted
from core.scope import EVERYWHERE, Scope
from opsgate.http_faults import REPLACED
from opsgate.selector import IDENTIFIER

TEMPLATE: Final = "/v1/workers/{worker_id}"

PATH: Final = re.compile(r"/v1/workers/[^/]+")
"""What a path looks like for which this is."""


async def answer(engine: Engine, asked: Asked, identity: Identity, receive: Receive) -> Response:
    """Hear a worker's heartbeat and its acknowledgements; the answer holds what it has to be told. Raises `Problem` or
    `core.errors.OpsError`."""
    engine.access.permit(identity, "PUT", TEMPLATE)
    worker_id = asked.path.rpartition("/")[2]
    require_identifier(worker_id)
    engine.access.speaks_for(identity, worker_id)
    body = await read_body(receive, asked.headers)
    beat = kept_within(engine.said.beat(worker_id, body, asked.headers.get("content-type")), identity.scope)
    known = engine.room.roster.entries.get(worker_id)
    heard = engine.room.reception.beat(beat, peer_of(worker_id, identity.credential))
    if heard.replaced:
        raise Problem(409, REPLACED, heard.refused, "end this process")
    if heard.refused:
        raise Problem(409, "another-process", heard.refused, "give each process an id of its own")
    engine.propagation.heard(known.row if known else None, beat.revision, beat.stops)
    address = f"{HTTP}{worker_id}"
    messages = engine.gates.messages_for(address, identity.scope, knows=beat.revision, obeys=beat.stops)
    revision = engine.runtime.latest().revision
    return _told(revision, messages) if messages else _told_nothing(revision)


def _told(revision: int, messages: Sequence[Any]) -> Response:
    told = {"revision": revision, "messages": messages}
    return Response(json.dumps(told, separators=(",", ":")).encode(), media_type="application/json")


@lru_cache(maxsize=1)
def _told_nothing(revision: int) -> Response:
    """What nearly all workers are answered."""
    return _told(revision, ())


def kept_within(beat: Beat, scope: Scope) -> Beat:
    """The beat of a worker whose credential reaches so far: what it has not declared is all that it reaches, so that no
    stop elsewhere waits for it. Raises `NotPermitted` where it declares more."""
    if scope == EVERYWHERE:
        return beat
    env, declared = beat.env, dict(beat.scope)
    if scope.sites:
        declared["site"] = declared.get("site", sorted(scope.sites))
    if scope.envs and not env:
        declared["env"] = declared.get("env", sorted(scope.envs))
    within = (scope.sites, declared.get("site", ())), (scope.envs, (env,) if env else declared.get("env", ()))
    if any(bounds and not bounds.issuperset(names) for bounds, names in within):
        raise NotPermitted(
            "outside-scope",
            f"worker {beat.worker_id} declares work beyond {scope}",
            "declare what its token is for, or give it a wider one",
        )
    return replace(beat, scope=declared)


def peer_of(worker_id: str, credential: str) -> Peer:
    """A worker that speaks HTTP has no process of this host, as far as anybody knows."""
    return Peer(0, 0, f"{HTTP}{worker_id}", credential)


def require_identifier(worker_id: str) -> None:
    """Raise `Problem` for what can be no worker's id."""
    if not IDENTIFIER.fullmatch(worker_id):
        raise Problem(422, "bad-name", f"{ascii(worker_id)[:60]} is no worker id", "use A-Z a-z 0-9 . _ ~ -")
