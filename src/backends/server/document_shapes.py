"""The shapes in the OpenAPI document that no model of ours has: what is read and written past the models, by hand."""

from __future__ import annotations

from typing import Final

PROBLEM: Final = {
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

SELECTOR: Final = {
    "type": "object",
    "description": "Dimension and exact value, all of which must match the work; {} is everything.",
    "additionalProperties": {"type": "string"},
    "examples": [{"site": "s1", "operation": "content_generation"}],
}

HOLD: Final = {
    "type": "object",
    "description": "One reason for not running.",
    "properties": {
        "hold_id": {"type": "string"},
        "selector": {"$ref": "#/components/schemas/Selector"},
        "source": {"type": "string"},
        "owner": {"type": "string"},
        "reason": {"type": "string"},
        "mode": {"enum": ["drain", "halt"]},
        "placed_at": {"type": "string", "format": "date-time"},
        "expires_at": {"type": ["string", "null"], "format": "date-time"},
        "admit": {"type": "number", "minimum": 0, "maximum": 1},
    },
}

DECISION: Final = {
    "type": "object",
    "properties": {
        "outcome": {"enum": ["allowed", "blocked", "unknown"]},
        "allowed": {"type": "boolean"},
        "headline": {"type": "string"},
        "blockers": {"type": "array", "items": {"$ref": "#/components/schemas/Hold"}},
        "unknown_names": {"type": "array", "items": {"type": "string"}},
        "decided_by": {"enum": ["live", "cache", "disk", "default"]},
        "age_s": {"type": ["number", "null"]},
        "revision": {"type": "integer"},
    },
}

BEAT: Final = {
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

GATE: Final = {
    "type": "object",
    "properties": {
        "format": {"const": 1},
        "fleet": {"type": "string"},
        "revision": {"type": "integer"},
        "stop_port": {"type": "integer"},
        "snapshot": {"type": "object", "description": "holds, stops and names that decisions are made by"},
        "orders": {"type": "array", "items": {"type": "object"}, "description": "stops in no journal yet: obey them"},
    },
}
