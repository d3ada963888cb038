"""Rows of facts for lists: plain values as JSON has them, made from the engine's state and observations.

Times are RFC 3339 in UTC; a selector is an object of dimension → value; nothing here is shortened or made harmless,
which is the renderer's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from core.capabilities.switches import is_on
from core.messages import Recorded
from core.ports import Observations, WorkerRow
from core.services import ServiceStep
from core.state import Limit, Name, State, Stop, flag_name
from core.triggers.words import conditions
from opsgate.evaluate import evaluate
from opsgate.hold import timestamp
from opsgate.selector import Selector, scope_text
from opsgate.wire import LOST_AFTER_S


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


def sites(state: State) -> Iterator[dict[str, Any]]:
    """Each site: ``paused`` by a hold of its own, ``held`` by a wider one, or ``running``."""
    table = state.table()
    for name in state.names_of("site"):
        own = state.holds_on(Selector.of(site=name.name))
        blockers = evaluate(table, {"site": name.name}).blockers
        yield {
            "name": name.name,
            "title": name.title,
            "state": "paused" if own else "held" if blockers else "running",
            "holds": [hold.hold_id for hold in blockers],
            **_changed(name),
        }


def flags(state: State) -> Iterator[dict[str, Any]]:
    """Each flag: on where no hold has exactly its selector."""
    for name in state.names_of("operation"):
        on = is_on(state, "operation", name.name)
        yield {
            "name": flag_name(name.name),
            "operation": name.name,
            "title": name.title,
            "state": "on" if on else "off",
            "holds": [hold.hold_id for hold in state.holds_on(Selector.of(operation=name.name))],
            **_changed(name),
        }


def workflows(state: State) -> Iterator[dict[str, Any]]:
    """Each workflow as S2 shows it: enabled where no hold has exactly its selector."""
    for name in state.names_of("workflow"):
        yield {
            "name": name.name,
            "enabled": is_on(state, "workflow", name.name),
            "last_updated": timestamp(name.changed_at),
            "updated_by": name.changed_by,
            "title": name.title,
            "holds": [hold.hold_id for hold in state.holds_on(Selector.of(workflow=name.name))],
        }


def limits(state: State, seen: Observations) -> Iterator[dict[str, Any]]:
    """Each limit with what is used of it inside its window."""
    used = {usage.name: usage.used for usage in seen.usage}
    for limit in sorted(state.limits.values(), key=lambda limit: limit.name):
        yield {
            "name": limit.name,
            "alias": limit.alias,
            "used": used.get(limit.name, 0),
            "limit": limit.limit,
            "percent": _percent(used.get(limit.name, 0), limit),
            "window_s": limit.window_s,
            "operation": limit.operation,
            "changed_at": timestamp(limit.changed_at),
            "changed_by": limit.changed_by,
        }


def holds(state: State) -> Iterator[dict[str, Any]]:
    """Each hold in force, oldest first."""
    for hold in sorted(state.holds.values(), key=lambda hold: (hold.placed_at, hold.hold_id)):
        yield hold.as_dict()


def workers(seen: Observations) -> Iterator[dict[str, Any]]:
    """Each worker with what it last said; ``lost`` when it has not been heard of for too long."""
    for row in sorted(seen.workers, key=lambda row: row.worker_id):
        yield {
            "worker_id": row.worker_id,
            "state": standing(row, seen.at),
            "pid": row.pid,
            "env": row.env,
            "scope": row.scope,
            "heartbeat_at": timestamp(row.heartbeat_at),
            "age_s": round((seen.at - row.heartbeat_at).total_seconds(), 3),
            "revision": row.revision,
            "in_flight": row.in_flight,
            "stops": list(row.stops),
            "draining": dict(row.draining),
            "registered_at": timestamp(row.registered_at),
        }


def for_people(rows: Iterable[dict[str, Any]], state: State) -> Iterator[dict[str, Any]]:
    """Workers as a table shows them: ``missing`` who did not acknowledge a stop in force in time; scopes as text."""
    missing = {worker for each in state.active_stops() if each.result != "pending" for worker in each.missing}
    for row in rows:
        owes = row["worker_id"] in missing and row["state"] == "live"
        scope = {dimension: ",".join(names) for dimension, names in row["scope"].items() if names}
        yield row | {"state": "missing" if owes else row["state"], "scope": scope}


def emergencies(state: State) -> Iterator[dict[str, Any]]:
    """Each emergency that the state still has, the latest first, with its stops."""
    for each in sorted(state.emergencies.values(), key=lambda each: each.opened_at, reverse=True):
        yield {
            "emergency_id": each.emergency_id,
            "status": each.status,
            "level": each.level,
            "scope": scope_text(each.selectors),
            "opened_at": timestamp(each.opened_at),
            "opened_by": each.opened_by,
            "reason": each.reason,
            "trigger": each.trigger or None,
            "cause": each.cause or None,
            "account": each.account,
            "acked_by": each.acked_by or None,
            "acked_at": _at(each.acked_at),
            "owner": each.owner or None,
            "attention": each.attention or None,
            "correlation_id": each.correlation_id,
            "recovery": None if each.recovery is None else each.recovery.recovery_id,
            "stops": [
                stop(state.stops[stop_id]) | {"correlation_id": each.correlation_id}
                for stop_id in each.stop_ids
                if stop_id in state.stops
            ],
            "ended_at": _at(each.ended_at),
            "ended_by": each.ended_by or None,
        }


def tokens(state: State, now: datetime) -> Iterator[dict[str, Any]]:
    """Each token, those that are good first, by name; ended ones stay for thirty days."""
    for each in sorted(state.tokens.values(), key=lambda each: (not each.is_valid(now), each.name, each.token_id)):
        yield {
            "token_id": each.token_id,
            "name": each.name,
            "role": each.role,
            "scope": str(each.scope),
            "worker_id": each.worker_id,
            "state": "valid" if each.is_valid(now) else "revoked" if each.revoked_at else "expired",
            "expires_at": _at(each.expires_at),
            "created_at": timestamp(each.created_at),
            "created_by": each.created_by,
            "revoked_at": _at(each.revoked_at),
            "revoked_by": each.revoked_by or None,
        }


def triggers(state: State) -> Iterator[dict[str, Any]]:
    """Each trigger by name, with what has become of it: ``off``, ``armed``, ``crossed``, or ``shadow``."""
    for name in sorted(state.triggers):
        each = state.triggers[name]
        definition = each.definition
        armed = "crossed" if each.crossed_since else "shadow" if definition.shadow else "armed"
        yield {
            "name": name,
            "trigger_type": definition.trigger_type,
            "state": armed if definition.is_active else "off",
            "priority": definition.priority,
            "level": definition.stop_level,
            "scope": scope_text(definition.selectors()),
            "condition": conditions(definition),
            "value": each.value or None,
            "fired": each.fired,
            "fired_at": _at(each.fired_at),
            "suppressed": each.suppressed,
            "suppressed_at": _at(each.suppressed_at),
            "why": each.why or None,
            "emergency_id": each.emergency_id or None,
            "definition": definition.model_dump(mode="json"),
            "changed_at": timestamp(each.changed_at),
            "changed_by": each.changed_by,
        }


def stop(each: Stop) -> dict[str, Any]:
    """One stop as ``status`` shows it."""
    return {
        "stop_id": each.stop_id,
        "emergency_id": each.emergency_id,
        "level": each.level,
        "result": each.result,
        "acked": len(each.listed) - len(each.missing),
        "of": len(each.listed),
        "missing": list(each.missing),
        "success": None if each.result == "pending" else each.result == "verified",
        "took_ms": each.took_ms,
        "trigger": each.trigger or None,
        "ordered_at": timestamp(each.ordered_at),
        "concluded_at": _at(each.concluded_at),
        "services": [_service_step(step, each.ordered_at) for step in each.services],
    }


def _service_step(step: ServiceStep, ordered_at: datetime) -> dict[str, Any]:
    """How one service of a stop came to stand, how long that took from the order on, and what was done."""
    stopped_at = step.stopped_at
    return {
        "service": step.service,
        "tier": step.tier,
        "standing": step.standing,
        "success": step.has_stopped,
        "took_ms": None if stopped_at is None else round((stopped_at - ordered_at).total_seconds() * 1000),
        "actions": [
            {
                "action": each.action,
                "outcome": each.outcome,
                "at": timestamp(each.at),
                "took_ms": round(each.took_s * 1000),
                "detail": each.detail,
            }
            for each in step.actions
        ],
    }


def event(recorded: Recorded) -> dict[str, Any]:
    """One event of the journal; ``data`` is what happened."""
    header = recorded.header
    return {
        "revision": header.revision,
        "at": timestamp(header.at),
        "kind": recorded.event.kind,
        "actor": header.actor.name,
        "door": header.door,
        "correlation_id": header.correlation_id,
        "command_id": header.command_id,
        "data": recorded.event.model_dump(mode="json", exclude={"kind"}),
    }


def standing(row: WorkerRow, now: datetime) -> str:
    """live, lost, or left when it ended on purpose."""
    if row.state != "live":
        return row.state
    return "live" if (now - row.heartbeat_at).total_seconds() < LOST_AFTER_S else "lost"


def _changed(name: Name) -> dict[str, Any]:
    return {"changed_at": timestamp(name.changed_at), "changed_by": name.changed_by}


def _percent(used: int, limit: Limit) -> int | None:
    return round(100 * used / limit.limit) if limit.limit else None
