"""What drivers do about the services of a stop, and when: a plan of times, made from the level and the list alone.

Category 0 kills at once; category 1 asks to stop and kills when that takes too long; category 2 drains first and saves
state. A plan only ever becomes harder: when a stop escalates, the plan of its new level takes the place of the old one.
Nothing here waits for anything: whoever carries it out looks at the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from core.services import Action, Service, in_stop_order, tiers
from core.state import Stop
from opsgate.order import BUDGET_S, SOFT_BUDGET_S, Level

Category = Literal[0, 1, 2]

CATEGORY: Final[Mapping[Level, Category]] = {
    "immediate": 0,
    "graceful": 1,
    "service_specific": 1,
    "cascading": 1,
    "maintenance": 2,
}

_SOFT: Final = 0.5
"""The share of its time in which a service may stop by itself before it is killed, where no soft budget is given."""

_DRAIN, _SAVE = 0.4, 0.6
"""Maintenance drains for the first share of its budget and saves state until the second."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One action, from ``from_at`` on; at ``until_at`` the next one begins, whatever became of it."""

    action: Action
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What is done about one service. It begins when everything of the tiers before its own has stopped, and at the
    latest at ``begins_at``. Within its actions the next one follows as soon as the one before is done, unless it has
    stopped.

    ``watches`` says that it has been seen to stop: only when it runs again is anything done."""

    service: str
    tier: int
    begins_at: datetime
    deeds: tuple[Deed, ...]
    watches: bool = False

    @property
    def ends_at(self) -> datetime:
        """When it should have stopped. One that has not is killed again and again, and shown as not stopped."""
        return self.deeds[-1].until_at


def plan(
    level: Level,
    services: Mapping[str, Service],
    names: Iterable[str],
    began_at: datetime,
    ends_at: datetime,
    soft_s: float = SOFT_BUDGET_S,
) -> tuple[Step, ...]:
    """The steps of a stop of these services between two times, in the order in which they stop.

    ``soft_s`` is after how many seconds one that stops gracefully is killed. Names that ``services`` does not have are
    left out: nobody knows how to drive them.
    """
    order = [name for name in in_stop_order(services, names) if name in services]
    tier_of = tiers(services, order)
    if level == "cascading":
        return _cascade(order, tier_of, began_at, ends_at)
    deeds = _deeds(level, began_at, ends_at, soft_s)
    return tuple(Step(name, tier_of[name], began_at, deeds) for name in order)


def plan_of(
    stop: Stop,
    services: Mapping[str, Service],
    now: datetime,
    soft_s: float = SOFT_BUDGET_S,
    budget_s: Mapping[Level, float] = BUDGET_S,
) -> tuple[Step, ...]:
    """The plan of a stop as it stands: for the services that are still to be stopped, and for those that have been,
    should one run again while it is in force.

    An escalated one has only what is left of its time: that is why it kills. Whoever ordered it has a clock of their
    own, and ours may have gone back since: neither puts it off, nor gives it more than its budget from now.
    """
    names = [step.service for step in stop.services]
    began_at = now if stop.level == "immediate" else min(now, stop.ordered_at)
    ends_at = min(stop.deadline_at, now + timedelta(seconds=budget_s[stop.level]))
    steps = plan(stop.level, services, names, began_at, max(began_at, ends_at), soft_s)
    stopped = {step.service for step in stop.services if step.has_stopped}
    return tuple(_watching(step, now) if step.service in stopped else step for step in steps)


def _watching(step: Step, now: datetime) -> Step:
    """The step of a service that has stopped: should it run again, it is its turn at once."""
    return replace(step, begins_at=min(step.begins_at, now), watches=True)


def _deeds(level: Level, began_at: datetime, ends_at: datetime, soft_s: float) -> tuple[Deed, ...]:
    if CATEGORY[level] == 0:
        return (Deed("kill", began_at, ends_at),)
    if CATEGORY[level] == 1:
        soft_at = began_at + min(timedelta(seconds=soft_s), (ends_at - began_at) * 0.9)
        return (Deed("stop", began_at, soft_at), Deed("kill", soft_at, ends_at))
    drained_at, saved_at = (began_at + (ends_at - began_at) * share for share in (_DRAIN, _SAVE))
    return (
        Deed("drain", began_at, drained_at),
        Deed("save-state", drained_at, saved_at),
        Deed("stop", saved_at, ends_at),
    )


def _cascade(order: list[str], tier_of: Mapping[str, int], began_at: datetime, ends_at: datetime) -> tuple[Step, ...]:
    """Each tier has an equal slice of the whole time. One that hangs is killed within its own slice and holds up the
    next one no longer than to its end."""
    depths = sorted(set(tier_of.values()))
    steps = []
    for name in order:
        place = depths.index(tier_of[name])
        starts_at, slice_ends_at = (began_at + (ends_at - began_at) * (at / len(depths)) for at in (place, place + 1))
        soft_at = starts_at + (slice_ends_at - starts_at) * _SOFT
        deeds = (Deed("stop", starts_at, soft_at), Deed("kill", soft_at, slice_ends_at))
        steps.append(Step(name, tier_of[name], starts_at, deeds))
    return tuple(steps)
