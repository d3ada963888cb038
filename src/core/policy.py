"""Answers about the state that decide nothing: why something is held, and what gates must be told of a change.

The decision itself is `opsgate.evaluate`; there is one decision function, not two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.messages import (
    EmergencyEvent,
    HoldEvent,
    LimitEvent,
    NameEvent,
    Recorded,
    ServiceEvent,
    StopEvent,
    WorkerEvent,
)
from core.reach import overlapping
from core.state import State, Stop, hold_of_limit
from opsgate.evaluate import Table, Verdict, Work, evaluate, headline
from opsgate.hold import Hold
from opsgate.run_state import RunState, run_state_of
from opsgate.selector import EVERYTHING, Selector
from opsgate.snapshot import Delta


@dataclass(frozen=True, slots=True)
class Preview:
    """What would still hold after one blocker were released."""

    released: Hold
    remaining: tuple[Hold, ...]

    def __str__(self) -> str:
        if not self.remaining:
            return f"after releasing {self.released.hold_id}, it may run"
        names = ", ".join(hold.hold_id for hold in self.remaining)
        return f"after releasing {self.released.hold_id}, still blocked by {names}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a scope may or may not run: the verdict for all of it, the holds on parts of it, a preview per blocker.

    A part is a narrower scope, or the share that a ramping hold does not admit yet.
    """

    verdict: Verdict
    partial: tuple[Hold, ...]
    previews: tuple[Preview, ...]

    def as_dict(self, selector: Selector, revision: int) -> dict[str, Any]:
        """The JSON object of ``why``."""
        return {
            "selector": selector.as_dict(),
            "outcome": self.verdict.outcome,
            "headline": headline(self.verdict),
            "blockers": [hold.as_dict() for hold in self.verdict.blockers],
            "partial": [hold.as_dict() for hold in self.partial],
            "unknown_names": list(self.verdict.unknown_names),
            "after_release": [
                {"hold_id": each.released.hold_id, "remaining": [hold.hold_id for hold in each.remaining]}
                for each in self.previews
            ],
            "revision": revision,
        }


def why(table: Table, selector: Selector) -> Explanation:
    """Explain one scope. Blockers cover all of it; ``partial`` are the other holds inside it."""
    verdict = evaluate(table, selector.as_dict())
    touches, shown = overlapping([selector]), {hold.hold_id for hold in verdict.blockers}
    partial = tuple(hold for hold in table.holds if hold.hold_id not in shown and touches(hold.selector))
    previews = tuple(
        Preview(hold, tuple(other for other in verdict.blockers if other is not hold)) for hold in verdict.blockers
    )
    return Explanation(verdict, partial, previews)


def decide(state: State, work: Work, *, strict: bool = False) -> Verdict:
    """Decide one piece of work against a state; for many, keep ``state.table()``."""
    return evaluate(state.table(), work, strict=strict)


@dataclass(frozen=True, slots=True)
class GateChange:
    """What a commit changed for gates: the rows and the datagram, and whether names have to be read again."""

    delta: Delta
    stops: tuple[Stop, ...]
    names_added: tuple[tuple[str, str], ...]
    names_removed: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Touched:
    """What events were about: ids of holds, stops and limits, and names."""

    holds: set[str] = field(default_factory=set)
    stops: set[str] = field(default_factory=set)
    limits: set[str] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)


def gate_change(before: State, after: State, events: Iterable[Recorded]) -> GateChange:
    """The difference between two states that ``events`` lead from one to the other, touched entries only.

    Applied to the snapshot before, the delta gives the snapshot after, but for the names, which gates read again.
    """
    touched = _touched(before, after, events)
    old, new = _holds_at(before, touched), _holds_at(after, touched)
    was, active = _stops_at(before, touched), _stops_at(after, touched)
    delta = Delta(
        since=before.revision,
        revision=after.revision,
        placed=tuple(hold for hold_id, hold in new.items() if old.get(hold_id) != hold),
        released=tuple(hold_id for hold_id in old if hold_id not in new),
        ordered=tuple(stop.notice() for stop_id, stop in active.items() if stop_id not in was),
        ended=tuple(stop_id for stop_id in was if stop_id not in active),
    )
    added = tuple(sorted(key for key in touched.names if key in after.names and key not in before.names))
    removed = tuple(sorted(key for key in touched.names if key in before.names and key not in after.names))
    changed = tuple(stop for stop_id, stop in active.items() if was.get(stop_id) != stop)
    return GateChange(delta, changed, added, removed)


def _touched(before: State, after: State, events: Iterable[Recorded]) -> _Touched:
    touched = _Touched()
    for recorded in events:
        match recorded.event:
            case HoldEvent(hold_id=hold_id):
                touched.holds.add(hold_id)
            case StopEvent(stop_id=stop_id):
                touched.stops.add(stop_id)
                touched.holds.update(after.stops[stop_id].hold_ids if stop_id in after.stops else ())
            case EmergencyEvent(emergency_id=emergency_id):
                for state in (before, after):
                    if emergency_id in state.emergencies:
                        touched.stops.update(state.emergencies[emergency_id].stop_ids)
            case WorkerEvent() | ServiceEvent():
                touched.stops.update(_listing(before, recorded.event))
            case LimitEvent(name=name):
                touched.limits.add(name)
            case NameEvent(dimension=dimension, name=name):
                touched.names.add((dimension, name))
    return touched


def _listing(state: State, happened: WorkerEvent | ServiceEvent) -> set[str]:
    """The stops in force on whose list somebody stands."""
    if isinstance(happened, WorkerEvent):
        return {stop.stop_id for stop in state.active_stops() if happened.worker_id in stop.of}
    name = happened.service
    return {stop.stop_id for stop in state.active_stops() if any(step.service == name for step in stop.services)}


def _holds_at(state: State, touched: _Touched) -> dict[str, Hold]:
    """The touched holds, and limits of zero, as they are in one state."""
    zeros = (hold_of_limit(state.limits[name]) for name in sorted(touched.limits) if name in state.limits)
    rows = [state.holds[hold_id] for hold_id in sorted(touched.holds) if hold_id in state.holds]
    return {hold.hold_id: hold for hold in (*rows, *filter(None, zeros))}


def _stops_at(state: State, touched: _Touched) -> dict[str, Stop]:
    """The touched stops that are in force in one state."""
    known = (state.stops[stop_id] for stop_id in sorted(touched.stops) if stop_id in state.stops)
    return {stop.stop_id: stop for stop in known if state.emergencies[stop.emergency_id].status == "active"}


def run_state(state: State) -> RunState:
    """One word for the fleet as far as the journal knows: stopped needs a hold on everything and nobody missing."""
    everywhere = state.holds_on(EVERYTHING)
    held = bool(state.holds) or any(limit.limit == 0 and limit.operation for limit in state.limits.values())
    return run_state_of(everywhere, held=held, missing=any(stop.missing for stop in state.active_stops()))
