"""OpenFeature's remote evaluation protocol, 0.3.0.

What is stopped is answered with an explicit ``false``: a client that is told that a flag is disabled takes its own
default, and where that is true the stop would be none. For the same reason there is always a variant, reasons are the
protocol's own, and ours stand in the metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.clients import keys
from backends.clients.keys import Answer
from core.state import State
from opsgate.evaluate import headline
from opsgate.hold import timestamp

HEARTBEAT_MISSED_S = 15
"""Seconds without a word after which a client should ask again by itself."""


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


def evaluation(state: State, key: str, context: Mapping[str, Any]) -> dict[str, Any] | None:
    """The evaluation of one flag; None where there is no such flag."""
    answer = keys.answer(state, key, context)
    return None if answer is None else _evaluated(state, answer)


def bulk(state: State, context: Mapping[str, Any], stream: str) -> dict[str, Any]:
    """The evaluation of every flag, and where to hear that they have changed."""
    answers = [keys.answer(state, key, context) for key in keys.keys(state)]
    return {
        "flags": [_evaluated(state, answer) for answer in answers if answer is not None],
        "metadata": {"revision": state.revision},
        "eventStreams": [
            {"type": "sse", "endpoint": {"requestUri": stream}, "inactivityDelaySec": HEARTBEAT_MISSED_S},
        ],
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


def refetch(revision: int, at_s: float) -> dict[str, Any]:
    """The event that tells a client to ask again."""
    return {"type": "refetchEvaluation", "etag": etag(revision), "lastModified": int(at_s)}


def etag(revision: int) -> str:
    """What is answered about the whole fleet is the same while its revision is."""
    return f'"{revision}"'


def _evaluated(state: State, answer: Answer) -> dict[str, Any]:
    return {
        "key": answer.key,
        "value": answer.allowed,
        "variant": "on" if answer.allowed else "off",
        "reason": "TARGETING_MATCH" if answer.narrowed else "STATIC",
        "metadata": _metadata(state, answer),
    }


def _metadata(state: State, answer: Answer) -> dict[str, Any]:
    """Why, in plain values, as the protocol wants them."""
    blockers = answer.verdict.blockers
    if not blockers:
        return {"revision": state.revision, "holdCount": 0}
    first = blockers[0]
    return {
        "revision": state.revision,
        "holdCount": len(blockers),
        "blockedBy": first.source,
        "holdId": first.hold_id,
        "reasonText": headline(answer.verdict),
        "since": timestamp(first.placed_at),
        **({"expiresAt": timestamp(first.expires_at)} if first.expires_at else {}),
    }
