"""The shapes in the OpenAPI document that no model of ours has: what is read and written past the models, by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

TEXT: Final = {"type": "string"}
TEXTS: Final = {"type": "array", "items": TEXT}
TRUTH: Final = {"type": "boolean"}
COUNT: Final = {"type": "integer"}
NUMBER: Final = {"type": "number"}
TIME: Final = {"type": "string", "format": "date-time"}
MAYBE: Final = {"type": ["string", "null"]}
MAYBE_COUNT: Final = {"type": ["integer", "null"]}
MAYBE_TIME: Final = {"type": ["string", "null"], "format": "date-time"}


def record(**properties: Any) -> dict[str, Any]:
    """An object that has all of these. Others may be added in later versions."""
    return {"type": "object", "required": list(properties), "properties": properties}


def one_of(*words: str) -> dict[str, Any]:
    """One of these words."""
    return {"enum": list(words)}


def ref(schema: str) -> dict[str, Any]:
    """The schema of that name."""
    return {"$ref": f"#/components/schemas/{schema}"}


def listed(schema: str) -> dict[str, Any]:
    """Any number of these."""
    return {"type": "array", "items": ref(schema)}


_PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457. `code` is stable, `hint` is the next step for a person, `kind` says whose fault it is.",
    "required": ["type", "title", "status", "detail", "code", "hint", "kind"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:opsconsole:problem:unknown-name"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "hint": {"type": "string"},
        "kind": {
            "enum": [
                "rejected",
                "unknown-name",
                "not-permitted",
                "confirmation-needed",
                "conflict",
                "timed-out",
                "unavailable",
                "not-ours",
                "used-up",
            ]
        },
    },
}

_SELECTOR: Final = {
    "type": "object",
    "description": "Dimension and exact value, all of which must match the work; {} is everything.",
    "additionalProperties": {"type": "string"},
    "examples": [{"site": "s1", "operation": "content_generation"}],
}

_BLOCKER: Final = {
    "hold_id": TEXT,
    "source": TEXT,
    "owner": TEXT,
    "selector": ref("Selector"),
    "mode": one_of("drain", "halt"),
    "reason": TEXT,
    "placed_at": TIME,
    "expires_at": MAYBE_TIME,
    "admit": {"type": "number", "minimum": 0, "maximum": 1},
}

_BLOCKED_BY: Final = record(**_BLOCKER) | {"description": "One reason for not running."}

_HOLD: Final = record(**_BLOCKER, correlation_id=TEXT, revision=COUNT, overdue=TRUTH) | {
    "description": "A hold in force. `overdue`: its end came while nobody watched, and a person has to look."
}

_DECISION: Final = record(
    outcome=one_of("allowed", "blocked", "unknown"),
    allowed=TRUTH,
    headline=TEXT,
    blockers=listed("Blocker"),
    unknown_names=TEXTS,
    decided_by=one_of("live", "cache", "disk", "default"),
    age_s={"type": ["number", "null"], "description": "since the database last answered"},
    revision=COUNT,
)

_BEAT: Final = {
    "type": "object",
    "description": "What a worker says of itself: every 5 s, and at once when it obeys one more stop.",
    "properties": {
        "env": {"type": "string"},
        "scope": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "pid": {"type": "integer"},
        "started": {"type": "string", "description": "tells two processes with one number apart"},
        "boot": {
            "type": "string",
            "description": "a random name of the process. One that comes by the same credential under another name "
            "takes the worker over at once, and beats of the one before are answered by 409 'replaced'",
        },
        "revision": {"type": "integer", "description": "how far it knows the fleet"},
        "stops": {"type": "array", "items": {"type": "string"}, "description": "the stops that it obeys"},
        "draining": {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "description": "for each of them, how much of what it covers runs on",
        },
        "in_flight": {"type": "integer"},
    },
}

_ORDER: Final = record(
    format={"const": 1},
    stop_id=TEXT,
    ordered_at=TIME,
    selectors=listed("Selector"),
    level=one_of("immediate", "graceful", "service_specific", "cascading", "maintenance"),
    reason=TEXT,
    actor=TEXT,
    door=TEXT,
) | {"description": "A stop that no journal has yet: obey it, and name it in `stops` of the next heartbeat."}

_GATE: Final = record(
    format={"const": 1},
    fleet=TEXT,
    revision=COUNT,
    stop_port=COUNT,
    snapshot=record(
        format={"const": 1},
        fleet=TEXT,
        revision=COUNT,
        holds=listed("Hold"),
        stops={"type": "array", "items": record(stop_id=TEXT, selectors=listed("Selector"))},
        names={"type": "object", "additionalProperties": TEXTS, "description": "those there are, by dimension"},
        names_revision=COUNT,
        chain=TEXT,
    ),
    orders=listed("Order"),
) | {"description": "What decisions are made by: work is blocked by every hold whose selector matches it."}

_STOPPED: Final = {
    "type": "object",
    "required": ["stop_id", "durable"],
    "properties": {
        "stop_id": TEXT,
        "durable": one_of("database", "spool", "memory"),
        "revision": COUNT,
        "emergency_id": MAYBE,
        "of": COUNT | {"description": "how many workers must acknowledge it"},
        "fleet": TEXT,
        "server": TEXT | {"description": "who answers, by a name that it draws when it starts"},
        "door": one_of("main", "stop"),
    },
}

SCHEMAS: Final[Mapping[str, Any]] = {
    "Beat": _BEAT,
    "Blocker": _BLOCKED_BY,
    "Decision": _DECISION,
    "Gate": _GATE,
    "Hold": _HOLD,
    "Order": _ORDER,
    "Problem": _PROBLEM,
    "Selector": _SELECTOR,
    "Stopped": _STOPPED,
}
