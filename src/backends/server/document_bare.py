"""The part of the OpenAPI document about routes that go past the framework, which knows nothing of them: commands,
stops, heartbeats and streams. They are written down whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.server import beats, commands, stop_port
from backends.server.document_shapes import COUNT, TEXT, record, ref

_EXAMPLES: Final[Mapping[str, dict[str, Any]]] = {
    "pause a site": {"kind": "place-hold", "selectors": [{"site": "s1"}], "reason": "imports fail"},
    "resume it": {"kind": "release-holds", "selectors": [{"site": "s1"}], "reason": "mended"},
    "switch a flag off": {"kind": "set-switch", "dimension": "operation", "names": ["ab_testing"], "on": False},
    "stop everything": {"kind": "order-stop", "stop_id": "S-1", "selectors": [{}], "reason": "smoke in the hall"},
    "register a site": {"kind": "add-name", "dimension": "site", "name": "s1", "title": "The first"},
    "change a limit": {"kind": "set-limit", "name": "sites", "limit": 5},
}

_HEADERS: Final = {
    "Idempotency-Key": "Names what is meant to happen: the same key by the same credential gets the same receipt and"
    " does nothing more, at any server and for as long as the journal is kept, so each new intention takes a new one."
    " 422 where it named another command. Others who send the same one are not concerned.",
    "If-Match": 'The revision at which this was decided on, as the ETag of what was read: "1234". A release is refused'
    " with 412 where what may run has changed since.",
    "X-Correlation-ID": "Stands with every event that comes of it.",
}
COMMAND_HEADERS: Final = tuple(
    {"name": name, "in": "header", "description": what, "schema": TEXT} for name, what in _HEADERS.items()
)
"""What may be said with anything that changes the fleet."""

LAST_SEEN: Final[dict[str, Any]] = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The `id` of the last event that was seen: the stream goes on behind it, or begins with a `snapshot`"
    " where it cannot.",
    "schema": TEXT,
}
STREAMED: Final = {"text/event-stream": {"schema": TEXT}}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _stream(name: str, tag: str, what: str) -> dict[str, Any]:
    return {
        "tags": [tag],
        "summary": "Follow",
        "description": what,
        "operationId": name,
        "parameters": [LAST_SEEN],
        "responses": {"200": {"description": "A stream without end.", "content": STREAMED}},
    }


_COMMAND: Final[dict[str, Any]] = {
    "tags": ["commands"],
    "summary": "Give Command",
    "description": "Carry out one command. One that changes nothing, because it is so already, is answered by a receipt"
    " with `changed: false`.",
    "operationId": "give_command",
    "parameters": list(COMMAND_HEADERS),
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": ref("Command"),
                "examples": {name: {"value": value} for name, value in _EXAMPLES.items()},
            }
        },
    },
    "responses": {
        "200": {"description": "The receipt.", "content": _json(ref("Receipt"))},
        "202": {
            "description": "The receipt of a stop that is in force and recorded later.",
            "content": _json(ref("Receipt")),
        },
    },
}

_REPORT: Final[dict[str, Any]] = {
    "tags": ["gates"],
    "summary": "Report Worker",
    "description": "A worker's heartbeat and its acknowledgements; the answer holds what it has to be told. What a"
    " worker whose credential has a scope does not declare is all of that scope.",
    "operationId": "report_worker",
    "parameters": [{"name": "worker_id", "in": "path", "required": True, "schema": TEXT}],
    "requestBody": {"required": True, "content": _json(ref("Beat"))},
    "responses": {
        "200": {
            "description": "Heard.",
            "content": _json(record(revision=COUNT, messages={"type": "array", "items": {"type": "object"}})),
        }
    },
}

_STOP: Final[dict[str, Any]] = {
    "tags": ["stops"],
    "summary": "Stop",
    "description": "In force at once, whatever the database does. The stop port (`stop_port` in /v1/gate) takes nothing"
    " else and is never busy; this one takes it too. No body stops everything, and the content type is not looked at."
    " The `Idempotency-Key` becomes the id of the stop where the body names none.",
    "operationId": "stop",
    "parameters": [COMMAND_HEADERS[0]],
    "requestBody": {"required": False, "content": _json(ref("StopRequest"))},
    "responses": {
        status: {"description": what, "content": _json(ref("Stopped"))}
        for status, what in (("200", "In force and recorded."), ("202", "In force, and recorded later."))
    },
}

_GATE_STREAM: Final = (
    "What a gate must know, as it happens: a `heartbeat` and a `snapshot` (the document of /v1/gate) first, the latter"
    " unless `Last-Event-ID` is the revision now, then `delta`, `moved` (read /v1/gate again), `order` (obey it),"
    " and `heartbeat` every 5 s. Its `age_s` is how long the database has been away. Who applies no deltas may read"
    " /v1/gate again at each."
)

_FLAG_STREAM: Final = (
    "Tells clients of OpenFeature to ask again: `event: message` with `type: refetchEvaluation` and the new tag, when"
    " somebody comes and whenever a hold, a stop or a name has changed. A comment every 5 s keeps the connection."
)

OPERATIONS: Final[Mapping[tuple[str, str], dict[str, Any]]] = {
    ("get", "/v1/gate/events"): _stream("follow_gate", "gates", _GATE_STREAM),
    ("get", "/ofrep/v1/events"): _stream("follow_flags", "OpenFeature", _FLAG_STREAM),
    ("post", stop_port.PATH): _STOP,
    ("post", commands.PATH): _COMMAND,
    ("put", beats.TEMPLATE): _REPORT,
}
"""Each of them."""
