"""The part of the OpenAPI document about what is read: the lists and their rows, the state, the journal, decisions.

The rows are those of `core.facts`; a test asks a server for each of them and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.server.document_shapes import (
    COUNT,
    MAYBE,
    MAYBE_COUNT,
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

_CHANGED: Final = {"changed_at": TIME, "changed_by": TEXT}
_THINGS: Final = {"type": "object"}

_ROWS: Final[Mapping[str, dict[str, Any]]] = {
    "SiteRow": record(name=TEXT, title=TEXT, state=one_of("paused", "held", "running"), holds=TEXTS, **_CHANGED),
    "FlagRow": record(name=TEXT, operation=TEXT, title=TEXT, state=one_of("on", "off"), holds=TEXTS, **_CHANGED),
    "WorkflowRow": record(name=TEXT, enabled=TRUTH, last_updated=TIME, updated_by=TEXT, title=TEXT, holds=TEXTS),
    "LimitRow": record(
        name=TEXT,
        alias=TEXT,
        used=COUNT,
        limit=COUNT,
        percent=MAYBE_COUNT,
        window_s=NUMBER,
        operation=TEXT,
        **_CHANGED,
    ),
    "WorkerNow": record(
        worker_id=TEXT,
        state=one_of("live", "lost", "left"),
        pid=COUNT,
        env=TEXT,
        scope={"type": "object", "additionalProperties": TEXTS},
        heartbeat_at=TIME,
        age_s=NUMBER,
        revision=COUNT,
        in_flight=COUNT,
        stops=TEXTS,
        draining={"type": "object", "additionalProperties": COUNT},
        registered_at=TIME,
    ),
    "EmergencyRow": record(
        emergency_id=TEXT,
        status=TEXT,
        level=TEXT,
        scope=TEXT,
        opened_at=TIME,
        opened_by=TEXT,
        reason=TEXT,
        trigger=MAYBE,
        cause=MAYBE,
        account=MAYBE,
        acked_by=MAYBE,
        acked_at=MAYBE_TIME,
        owner=MAYBE,
        attention=MAYBE,
        correlation_id=TEXT,
        recovery=MAYBE,
        stops=listed("StopRow"),
        ended_at=MAYBE_TIME,
        ended_by=MAYBE,
    ),
    "StopRow": record(
        stop_id=TEXT,
        emergency_id=MAYBE,
        level=TEXT,
        result=one_of("pending", "verified", "partial", "unverified"),
        acked=COUNT,
        of=COUNT,
        missing=TEXTS,
        success={"type": ["boolean", "null"]},
        took_ms=MAYBE_COUNT,
        trigger=MAYBE,
        ordered_at=TIME,
        concluded_at=MAYBE_TIME,
        services={"type": "array", "items": _THINGS},
        correlation_id=TEXT,
    ),
    "TriggerRow": record(
        name=TEXT,
        trigger_type=TEXT,
        state=one_of("off", "armed", "crossed", "shadow"),
        priority=COUNT,
        level=TEXT,
        scope=TEXT,
        condition=TEXT,
        value=MAYBE,
        fired=COUNT,
        fired_at=MAYBE_TIME,
        suppressed=COUNT,
        suppressed_at=MAYBE_TIME,
        why=MAYBE,
        emergency_id=MAYBE,
        definition={"type": "object", "description": "as `set-trigger` takes it"},
        **_CHANGED,
    ),
    "ServiceRow": record(
        name=TEXT,
        title=TEXT,
        standing=TEXT,
        observed_at=MAYBE_TIME,
        detail=MAYBE,
        why=MAYBE,
        driver=TEXT,
        account=MAYBE,
        labels={"type": "object", "additionalProperties": TEXT},
        depends_on=TEXTS,
        dependants=TEXTS,
        criticality=COUNT,
        host=MAYBE,
        config=_THINGS,
        health={"type": ["object", "null"]},
        saved=MAYBE,
        stops=TEXTS,
        **_CHANGED,
    ),
    "RecoveryRow": record(
        recovery_id=TEXT,
        emergency_id=TEXT,
        procedure=TEXT,
        status=TEXT,
        phase=TEXT,
        step=COUNT,
        of=COUNT,
        doing=MAYBE,
        admit=NUMBER,
        automatic=TRUTH,
        started_at=TIME,
        started_by=TEXT,
        reason=TEXT,
        step_at=TIME,
        deadline_at=MAYBE_TIME,
        checks=TEXTS,
        waits_for=TEXTS,
        restored=TEXTS,
        why=MAYBE,
        left=TEXTS,
        ended_at=MAYBE_TIME,
        steps=TEXTS,
    ),
}

_LISTS: Final = {
    "holds": "Hold",
    "sites": "SiteRow",
    "flags": "FlagRow",
    "workflows": "WorkflowRow",
    "limits": "LimitRow",
    "workers": "WorkerNow",
    "emergencies": "EmergencyRow",
    "triggers": "TriggerRow",
    "services": "ServiceRow",
    "recoveries": "RecoveryRow",
    "procedures": "ProcedureRow",
}
"""The rows of each noun."""

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
    **{("get", f"/v1/{noun}"): record(**{"revision": COUNT, noun: listed(row)}) for noun, row in _LISTS.items()},
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

TAGGED: Final = frozenset({"/v1/state", "/v1/gate", *(f"/v1/{noun}" for noun in _LISTS)})
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
        **_ROWS,
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
