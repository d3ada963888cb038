"""The part of the OpenAPI document about clients that exist already: their bodies, their answers, their own errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from backends.clients.alertmanager import Notification
from backends.clients.monitors import MonitorEvent
from backends.clients.settings import LIMITS, Features, NewSite, Pausing
from backends.clients.signed import Wanted
from backends.clients.workflow_controls import Toggle
from backends.server.document_bare import COMMAND_HEADERS
from backends.server.routes.samples import SampleBatch
from opsgate.names import OPERATION_OF_FLAG

MODELS: Final[tuple[type[BaseModel], ...]] = (
    Pausing,
    Features,
    NewSite,
    Toggle,
    Notification,
    Wanted,
    MonitorEvent,
    SampleBatch,
)


class Operation(NamedTuple):
    """What a route takes and answers, by the names of schemas. ``foreign`` are the statuses of errors that have the
    client's own shape instead of a problem's."""

    body: str = ""
    answer: str = ""
    required: bool = False
    errors: tuple[str, ...] = ("401", "403", "503")
    foreign: tuple[str, ...] = ()
    status: str = "200"


_CONTROL: Final = ("400", "401", "403", "404", "408", "409", "412", "413", "422", "503")
_TOLD: Final = ("400", "401", "403", "408", "413", "422")

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("post", "/ofrep/v1/evaluate/flags"): Operation(
        "EvaluationRequest", "BulkEvaluation", errors=("401", "403"), foreign=("400", "408", "413")
    ),
    ("post", "/ofrep/v1/evaluate/flags/{key}"): Operation(
        "EvaluationRequest", "Evaluation", errors=("401", "403"), foreign=("400", "404", "408", "413")
    ),
    ("get", "/api/client/features"): Operation(answer="Toggles", errors=("401", "403")),
    ("get", "/api/client/features/{name}"): Operation(answer="FeatureToggle", errors=("401", "403", "404")),
    ("post", "/api/client/register"): Operation("ClientRegistration", required=True, errors=_TOLD, status="202"),
    ("post", "/api/client/metrics"): Operation("ClientMetrics", required=True, errors=_TOLD, status="202"),
    ("get", "/admin/api/settings"): Operation(answer="Settings"),
    ("post", "/admin/api/settings/pause-all"): Operation("Pausing", "Carried", errors=_CONTROL),
    ("post", "/admin/api/settings/resume-all"): Operation("Pausing", "Carried", errors=_CONTROL),
    ("patch", "/admin/api/settings/features"): Operation("Features", "FlagsNow", required=True, errors=_CONTROL),
    ("post", "/admin/api/sites/create"): Operation("NewSite", "Created", errors=_CONTROL),
    ("post", "/admin/api/sites/{site_id}/pause"): Operation("Pausing", "Carried", errors=_CONTROL),
    ("post", "/admin/api/sites/{site_id}/resume"): Operation("Pausing", "Carried", errors=_CONTROL),
    ("get", "/api/workflow_controls"): Operation(answer="Workflows"),
    ("put", "/api/workflow_controls/{name}"): Operation("Toggle", "WorkflowNow", required=True, errors=_CONTROL),
    ("post", "/v1/hooks/alertmanager"): Operation("Notification", "Heard", required=True, errors=(*_TOLD, "503")),
    ("post", "/v1/hooks/events"): Operation("MonitorEvent", "Done", required=True, errors=(*_TOLD, "503")),
    ("post", "/v1/samples"): Operation("SampleBatch", "Taken", required=True, errors=(*_TOLD, "503"), status="202"),
    ("post", "/v1/hooks/signed"): Operation("Wanted", "Done", required=True, errors=(*_TOLD, "404", "503")),
}


def _object(required: str = "", **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": properties}


_TEXT: Final = {"type": "string"}
_TRUTH: Final = {"type": "boolean"}
_COUNT: Final = {"type": "integer"}
_MAYBE: Final = {"type": ["string", "null"]}
_PLAIN: Final = {"type": "object", "additionalProperties": {"type": ["boolean", "string", "number"]}}
_HOLDS: Final = {"type": "array", "items": {"$ref": "#/components/schemas/Hold"}}

_EVALUATION: Final = {
    "key": _TEXT,
    "value": _TRUTH,
    "variant": {"enum": ["on", "off"]},
    "reason": {"enum": ["STATIC", "TARGETING_MATCH"]},
    "metadata": _PLAIN,
}

SCHEMAS: Final[Mapping[str, Any]] = {
    "Taken": _object("taken", taken=_COUNT),
    "EvaluationRequest": _object(context={"type": "object", "description": "site, account, campaign narrow the work"}),
    "Evaluation": _object("key value variant reason", **_EVALUATION),
    "BulkEvaluation": _object(
        "flags",
        flags={"type": "array", "items": {"$ref": "#/components/schemas/Evaluation"}},
        metadata=_PLAIN,
        eventStreams={"type": "array", "items": {"type": "object"}},
    ),
    "EvaluationError": _object("errorCode errorDetails", key=_TEXT, errorCode=_TEXT, errorDetails=_TEXT),
    "FeatureToggle": _object(
        "name type enabled strategies variants stale impressionData project",
        name=_TEXT,
        type=_TEXT,
        enabled=_TRUTH,
        strategies={"type": "array"},
        variants={"type": "array"},
        stale=_TRUTH,
        impressionData=_TRUTH,
        project=_TEXT,
    ),
    "Toggles": _object(
        "version features",
        version={"const": 2},
        features={"type": "array", "items": {"$ref": "#/components/schemas/FeatureToggle"}},
    ),
    "ClientRegistration": _object("appName", appName=_TEXT, instanceId=_TEXT),
    "ClientMetrics": _object("appName bucket", appName=_TEXT, instanceId=_TEXT, bucket={"type": ["object", "null"]}),
    "Settings": _object(
        "id allAutonomousProcessesPaused pausedAt pausedBy pauseReason revision",
        id=_TEXT,
        allAutonomousProcessesPaused=_TRUTH,
        pausedAt=_MAYBE,
        pausedBy=_MAYBE,
        pauseReason=_MAYBE,
        revision=_COUNT,
        **dict.fromkeys(OPERATION_OF_FLAG, _TRUTH),
        **dict.fromkeys(LIMITS, _COUNT),
    ),
    "Carried": _object(
        "success message",
        success=_TRUTH,
        message=_TEXT,
        revision=_COUNT,
        changed=_TRUTH,
        hold_ids={"type": "array", "items": _TEXT},
        paused=_TRUTH,
        remaining_holds=_HOLDS,
    ),
    "FlagsNow": _object(
        "success featureFlags",
        success=_TRUTH,
        featureFlags={"type": "object", "additionalProperties": _TRUTH},
        remaining_holds=_HOLDS,
    ),
    "Created": {
        "anyOf": [
            _object("success siteId", success=_TRUTH, siteId=_TEXT),
            _object("skipped reason", skipped=_TRUTH, reason=_TEXT),
        ]
    },
    "Workflows": {
        "type": "array",
        "items": _object(
            "name enabled last_updated updated_by", name=_TEXT, enabled=_TRUTH, last_updated=_TEXT, updated_by=_TEXT
        ),
    },
    "WorkflowNow": _object(
        "success workflow enabled", success=_TRUTH, workflow=_TEXT, enabled=_TRUTH, remaining_holds=_HOLDS
    ),
    "Done": _object(command_id=_TEXT, stop_id=_TEXT, changed=_TRUTH, durable=_TEXT, taken=_COUNT),
    "Heard": _object("done ignored", done={"type": "array", "items": {"type": "object"}}, ignored=_COUNT),
}


def complete(operation: dict[str, Any], about: Operation) -> None:
    """Add the body, the answer and the errors of one operation."""
    responses = operation["responses"]
    responses.pop("422", None)
    if about.answer:
        responses[about.status]["content"] = _content(about.answer)
    if about.answer in ("BulkEvaluation", "Toggles"):
        responses["304"] = {"description": "What the client has is what there is."}
    if about.body:
        operation["requestBody"] = {"required": about.required, "content": _content(about.body)}
    if about.errors is _CONTROL:
        operation.setdefault("parameters", []).extend(COMMAND_HEADERS)
    for status in about.errors:
        responses[status] = {"$ref": f"#/components/responses/{status}"}
    for status in about.foreign:
        responses[status] = {"description": "In the protocol's own words.", "content": _content("EvaluationError")}


def _content(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
