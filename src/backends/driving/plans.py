"""From a plan of times of day to tasks by the clock that never jumps, for a stop that is ordered or one that stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from backends.drivers.base import DriverOrder
from backends.driving.driving import Wanted
from backends.driving.schedule import Slot, Task
from core.services import Service, touched
from core.state import State, Stop
from core.stop_plan import Deed, Step, plan, plan_of
from opsgate.clock import elapsed_s
from opsgate.order import BUDGET_S, Level, Order

TRIGGER: Final = "trigger:"
"""What the name of an actor begins with who is a trigger."""

_LOWEST: Final = 1


def wanted_by_order(
    order: Order,
    stop_id: str,
    services: Mapping[str, Service],
    now: datetime,
    budget_s: Mapping[Level, float] = BUDGET_S,
    priority: int | None = None,
) -> Wanted:
    """What a stop asks for that nobody has recorded yet. ``priority`` is that of its trigger, None for a person."""
    names = touched(services, order.selectors, order.level)
    steps = plan(order.level, services, names, now, now + timedelta(seconds=budget_s[order.level]))
    told = DriverOrder(stop_id, stop_id, order.level, order.reason, order.actor)
    return _wanted(told, order.level, steps, now, services, priority)


def wanted_by_stop(
    state: State,
    stop: Stop,
    services: Mapping[str, Service],
    now: datetime,
    budget_s: Mapping[Level, float] = BUDGET_S,
) -> Wanted:
    """What is left to be done for a stop that stands in the journal, and to be watched, about these services."""
    steps = [step for step in plan_of(stop, state.services, now, budget_s=budget_s) if step.service in services]
    emergency = state.emergencies[stop.emergency_id]
    told = DriverOrder(emergency.correlation_id, stop.stop_id, stop.level, stop.reason, stop.ordered_by)
    return _wanted(told, stop.level, steps, now, services, priority_of(state, stop.trigger))


def _wanted(
    told: DriverOrder,
    level: Level,
    steps: Iterable[Step],
    now: datetime,
    services: Mapping[str, Service],
    priority: int | None,
) -> Wanted:
    now_s = elapsed_s()
    tasks = tuple(
        Task(
            order=told,
            service=step.service,
            tier=step.tier,
            begins_s=now_s + (step.begins_at - now).total_seconds(),
            slots=tuple(_slot(deed, now, now_s) for deed in step.deeds),
            about=(services[step.service].driver, services[step.service].config),
            watches=step.watches,
        )
        for step in steps
        if step.service in services
    )
    if priority is None or level == "immediate":
        return Wanted(told.stop_id, level, tasks)
    return Wanted(told.stop_id, level, tasks, (-priority, now_s))


def priority_of(state: State, trigger: str) -> int | None:
    """The priority of a trigger, 1 (low, as one that is gone) to 4 (critical); None where no trigger is named."""
    if not trigger:
        return None
    known = state.triggers.get(trigger)
    return known.definition.priority if known else _LOWEST


def _slot(deed: Deed, now: datetime, now_s: float) -> Slot:
    assert deed.action != "observe", "a plan says what is done, and looking is not doing"
    return Slot(deed.action, now_s + (deed.until_at - now).total_seconds())
