"""Suppression: whether an edge of a trigger stops what that is set on, or why it does not. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from core.state import Emergency, State, Trigger
from opsgate.order import STRENGTH, Level, Order
from opsgate.selector import EVERYTHING, Selector

Why = Literal["inactive", "automatics-off", "joined", "cooldown", "share-exceeded", "shadow"]
"""Why an edge stops nothing.

- ``inactive``: the trigger has been switched off
- ``automatics-off``: EMERGENCY_STOP_ENABLED is false where it was seen
- ``joined``: what it would stop is stopped already, as hard, by an emergency that it joins
- ``cooldown``: its last stop has ended too short a time ago
- ``share-exceeded``: automatic stops would take a larger share of the sites than they may
- ``shadow``: it only shows what it would do
"""

ACTOR: Final = "trigger:"
"""What the names of triggers begin with, where they act."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Fires where ``why`` is None. ``until`` is when a cooldown ends."""

    why: Why | None = None
    detail: str = ""
    emergency_id: str = ""
    until: datetime | None = None


def judge(
    state: State, trigger: Trigger, now: datetime, placed: Iterable[Order] = (), *, automatics: bool = True
) -> Verdict:
    """What an edge of this trigger comes to now. ``placed`` are orders in force that the journal does not know yet."""
    definition = trigger.definition
    selectors = definition.selectors()
    if not definition.is_active:
        return Verdict("inactive", "the trigger is switched off")
    if not automatics:
        return Verdict("automatics-off", "EMERGENCY_STOP_ENABLED is false")
    for order in placed:
        if _covers(order.selectors, order.level, selectors, definition.stop_level):
            return Verdict("joined", f"stop {order.stop_id} covers it")
    for emergency in state.emergencies_touching(selectors):
        if _is_stopped(state, emergency, selectors, definition.stop_level):
            return Verdict("joined", f"{emergency.emergency_id} covers it", emergency.emergency_id)
    ends_at = cooldown_ends_at(state, trigger)
    if ends_at is not None and now < ends_at:
        left_s = (ends_at - now).total_seconds()
        return Verdict("cooldown", f"{left_s:.0f} s of its cooldown are left", trigger.emergency_id, ends_at)
    share = share_taken(state, selectors) if state.trigger_share < 1.0 else 0.0
    if share > state.trigger_share:
        taken = f"automatic stops would take {share:.0%} of the sites, and may take {state.trigger_share:.0%}"
        return Verdict("share-exceeded", taken)
    return Verdict("shadow", "it would have stopped") if definition.shadow else Verdict()


def cooldown_ends_at(state: State, trigger: Trigger) -> datetime | None:
    """When a trigger may stop again, counted from the end of its last stop; None where that has not ended."""
    last = state.emergencies.get(trigger.emergency_id)
    if last is None or last.ended_at is None:
        return None
    return last.ended_at + timedelta(milliseconds=trigger.definition.cooldown_period_ms)


def share_taken(state: State, selectors: Iterable[Selector]) -> float:
    """Which share of the sites automatic stops would take, those in force among them; from 0 to 1."""
    wanted = [*selectors]
    for stop in state.active_stops():
        if stop.trigger or stop.ordered_by.startswith(ACTOR):
            wanted.extend(stop.selectors)
    if EVERYTHING in wanted:
        return 1.0
    sites = {site for selector in wanted if selector.dimensions == ("site",) and (site := selector.get("site"))}
    known = sum(("site", site) in state.names for site in sites)
    return known / len(state.names_of("site")) if known else 0.0


def _is_stopped(state: State, emergency: Emergency, selectors: tuple[Selector, ...], level: Level) -> bool:
    """Whether one emergency stops all of this, as hard, and lets nothing of it through. One that is being recovered
    from is nothing to join: a stop turns that back."""
    if emergency.recovery is not None and emergency.recovery.is_active:
        return False
    for stop_id in emergency.stop_ids:
        stop = state.stops[stop_id]
        holds = [state.holds.get(hold_id) for hold_id in stop.hold_ids]
        whole = all(hold is not None and hold.admit <= 0.0 for hold in holds)
        if whole and _covers(stop.selectors, stop.level, selectors, level):
            return True
    return False


def _covers(mine: Iterable[Selector], level: Level, theirs: Iterable[Selector], wanted: Level) -> bool:
    mine = tuple(mine)
    return STRENGTH[level] >= STRENGTH[wanted] and all(any(one.contains(each) for one in mine) for each in theirs)
