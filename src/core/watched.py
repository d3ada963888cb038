"""Which metrics somebody looks at: triggers, the gates of procedures, and people while there is an emergency."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from core.procedures import metrics_of, procedures
from core.scope import Scope
from core.state import Emergency, State
from core.triggers.watch import topics

METRICS_MAX: Final = 8
"""Metrics of one emergency that are shown."""


class Curve(NamedTuple):
    """Something to be shown of an emergency: a metric, and of whom; None: of whomever."""

    emergency_id: str
    metric: str
    account: str | None


def listened(state: State) -> frozenset[str]:
    """The metrics whose samples are kept: those that triggers which are switched on or gates look at."""
    definitions = (trigger.definition for trigger in state.triggers.values())
    found = {metric for definition in definitions if definition.is_active for metric in topics(definition)}
    for procedure in procedures(state.procedures).values():
        found |= metrics_of(procedure)
    for emergency in state.active_emergencies():  # a recovery keeps the gates that it began with
        found |= {curve.metric for curve in _gates(emergency)}
    return frozenset(found)


def moved_beyond(state: State, scope: Scope, metrics: Iterable[str]) -> frozenset[tuple[str, str | None]]:
    """Which samples of these metrics would move something that lies beyond ``scope``, as their metric and their
    account, None for whomever: those that a trigger listens to which stops work there, or a gate of a recovery there.
    """
    asked, found = frozenset(metrics), set[tuple[str, str | None]]()
    for trigger in state.triggers.values():
        definition = trigger.definition
        if not all(map(scope.covers, definition.selectors())):
            found |= {(metric, definition.account_id) for metric in topics(definition)}
    for emergency in state.active_emergencies():
        if not all(map(scope.covers, emergency.selectors)):
            found |= {(curve.metric, curve.account) for curve in _gates(emergency)}
    return frozenset(each for each in found if each[0] in asked)


def curves(state: State) -> tuple[Curve, ...]:
    """What is shown of the emergencies that are active: what gates look at first, then what fired them."""
    found: list[Curve] = []
    for emergency in state.active_emergencies():
        own = dict.fromkeys((*_gates(emergency), *_fired_by(state, emergency)))
        found += list(own)[:METRICS_MAX]
    return tuple(found)


def _gates(emergency: Emergency) -> Iterator[Curve]:
    recovery = emergency.recovery
    if recovery is not None and recovery.is_active:
        for gate in (gate for step in recovery.steps for gate in step.metrics):
            yield Curve(emergency.emergency_id, gate.metric, gate.account)


def _fired_by(state: State, emergency: Emergency) -> Iterable[Curve]:
    trigger = state.triggers.get(emergency.trigger)
    if trigger is None:
        return ()
    account = trigger.definition.account_id or emergency.account
    return (Curve(emergency.emergency_id, metric, account) for metric in topics(trigger.definition))
