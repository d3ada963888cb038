"""Recovery: the only way back from an emergency.

In this, its smallest form: the scope typed, everything looked at once more, that emergency's holds released. Ending it
starts no process by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from core.capabilities.holds import release, require_reason, require_unmoved
from core.engine import Draft, RemoveLatch, decides, evolves, only_people
from core.errors import CommandRejected, ConfirmationNeeded
from core.messages import Command, EmergencyEvent, FreeText, Header, Identifier, command, event
from core.state import ENDED_KEPT, Emergency, State, Stop
from opsgate.hold import Hold, timestamp
from opsgate.selector import scope_text

COUNTED_LATE_S: Final = 10.0
"""Seconds after a stop's deadline in which a keeper would have said what it came to: then none is running."""


@command
class Recover(Command):
    """End an emergency: release its holds. ``confirm`` is its scope, as it is printed, typed by whoever recovers."""

    kind: Literal["recover"] = "recover"
    emergency_id: Identifier
    reason: FreeText
    confirm: str = ""

    @property
    def lets_run(self) -> bool:
        """What the emergency stopped may run."""
        return True


@event
class EmergencyEnded(EmergencyEvent):
    """An emergency was recovered. ``checks`` are what was looked at, as they stood."""

    kind: Literal["emergency.ended"] = "emergency.ended"
    reason: str
    checks: tuple[str, ...] = ()


@decides(Recover)
def recover(draft: Draft, wanted: Recover) -> None:
    """Typed scope, checks, release of exactly this emergency's holds."""
    emergency = draft.state.emergencies.get(wanted.emergency_id)
    if emergency is None:
        raise CommandRejected(
            "unknown-emergency", f"no emergency is called {wanted.emergency_id}", "see 'opsconsole emergencies list'"
        )
    draft.emergency_id = emergency.emergency_id
    draft.scope = emergency.selectors
    if emergency.status == "ended":
        ended = timestamp(emergency.ended_at or draft.now)
        draft.notes.append(f"{emergency.emergency_id} was recovered at {ended} by {emergency.ended_by}")
        return
    only_people(draft, "recovery")
    require_reason(wanted.reason)
    require_unmoved(draft)
    scope = scope_text(emergency.selectors)
    if wanted.confirm != scope:
        raise ConfirmationNeeded("scope-not-typed", f"type the scope of {emergency.emergency_id}: {scope}")
    checks = recovery_checks(draft.state, emergency, draft.now)
    failed = [check for check in checks if check.verdict == "fail"]
    if failed:
        raise CommandRejected("recovery-check-failed", "; ".join(check.detail for check in failed), failed[0].hint)
    for hold in _holds_of(draft.state, emergency):
        release(draft, hold, wanted.reason)
    draft.emit(
        EmergencyEnded(
            emergency_id=emergency.emergency_id, reason=wanted.reason, checks=tuple(str(check) for check in checks)
        )
    )
    draft.effects.extend(RemoveLatch(stop_id) for stop_id in emergency.stop_ids)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at before a release. ``fail`` refuses it; ``warn`` is for the person to weigh."""

    verdict: Literal["ok", "warn", "fail"]
    detail: str
    hint: str = ""

    def __str__(self) -> str:
        return f"[{ {'ok': 'ok', 'warn': '!!', 'fail': 'XX'}[self.verdict] }] {self.detail}"


def recovery_checks(state: State, emergency: Emergency, now: datetime | None = None) -> tuple[Check, ...]:
    """What a recovery of this emergency would find now: each stop's verification, and what would still hold.

    Without ``now``, a stop that is still counting counts as within its time.
    """
    checks = [_check_of_stop(state.stops[stop_id], now) for stop_id in emergency.stop_ids]
    own = {hold.hold_id for hold in _holds_of(state, emergency)}
    others = [hold for hold in state.holds_touching(emergency.selectors) if hold.hold_id not in own]
    if others:
        shown = ", ".join(f"{hold.hold_id} of {hold.source} {hold.owner}" for hold in others[:3])
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        checks.append(Check("warn", f"still held afterwards by {shown}{more}"))
    else:
        checks.append(Check("ok", "nothing else holds this scope: work starts at once"))
    return tuple(checks)


@evolves(EmergencyEnded)
def emergency_ended(state: State, happened: EmergencyEnded, header: Header) -> State:
    """Fold; only the latest ended emergencies stay, with their stops."""
    known = state.emergencies[happened.emergency_id]
    ended = replace(known, status="ended", ended_at=header.at, ended_by=header.actor.name)
    emergencies, stops = state.emergencies.set(ended.emergency_id, ended), state.stops
    past = sorted(
        (e for e in emergencies.values() if e.ended_at), key=lambda e: (e.ended_at or header.at, e.emergency_id)
    )
    for old in past[:-ENDED_KEPT]:
        emergencies = emergencies.delete(old.emergency_id)
        for stop_id in old.stop_ids:
            stops = stops.delete(stop_id)
    return state._replace(emergencies=emergencies, stops=stops, control_revision=header.revision)


def _holds_of(state: State, emergency: Emergency) -> tuple[Hold, ...]:
    own = (h for h in state.holds.values() if (h.source, h.owner) == ("emergency", emergency.emergency_id))
    return tuple(sorted(own, key=lambda hold: (hold.placed_at, hold.revision)))


def _check_of_stop(stop: Stop, now: datetime | None) -> Check:
    counts = f"{stop.stop_id}: {len(stop.of) - len(stop.missing)}/{len(stop.of)} acknowledged"
    late = now is not None and now > stop.deadline_at + timedelta(seconds=COUNTED_LATE_S)
    match stop.result:
        case "verified":
            return Check("ok", f"{counts}, verified")
        case "pending" if late:
            return Check("warn", f"{counts}, and no keeper has counted since: nobody knows who stopped")
        case "pending":
            return Check("fail", f"{counts}, still counting", "wait for its result, it comes within its budget")
        case _:
            shown = ", ".join(stop.missing[:5])
            return Check("warn", f"{counts}, {stop.result}; not known to have stopped: {shown}")
