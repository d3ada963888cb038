"""Rows of facts about services, recoveries and procedures, for lists: plain values as JSON has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from core.procedures import described, procedures
from core.recoveries import Recovery
from core.recovery_work import DEPENDENCIES, health_of, waits_of
from core.services import ActionTaken, Service, ServiceStep, dependants
from core.state import State
from opsgate.hold import timestamp


def services(state: State) -> Iterator[dict[str, Any]]:
    """Each service by name, with how it was seen to stand last."""
    for name in sorted(state.services):
        yield _service(state, state.services[name])


def recoveries(state: State) -> Iterator[dict[str, Any]]:
    """The latest recovery of each emergency that the state still has, the latest first."""
    known = [each.recovery for each in state.emergencies.values() if each.recovery is not None]
    for recovery in sorted(known, key=lambda each: (each.started_at, each.recovery_id), reverse=True):
        yield recovery_row(recovery)


def procedure_rows(state: State) -> Iterator[dict[str, Any]]:
    """Each procedure by name; ``own`` are the fleet's."""
    for name, procedure in procedures(state.procedures).items():
        yield {"name": name, "own": name in state.procedures, **procedure.model_dump(mode="json", exclude={"name"})}


def recovery_row(recovery: Recovery) -> dict[str, Any]:
    """One recovery: its plan in words, and where it is in it."""
    present = recovery.present
    return {
        "recovery_id": recovery.recovery_id,
        "emergency_id": recovery.emergency_id,
        "procedure": recovery.procedure,
        "status": recovery.status,
        "phase": recovery.phase,
        "step": recovery.step + 1,
        "of": len(recovery.steps),
        "doing": described(present) if recovery.goes_forward else None,
        "admit": recovery.admit,
        "automatic": recovery.automatic,
        "started_at": timestamp(recovery.started_at),
        "started_by": recovery.by,
        "reason": recovery.reason,
        "step_at": timestamp(recovery.step_at),
        "deadline_at": _at(recovery.deadline_at),
        "checks": list(recovery.checks),
        "waits_for": list(waits_of(recovery)),
        "restored": list(recovery.restored),
        "why": recovery.why or None,
        "left": list(recovery.left),
        "ended_at": _at(recovery.ended_at),
        "steps": [f"{step.phase}: {described(step)}" for step in recovery.steps],
    }


def why(state: State, name: str) -> str:
    """Why a service is not as it should be by now, as far as anybody has said: what a recovery waits for about it, or
    what came of the last attempt to stop it. Empty where it is, or nobody has."""
    for emergency in state.active_emergencies():
        recovery = emergency.recovery
        if recovery is not None and recovery.is_active and name in recovery.services:
            about = (f"standing of {name}", f"start of {name}", health_of(name), DEPENDENCIES)
            waits = next((each for each in waits_of(recovery) if each.partition(": ")[0] in about), "")
            if waits:
                return f"{recovery.recovery_id} waits for {waits}"
    steps = (step for stop in state.active_stops() for step in stop.services if step.service == name)
    return next(filter(None, map(attempted, steps)), "")


def attempted(step: ServiceStep) -> str:
    """What came of the last attempt to stop a service that has not been seen to stop, and did not work; empty where
    there is none: ``kill refused: drivers.toml does not allow it``."""
    tried = () if step.has_stopped else tuple(taken for taken in step.actions if taken.outcome != "done")
    return in_words(tried[-1]) if tried else ""


def in_words(taken: ActionTaken) -> str:
    """An attempt, as a person reads it: what, what came of it, and the driver's sentence."""
    return f"{taken.action} {taken.outcome}{f': {taken.detail}' if taken.detail else ''}"


def _service(state: State, service: Service) -> dict[str, Any]:
    return {
        "name": service.name,
        "title": service.title,
        "standing": service.standing,
        "observed_at": _at(service.observed_at),
        "detail": service.detail or None,
        "why": why(state, service.name) or None,
        "driver": service.driver,
        "account": service.account,
        "labels": dict(service.labels),
        "depends_on": list(service.depends_on),
        "dependants": list(dependants(state.services, service.name)),
        "criticality": service.criticality,
        "host": service.host,
        "config": json.loads(service.config),
        "health": json.loads(service.health) if service.health else None,
        "saved": service.saved or None,
        "stops": [
            stop.stop_id for stop in state.active_stops() if any(step.service == service.name for step in stop.services)
        ],
        "changed_at": timestamp(service.changed_at),
        "changed_by": service.changed_by,
    }


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
