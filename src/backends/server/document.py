"""The OpenAPI document: what the framework knows of the routes, and what only we know of bodies, streams and errors.

The commands are the engine's own messages, told apart by ``kind``; there is no second set of models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from backends.server import commands, document_clients
from backends.server.caps import BODY_MAX
from backends.server.document_shapes import BEAT, DECISION, GATE, HOLD, PROBLEM, SELECTOR
from backends.server.stop_port import StopRequest
from core.audit import Row
from core.authority import ENGINE_ONLY
from core.capabilities.rate_limits import Grant
from core.messages import COMMANDS, Receipt
from core.ports import ChainReport, LimitUsage, WorkerRow

_REF: Final = "#/components/schemas/{model}"

_EXAMPLES: Final[Mapping[str, dict[str, Any]]] = {
    "pause a site": {"kind": "place-hold", "selectors": [{"site": "s1"}], "reason": "imports fail"},
    "resume it": {"kind": "release-holds", "selectors": [{"site": "s1"}], "reason": "mended"},
    "switch a flag off": {"kind": "set-switch", "dimension": "operation", "names": ["ab_testing"], "on": False},
    "stop everything": {"kind": "order-stop", "stop_id": "S-1", "selectors": [{}], "reason": "smoke in the hall"},
    "register a site": {"kind": "add-name", "dimension": "site", "name": "s1", "title": "The first"},
    "change a limit": {"kind": "set-limit", "name": "sites", "limit": 5},
}


_BODIES: Final = {
    ("post", "/v1/check"): "Selector",
    ("put", "/v1/workers/{worker_id}"): "Beat",
    ("post", "/v1/limits/{name}/reserve"): "ReserveRequest",
    ("post", "/v1/stop"): "StopRequest",
}
_ANSWERS: Final = {
    ("post", "/v1/commands"): "Receipt",
    ("get", "/v1/check"): "Decision",
    ("post", "/v1/check"): "Decision",
    ("get", "/v1/gate"): "Gate",
    ("get", "/v1/audit/verify"): "ChainReport",
    ("post", "/v1/limits/{name}/reserve"): "Grant",
}
_ERRORS: Final = {
    "400": "The request cannot be read.",
    "401": "Nobody is known by this credential.",
    "403": "Not for this identity.",
    "404": "What it names is not there.",
    "408": "The body came too slowly.",
    "409": "Something is in the way, or has changed.",
    "412": "What may run has changed since the revision named.",
    "413": f"The body is larger than {BODY_MAX} bytes.",
    "415": "The body is no JSON.",
    "422": "It can be read, and is wrong.",
    "429": "The limit is used up.",
    "503": "The database is away: try again. Stops are taken all the same.",
}
_HEADERS: Final = {
    "Idempotency-Key": "Names this command: the same key always gets the same receipt.",
    "If-Match": 'The revision at which this was decided, as "1234"; a release is refused where holds have changed.',
    "X-Correlation-ID": "Stands with every event that comes of it.",
}


def document_of(api: FastAPI) -> dict[str, Any]:
    """The whole document."""
    made = api.openapi()
    made["components"] = {"schemas": _schemas(), "securitySchemes": _SECURITY, "responses": _responses()}
    made["security"] = [{"bearer": []}, {"key": []}]
    made["paths"] |= {
        "/v1/gate/events": {"get": _stream("gates", _GATE_STREAM)},
        "/ofrep/v1/events": {"get": _stream("OpenFeature", document_clients.STREAM)},
        "/v1/stop": {"post": _STOP},
        commands.PATH: {"post": _COMMAND},
    }
    made["paths"]["/v1/workers/{worker_id}"]["put"] = _REPORT
    made["paths"]["/v1/events"]["get"]["responses"]["200"]["content"]["text/event-stream"] = {
        "schema": {"type": "string"}
    }
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            theirs = document_clients.OPERATIONS.get((method, path))
            if theirs is not None:
                document_clients.complete(operation, theirs)
            else:
                _complete(operation, method, path)
    return made


_SECURITY: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_GATE_STREAM: Final = (
    "What a gate must know, as it happens: a `heartbeat` and a `snapshot` (the document of /v1/gate) first, the latter"
    " unless `Last-Event-ID` is the revision now, then `delta`, `moved` (read /v1/gate again), `order` (obey it),"
    " and `heartbeat` every 5 s. Its `age_s` is how long the database has been away."
)
_COMMAND: Final[dict[str, Any]] = {
    "tags": ["commands"],
    "summary": "Give Command",
    "description": "Carry out one command. The same `Idempotency-Key` always gets the same receipt; `If-Match` names"
    " the revision at which a release was decided on, and it is refused where what may run has changed since.",
    "operationId": "give_command",
    "responses": {"200": {"description": "The receipt."}},
}
_REPORT: Final[dict[str, Any]] = {
    "tags": ["gates"],
    "summary": "Report Worker",
    "description": "A worker's heartbeat and its acknowledgements; the answer holds what it has to be told. What a"
    " worker whose credential has a scope does not declare is all of that scope.",
    "operationId": "report_worker",
    "parameters": [{"name": "worker_id", "in": "path", "required": True, "schema": {"type": "string"}}],
    "responses": {
        "200": {
            "description": "Heard.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["revision", "messages"],
                        "properties": {
                            "revision": {"type": "integer"},
                            "messages": {"type": "array", "items": {"type": "object"}},
                        },
                    }
                }
            },
        }
    },
}
_STOP: Final[dict[str, Any]] = {
    "tags": ["stops"],
    "summary": "Stop",
    "description": "On the stop port alone. 200 when it is recorded, 202 when it is in force and not recorded yet.",
    "operationId": "stop",
    "responses": {
        status: {
            "description": what,
            "content": {"application/json": {"schema": {"$ref": _REF.format(model="Stopped")}}},
        }
        for status, what in (("200", "In force and recorded."), ("202", "In force, and recorded later."))
    },
}


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    """Add the body, the answer and the errors of one operation."""
    responses = operation["responses"]
    responses.pop("422", None)
    if name := _ANSWERS.get((method, path)):
        responses["200"]["content"] = {"application/json": {"schema": {"$ref": _REF.format(model=name)}}}
    body = "Command" if path == "/v1/commands" else _BODIES.get((method, path))
    if body:
        content: dict[str, Any] = {"schema": {"$ref": _REF.format(model=body)}}
        if body == "Command":
            content["examples"] = {name: {"value": value} for name, value in _EXAMPLES.items()}
            operation["parameters"] = [
                {"name": name, "in": "header", "description": what, "schema": {"type": "string"}}
                for name, what in _HEADERS.items()
            ]
        operation["requestBody"] = {"required": body == "Command", "content": {"application/json": content}}
    if path in ("/healthz", "/readyz"):
        operation["security"] = []
        return
    usual = {"401", "403", "503"} | ({"400", "404", "409", "412", "413", "415", "422"} if body else {"422"})
    for status in sorted(usual | ({"429"} if path.endswith("/reserve") else set())):
        responses[status] = {"$ref": f"#/components/responses/{status}"}


def _responses() -> dict[str, Any]:
    schema = {"schema": {"$ref": _REF.format(model="Problem")}}
    return {
        status: {"description": what, "content": {"application/problem+json": schema}}
        for status, what in _ERRORS.items()
    }


def _stream(tag: str, what: str) -> dict[str, Any]:
    answer = {"description": "A stream without end.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    return {"tags": [tag], "summary": "Follow", "description": what, "responses": {"200": answer}}


def _schemas() -> dict[str, Any]:
    """The shapes that bodies and answers have."""
    from backends.server.routes.limits import ReserveRequest

    kinds = {kind: cls for kind, cls in sorted(COMMANDS.items()) if kind not in ENGINE_ONLY}
    models: list[type[BaseModel]] = [*kinds.values(), Receipt, StopRequest, ReserveRequest, *document_clients.MODELS]
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    schemas: dict[str, Any] = found["$defs"]
    for kind, cls in kinds.items():
        required = schemas[cls.__name__].setdefault("required", [])
        schemas[cls.__name__]["required"] = ["kind", *(name for name in required if name != "kind")]
        assert schemas[cls.__name__]["properties"]["kind"]["const"] == kind
    refs = {kind: _REF.format(model=cls.__name__) for kind, cls in kinds.items()}
    schemas["Command"] = {
        "oneOf": [{"$ref": ref} for ref in refs.values()],
        "discriminator": {"propertyName": "kind", "mapping": refs},
    }
    for shape in (Row, WorkerRow, LimitUsage, Grant, ChainReport):
        schema = TypeAdapter(shape).json_schema(ref_template=_REF)
        schemas |= schema.pop("$defs", {})
        schemas[shape.__name__] = schema
    stopped = {
        "type": "object",
        "required": ["stop_id", "durable"],
        "properties": {
            "stop_id": {"type": "string"},
            "durable": {"enum": ["database", "spool", "memory"]},
            "revision": {"type": "integer"},
            "emergency_id": {"type": ["string", "null"]},
            "of": {"type": "integer", "description": "how many workers must acknowledge it"},
        },
    }
    schemas |= document_clients.SCHEMAS
    return schemas | {
        "Beat": BEAT,
        "Decision": DECISION,
        "Gate": GATE,
        "Hold": HOLD,
        "Problem": PROBLEM,
        "Selector": SELECTOR,
        "Stopped": stopped,
    }
