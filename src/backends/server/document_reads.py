"""The part of the OpenAPI document about what is read: the state, its lists, the journal, decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.server.document_rows import LISTS, ROWS
from backends.server.document_shapes import (
    COUNT,
    MAYBE,
    MAYBE_TIME,
    NUMBER,
    TEXT,
    TEXTS,
    TIME,
    TRUTH,
    listed,
    one_of,
    record,
    ref,
)
from opsgate.names import DIMENSIONS

_VEIL: Final = record(
    after=COUNT, before=TEXT, revision=COUNT, chain=TEXT, control_revision=COUNT, names_revision=COUNT
) | {"description": "Stands for the events behind `after`, up to `revision`, of which nothing may be seen."}

ANSWERS: Final[Mapping[tuple[str, str], dict[str, Any]]] = {
    ("get", "/readyz"): record(
        ready=TRUTH,
        database=one_of("here", "away", "gone"),
        contact=TEXT,
        reason={**TEXT, "description": "why not"},
        warnings={**TEXTS, "description": "what will keep clients away soon"},
    ),
    ("get", "/v1/state"): record(
        fleet=TEXT,
        revision=COUNT,
        chain=TEXT,
        oldest_reader={
            **COUNT,
            "description": "the oldest format of `state` whose readers may show what they know of it",
        },
        state={
            "type": "object",
            "description": "the engine's own form, for consoles that fold the journal; lists tell the same",
            "required": ["format"],
            "properties": {"format": COUNT},
            "additionalProperties": True,
        },
    ),
    **{("get", f"/v1/{noun}"): record(**{"revision": COUNT, noun: listed(row)}) for noun, row in LISTS.items()},
    ("get", "/v1/observations"): record(
        revision=COUNT,
        at=TIME,
        keeper=TRUTH,
        workers=listed("WorkerRow"),
        usage=listed("LimitUsage"),
        present=TEXTS,
        watched={
            "type": "array",
            "items": record(emergency_id=TEXT, metric=TEXT, values={"type": "array", "items": NUMBER}, at=TIME),
        },
        known_as={"anyOf": [ref("Identity"), {"type": "null"}]},
        clients={
            "type": "array",
            "items": record(app=TEXT, instance=TEXT, heard_at=TIME, found_on=COUNT, found_off=COUNT),
        },
    ),
    ("get", "/v1/whoami"): ref("Identity"),
    ("get", "/v1/events"): record(
        revision=COUNT, chain=TEXT, rows={"type": "array", "items": {"anyOf": [ref("Row"), ref("Veil")]}}
    ),
    ("get", "/v1/audit"): record(revision=COUNT, rows=listed("Row")),
    ("get", "/v1/audit/verify"): ref("ChainReport"),
    ("get", "/v1/samples"): record(
        samples={
            "type": "array",
            "items": record(metric=TEXT, at_s=NUMBER, value=NUMBER, account=MAYBE, source=TEXT),
        }
    ),
    ("get", "/v1/gate"): ref("Gate"),
    ("get", "/v1/check"): ref("Decision"),
    ("post", "/v1/check"): ref("Decision"),
    ("get", "/v1/why"): ref("Explanation"),
    ("post", "/v1/limits/{name}/reserve"): ref("Reservation"),
    ("delete", "/v1/workers/{worker_id}"): record(left=TRUTH),
    ("delete", "/v1/reservations/{reservation_id}"): record(refunded=TRUTH),
    ("get", "/openapi.json"): {"type": "object", "description": "OpenAPI 3.1"},
}
"""What each route of ours answers, beside those that take a command, a stop or a heartbeat."""

TAGGED: Final = frozenset({"/v1/state", "/v1/gate", *(f"/v1/{noun}" for noun in LISTS)})
"""Routes whose answers have a tag."""

PARAMETERS: Final[Mapping[tuple[str, str], tuple[dict[str, Any], ...]]] = {
    ("get", "/v1/check"): (
        *({"name": name, "in": "query", "schema": TEXT} for name in DIMENSIONS),
        {
            "name": "strict",
            "in": "query",
            "description": "refuses names that nobody registered",
            "schema": {"type": "boolean", "default": False},
        },
    ),
    ("get", "/v1/why"): tuple({"name": name, "in": "query", "schema": TEXT} for name in DIMENSIONS),
}
"""Queries that the framework knows nothing of."""


def schemas(procedure: Mapping[str, Any]) -> dict[str, Any]:
    """The shapes that the answers above name; ``procedure`` is that of a procedure as it is set."""
    return {
        **ROWS,
        "ProcedureRow": record(**{"name": TEXT, "own": TRUTH, **procedure["properties"]}),
        "Veil": _VEIL,
        "Identity": record(
            name=TEXT,
            role=one_of("viewer", "worker", "stop", "operator", "responder", "admin"),
            sites=TEXTS,
            envs=TEXTS,
            worker_id=MAYBE,
            token_id=MAYBE,
            expires_at=MAYBE_TIME,
        ),
        "Explanation": record(
            selector=ref("Selector"),
            outcome=one_of("allowed", "blocked"),
            headline=TEXT,
            blockers=listed("Hold"),
            partial={**listed("Hold"), "description": "holds of parts of what was asked about"},
            unknown_names=TEXTS,
            after_release={
                "type": "array",
                "description": "for each blocker, what would still hold were it released",
                "items": record(hold_id=TEXT, remaining=TEXTS),
            },
            revision=COUNT,
        ),
        "Reservation": record(
            reservation_id=TEXT,
            granted=TRUTH,
            used=COUNT,
            limit=COUNT,
            retry_after_s={"type": ["number", "null"], "description": "null: it never grants so much"},
        ),
    }
