"""Rows and values: what each table's columns mean, read and written the same way on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Select

from backends.local import schema, statements
from backends.local.line import Line
from core.audit import Row
from core.engine import WorkerFact
from core.ports import Cursor, Head, Lease, WorkerRow
from core.state import Stop
from core.triggers.sample import Sample
from opsgate.hold import moment, timestamp

_JOURNAL: Final = tuple(schema.journal.c.keys())
_CURSOR: Final = tuple(schema.outbox_cursor.c.keys())
_SAMPLE: Final = tuple(schema.sample.c.keys())
_WORKER: Final = tuple(schema.worker.c.keys())
_FIELDS: Final = attrgetter(*(field.name for field in fields(Row)))


def _shape_of(statement: Select[Any]) -> tuple[type, ...]:
    return tuple(column.type.python_type for column in statement.selected_columns)


_HEAD_SHAPE: Final = _shape_of(statements.HEAD)
_ANCHOR_SHAPE: Final = _shape_of(statements.ANCHOR)
_ROW_SHAPE: Final = _shape_of(statements.ROWS)


class Damaged(ValueError):
    """A row that nothing of ours can have written."""


def read_head(line: Line, *, locked: bool = False) -> Head:
    """The one head row; `Damaged` where it is missing or no head."""
    found = line.ask(statements.LOCKED_HEAD if locked else statements.HEAD)
    if len(found) == 1 and _has_shape(found[0], _HEAD_SHAPE):
        return Head(*found[0])
    raise Damaged("the head row is missing or unreadable")


def read_anchor(line: Line) -> tuple[int, str]:
    """The one anchor row; `Damaged` where it is missing or no anchor."""
    found = line.ask(statements.ANCHOR)
    if len(found) == 1 and _has_shape(found[0], _ANCHOR_SHAPE):
        revision, chain = found[0]
        return revision, chain
    raise Damaged("the anchor of the journal is missing or unreadable")


def read_rows(line: Line, after: int, limit: int) -> list[Row]:
    """Journal rows behind a revision, oldest first; `Damaged` where one is no row of a journal."""
    rows: list[Row] = []
    for number, found in enumerate(line.ask(statements.ROWS, {"of_after": after, "of_limit": limit}), after + 1):
        if not _has_shape(found, _ROW_SHAPE):
            raise Damaged(f"event {number} of the journal is unreadable")
        rows.append(Row(*found))
    return rows


def _has_shape(found: Sequence[Any], shape: tuple[type, ...]) -> bool:
    """Whether the columns hold what they were made for: a database whose file is damaged may answer with anything."""
    return tuple(map(type, found)) == shape


def read_lease(line: Line, name: str) -> Lease | None:
    """The lease of a role."""
    for held, holder, token, expires_at in line.ask(statements.LEASE, {"of_name": name}):
        return Lease(held, holder, token, moment(expires_at))
    return None


def lease_values(lease: Lease) -> dict[str, Any]:
    """A lease as column values."""
    expires_at = timestamp(lease.expires_at)
    return {"name": lease.name, "holder": lease.holder, "token": lease.token, "expires_at": expires_at}


def cursor_values(cursor: Cursor) -> dict[str, Any]:
    """A cursor as column values."""
    at = timestamp(cursor.at)
    return {"name": cursor.name, "revision": cursor.revision, "at": at, "detail": cursor.detail}


def cursor_of(columns: Sequence[Any]) -> Cursor:
    """The inverse of `cursor_values`, of the columns in the table's order."""
    row = dict(zip(_CURSOR, columns, strict=True))
    return Cursor(row["name"], row["revision"], moment(row["at"]), row["detail"])


def sample_values(sample: Sample) -> dict[str, Any]:
    """A reading as column values."""
    return {
        "at_s": sample.at_s,
        "metric": sample.metric,
        "value": sample.value,
        "account": sample.account,
        "labels": compact(sample.labels),
        "source": sample.source,
    }


