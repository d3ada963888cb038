"""Answers about the state that decide nothing: why something is held, and what gates must be told of a change.

The decision itself is `opsgate.evaluate`; there is one decision function, not two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.messages import Recorded
from core.state import State, Stop, hold_of_limit
from opsgate.evaluate import Table, Verdict, Work, evaluate, rank
from opsgate.hold import Hold
from opsgate.selector import Selector
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
    """Why a scope may or may not run: the verdict for all of it, the holds on parts of it, a preview per blocker."""

    verdict: Verdict
    partial: tuple[Hold, ...]
    previews: tuple[Preview, ...]


def why(table: Table, selector: Selector) -> Explanation:
    """Explain one scope. Blockers cover all of it; ``partial`` are narrower holds inside it."""
    verdict = evaluate(table, selector.as_dict())
    partial = tuple(
        hold
        for hold in sorted(table.holds, key=rank)
        if hold not in verdict.blockers and hold.selector.overlaps(selector)
    )
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


def gate_change(before: State, after: State, events: Iterable[Recorded]) -> GateChange:
    """The difference between two states that ``events`` lead from one to the other, touched entries only."""
    holds: set[str] = set()
    limits: set[str] = set()
    stops: set[str] = set()
    names: set[tuple[str, str]] = set()
    for recorded in events:
        happened = recorded.event
        match happened.kind.partition(".")[0]:
            case "hold":
                holds.add(happened.hold_id)  # type: ignore[attr-defined]
            case "limit":
                limits.add(happened.name)  # type: ignore[attr-defined]
            case "name":
                names.add((happened.dimension, happened.name))  # type: ignore[attr-defined]
            case "stop":
                stops.add(happened.stop_id)  # type: ignore[attr-defined]
            case "emergency" | "worker":
                stops.update(stop.stop_id for stop in (*before.active_stops(), *after.active_stops()))
    for stop_id in stops:
        holds.update(after.stops[stop_id].hold_ids if stop_id in after.stops else ())
    now = {hold.hold_id: hold for hold in _rows(after, holds, limits)}
    gone = [hold.hold_id for hold in _rows(before, holds, limits) if hold.hold_id not in now]
    active = {stop.stop_id: stop for stop in after.active_stops()}
    touched = tuple(active[stop_id] for stop_id in sorted(stops) if stop_id in active)
    delta = Delta(
        since=before.revision,
        revision=after.revision,
        placed=tuple(now.values()),
        released=tuple(gone),
        ordered=tuple(stop.notice() for stop in touched),
        ended=tuple(stop_id for stop_id in sorted(stops) if stop_id not in active),
    )
    added = tuple(sorted(key for key in names if key in after.names))
    removed = tuple(sorted(key for key in names if key not in after.names))
    return GateChange(delta, touched, added, removed)


def _rows(state: State, holds: set[str], limits: set[str]) -> list[Hold]:
    rows = [state.holds[hold_id] for hold_id in sorted(holds) if hold_id in state.holds]
    zeros = (hold_of_limit(state.limits[name]) for name in sorted(limits) if name in state.limits)
    return rows + [hold for hold in zeros if hold is not None]


RunState = Literal["running", "stopped", "partly", "unknown"]


def run_state(state: State) -> RunState:
    """One word for the fleet as far as the journal knows: stopped needs a hold on everything and nobody missing."""
    covers_all = any(hold.is_global and hold.admit <= 0.0 for hold in state.holds.values())
    if covers_all and not any(stop.missing for stop in state.active_stops()):
        return "stopped"
    return "partly" if state.holds else "running"
