"""The OpenAPI document: what the framework knows of the routes, and what only we know of bodies, answers and errors.

The commands are the engine's own messages, told apart by ``kind``; there is no second set of models.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from backends.server import document_bare, document_clients, document_reads, document_shapes
from backends.server.access import OPEN
from backends.server.caps import BODY_MAX
from backends.server.document_shapes import TEXT, ref
from backends.server.identity import RAW
from backends.server.stop_port import StopRequest
from core.audit import Row
from core.authority import ENGINE_ONLY
from core.messages import COMMANDS, Receipt
from core.ports import ChainReport, LimitUsage, WorkerRow

ABOUT: Final = (
    "Pause, limit and stop a fleet of workers, and see which of them really stopped.\n\n"
    "**Who asks** is said by a token, as `Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`, never in a URL; on the"
    " unix socket of the server's host the kernel says it. 401 without one, whether or not there is such a path.\n\n"
    f"**Bodies** are JSON in UTF-8 of at most {BODY_MAX} bytes and 32 levels, in which no member comes twice and every"
    " number ends. Fields that are not listed are refused.\n\n"
    "**Errors** are problem documents (RFC 9457): decide by `code`, show `detail` and `hint`.\n\n"
    "**Revisions** count the events of the fleet. The tag of what is read begins with one; `If-None-Match` saves"
    " reading it again, `If-Match` binds a release to it. Answers may get more members in later versions.\n\n"
    "**Times** are RFC 3339 in UTC, seconds end in `_s`, and a selector is an object of dimension and value, all of"
    " which must match the work; `{}` is everything."
)
_TAGS: Final = {
    "commands": "Everything that changes the fleet.",
    "stops": "The way that needs no database.",
    "state": "All of the state, and what is observed beside it.",
    "lists": "One list for each noun.",
    "journal": "What has happened, as it happens and as it was.",
    "decisions": "May this run, and why not?",
    "gates": "What workers need, and what they say of themselves.",
    "limits": "Permits of rate limits.",
    "triggers": "Samples, by which triggers stop work.",
    "identity": "Who is asking?",
    "health": "For probes, without a token.",
    "metrics": "For Prometheus.",
    "description": "This document.",
    "OpenFeature": "OFREP 0.3.0, for OpenFeature's clients as they are.",
    "Unleash": "For Unleash's clients as they are.",
    "settings": "An admin API that exists already.",
    "workflow controls": "An admin API that exists already.",
    "hooks": "For Alertmanager and monitors. They may stop, and end only what they placed.",
}
_BODIES: Final = {
    ("post", "/v1/check"): "Selector",
    ("post", "/v1/limits/{name}/reserve"): "ReserveRequest",
}
_ERRORS: Final = {
    "400": "The request cannot be read.",
    "401": "Nobody is known by this credential.",
    "403": "Not for this identity.",
    "404": "What it names is not there.",
    "408": "The body came too slowly.",
    "409": "Something is in the way, or has changed.",
    "410": "It is not kept any more, or never was: read /v1/state.",
    "412": "What may run has changed since the revision named.",
    "413": f"The body is larger than {BODY_MAX} bytes.",
    "415": "The body is no JSON.",
    "422": "It can be read, and is wrong.",
    "429": "The limit is used up: `Retry-After` says when it will not be.",
    "503": "The database is away: try again. Stops are taken all the same.",
}
_TAGGED: Final = {
    "200": {"ETag": {"description": "The revision, and what else the answer depends on.", "schema": TEXT}},
    "304": "What `If-None-Match` names is what there is.",
}
_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of the last answer.",
    "schema": TEXT,
}
_SECURITY: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bare": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": f"the token and nothing else, under {RAW} alone",
    },
}


def document_of(api: FastAPI) -> dict[str, Any]:
    """The whole document."""
    made = api.openapi()
    made["tags"] = [{"name": name, "description": what} for name, what in _TAGS.items()]
    made["components"] = {"schemas": _schemas(), "securitySchemes": _SECURITY, "responses": _responses()}
    made["security"] = [{"bearer": []}, {"key": []}]
    for (method, path), operation in document_bare.OPERATIONS.items():
        made["paths"].setdefault(path, {})[method] = deepcopy(operation)
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            if (theirs := document_clients.OPERATIONS.get((method, path))) is not None:
                document_clients.complete(operation, theirs)
            else:
                _complete(operation, method, path)
            if path in OPEN:
                operation["security"] = []
            elif path.startswith(RAW):
                operation["security"] = [*made["security"], {"bare": []}]
    return made


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    """Add the parameters, the body, the answer and the errors of one operation of ours."""
    responses, parameters = operation["responses"], operation.setdefault("parameters", [])
    responses.pop("422", None)
    parameters += document_reads.PARAMETERS.get((method, path), ())
    if answer := document_reads.ANSWERS.get((method, path)):
        responses["200"] = {"description": "The answer.", "content": {"application/json": {"schema": answer}}}
    if body := _BODIES.get((method, path)):
        operation["requestBody"] = {"content": {"application/json": {"schema": ref(body)}}}
    if method == "get" and path in document_reads.TAGGED:
        parameters.append(_NONE_MATCH)
        responses["200"]["headers"] = _TAGGED["200"]
        responses["304"] = {"description": _TAGGED["304"]}
    for status in sorted(_errors(method, path, takes_body="requestBody" in operation)):
        responses[status] = ref_to(status)
    if path == "/v1/events":
        parameters.append(document_bare.LAST_SEEN)
        responses["200"]["content"] |= document_bare.STREAMED
    if path == "/readyz":
        responses["503"] = responses["200"] | {"description": "Not ready: `reason` says why."}


def _errors(method: str, path: str, *, takes_body: bool) -> set[str]:
    """The statuses of problems that an operation of ours may be answered by."""
    if path in OPEN:
        return set()
    found = {"401", "403", "503"}
    found |= {"400", "404", "408", "409", "412", "413", "415", "422"} if takes_body else {"422"}
    if path.endswith("/reserve"):
        found.add("429")
    if path == "/v1/events":
        found.add("410")
    return found


def ref_to(status: str) -> dict[str, Any]:
    """The problem that goes with a status."""
    return {"$ref": f"#/components/responses/{status}"}


def _responses() -> dict[str, Any]:
    return {
        status: {"description": what, "content": {"application/problem+json": {"schema": ref("Problem")}}}
        for status, what in _ERRORS.items()
    }


def _schemas() -> dict[str, Any]:
    """The shapes that bodies and answers have."""
    from backends.server.routes.limits import ReserveRequest

    kinds = {kind: cls for kind, cls in sorted(COMMANDS.items()) if kind not in ENGINE_ONLY}
    models: list[type[BaseModel]] = [*kinds.values(), Receipt, StopRequest, ReserveRequest, *document_clients.MODELS]
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=ref("{model}")["$ref"])
    schemas: dict[str, Any] = found["$defs"]
    for kind, cls in kinds.items():
        required = schemas[cls.__name__].setdefault("required", [])
        schemas[cls.__name__]["required"] = ["kind", *(name for name in required if name != "kind")]
        assert schemas[cls.__name__]["properties"]["kind"]["const"] == kind
    refs = {kind: ref(cls.__name__)["$ref"] for kind, cls in kinds.items()}
    schemas["Command"] = {
        "oneOf": [ref(cls.__name__) for cls in kinds.values()],
        "discriminator": {"propertyName": "kind", "mapping": refs},
    }
    schemas["Receipt"]["properties"]["remaining_holds"]["items"] = ref("Hold")
    for shape in (Row, WorkerRow, LimitUsage, ChainReport):
        schema = TypeAdapter(shape).json_schema(ref_template=ref("{model}")["$ref"])
        schemas |= schema.pop("$defs", {})
        schemas[shape.__name__] = schema
    del schemas[WorkerRow.__name__]["properties"]["boots"]
    reads = document_reads.schemas(schemas["Procedure"])
    return {**schemas, **document_shapes.SCHEMAS, **reads, **document_clients.SCHEMAS}