def sample_of(columns: Sequence[Any]) -> Sample:
    """The inverse of `sample_values`, of the columns in the table's order."""
    row = dict(zip(_SAMPLE, columns, strict=True))
    labels = _document(row["labels"])
    return Sample(row["metric"], row["at_s"], row["value"], row["account"], labels, row["source"])


def row_values(row: Row) -> dict[str, Any]:
    """A journal row as column values."""
    return dict(zip(_JOURNAL, _FIELDS(row), strict=True))


def stop_values(stop: Stop, for_gates: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A stop as the columns that gates read; ``for_gates`` says what of it they may."""
    document: dict[str, Any] = {
        "selectors": [selector.as_dict() for selector in stop.selectors],
        "ordered_at": timestamp(stop.ordered_at),
        "deadline_at": timestamp(stop.deadline_at),
        "of": list(stop.of),
        "services": {step.service: step.has_stopped for step in stop.services},
        "recounted": stop.recounted_revision,
        "reason": stop.reason,
        "ordered_by": stop.ordered_by,
    }
    return {
        "stop_id": stop.stop_id,
        "emergency_id": stop.emergency_id,
        "level": stop.level,
        "result": stop.result,
        "document": compact(for_gates(document)),
    }


def worker_values(row: WorkerRow) -> dict[str, Any]:
    """What a worker last said, as column values."""
    return {
        "worker_id": row.worker_id,
        "env": row.env,
        "scope": compact(row.scope),
        "pid": row.pid,
        "started": row.started,
        "registered_at": timestamp(row.registered_at),
        "heartbeat_at": timestamp(row.heartbeat_at),
        "revision": row.revision,
        "stops": compact(list(row.stops)),
        "draining": compact(row.draining),
        "in_flight": row.in_flight,
        "state": row.state,
        "boots": row.boots or None,
    }


def worker_of(columns: Sequence[Any]) -> WorkerRow:
    """The inverse of `worker_values`, of the columns in the table's order; `Damaged` for a row that is none."""
    row = dict(zip(_WORKER, columns, strict=True))
    try:
        return WorkerRow(
            worker_id=row["worker_id"],
            env=row["env"],
            scope=_document(row["scope"]),
            pid=row["pid"],
            started=row["started"],
            registered_at=moment(row["registered_at"]),
            heartbeat_at=moment(row["heartbeat_at"]),
            revision=row["revision"],
            stops=tuple(_document(row["stops"])),
            draining=_document(row["draining"]),
            in_flight=row["in_flight"],
            state=row["state"],
            boots=row["boots"] or "",
        )
    except (ValueError, TypeError) as error:
        raise Damaged(f"the row of worker {ascii(row['worker_id'])[:60]} is unreadable") from error


def fact_of(worker_id: str, env: str, scope: str, stops: str, draining: str) -> WorkerFact:
    """What a decision needs of a worker's row, from no more than the columns that say it: of a thousand workers a stop
    reads each before it stands in the journal. `Damaged` for a row that is none."""
    if (scope, stops) == ("{}", "[]"):
        return WorkerFact(worker_id, env)
    try:
        declared = tuple((dimension, tuple(values)) for dimension, values in sorted(_document(scope).items()))
        running = _document(draining)
        stopped = frozenset(stop_id for stop_id in _document(stops) if not running.get(stop_id, 0))
    except (ValueError, TypeError, AttributeError) as error:
        raise Damaged(f"the row of worker {ascii(worker_id)[:60]} is unreadable") from error
    return WorkerFact(worker_id, env, declared, stopped)


def _document(text: str) -> Any:
    """What a JSON text says. Most are empty, and a stop reads three of each worker."""
    return {} if text == "{}" else [] if text == "[]" else json.loads(text)


def compact(document: Any) -> str:
    """JSON as it is stored."""
    return json.dumps(document, separators=(",", ":"))
