"""OpenFeature's remote evaluation protocol, 0.3.0.

What is stopped is answered with an explicit ``false``: a client that is told that a flag is disabled takes its own
default, and where that is true the stop would be none. For the same reason there is always a variant, reasons are the
protocol's own, and ours stand in the metadata.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from backends.clients.keys import Answer
from opsgate.evaluate import headline
from opsgate.hold import timestamp

_REVISION: Final = re.compile(r'(?:W/)?"?(\d{1,18})(?!\d)')


def context_of(body: Any) -> Mapping[str, Any]:
    """The context in a request; ValueError where there is something else in its place."""
    if body is None:
        return {}
    match body:
        case {"context": dict(context)}:
            return context
        case dict() if "context" not in body:
            return {}
    raise ValueError("the body is an object with an object called context")


def evaluation(answer: Answer, revision: int) -> dict[str, Any]:
    """The evaluation of one flag, on the fleet as it is at ``revision``."""
    return {
        "key": answer.key,
        "value": answer.allowed,
        "variant": "on" if answer.allowed else "off",
        "reason": "TARGETING_MATCH" if answer.narrowed else "STATIC",
        "metadata": _metadata(answer, revision),
    }


def bulk(answers: Iterable[Answer], revision: int, stream: str) -> dict[str, Any]:
    """The evaluation of every flag, and where to hear that they have changed."""
    return {
        "flags": [evaluation(answer, revision) for answer in answers],
        "metadata": {"revision": revision},
        "eventStreams": [{"type": "sse", "endpoint": {"requestUri": stream}}],
    }


def not_found(key: str) -> dict[str, Any]:
    """The answer to a key that nobody registered."""
    return {
        "key": key,
        "errorCode": "FLAG_NOT_FOUND",
        "errorDetails": f"no flag, workflow or operation is called {key}",
    }


def unusable(key: str | None, why: str, code: str = "PARSE_ERROR") -> dict[str, Any]:
    """The answer to a request that cannot be read."""
    return {**({} if key is None else {"key": key}), "errorCode": code, "errorDetails": why}


def refetch(tag: str, at_s: float) -> dict[str, Any]:
    """The event that tells a client to ask again."""
    return {"type": "refetchEvaluation", "etag": etag(tag), "lastModified": int(at_s)}


def etag(tag: str, context: Mapping[str, Any] | None = None) -> str:
    """What is answered in one context is the same while the fleet's ``tag`` is, which begins with its revision."""
    if not context:
        return f'"{tag}"'
    text = json.dumps(context, sort_keys=True, separators=(",", ":"))
    return f'"{tag}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def revision_of(etag: str) -> int:
    """The revision in a tag that a client sends back; 0 where there is none in it."""
    found = _REVISION.match(etag.strip())
    return int(found[1]) if found else 0


def _metadata(answer: Answer, revision: int) -> dict[str, Any]:
    """Why, in plain values, as the protocol wants them."""
    blockers = answer.verdict.blockers
    if not blockers:
        return {"revision": revision, "holdCount": 0}
    first = blockers[0]
    return {
        "revision": revision,
        "holdCount": len(blockers),
        "blockedBy": first.source,
        "holdId": first.hold_id,
        "reasonText": headline(answer.verdict),
        "since": timestamp(first.placed_at),
        **({"expiresAt": timestamp(first.expires_at)} if first.expires_at else {}),
    }
