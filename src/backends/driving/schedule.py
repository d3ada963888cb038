"""What is to be done about one service for one stop, and by when: times are seconds of the host's clock.

Escalation goes one way. Where several stops want something of one service, the strongest thing that is due is done, and
counts for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from backends.drivers.base import Action, DriverOrder

STRENGTH: Final[dict[Action, int]] = {"start": -1, "drain": 0, "save-state": 1, "stop": 2, "kill": 3}


class Slot(NamedTuple):
    """One thing to do, and until when it may take, with all waiting."""

    action: Action
    until_s: float


@dataclass(frozen=True, slots=True)
class Task:
    """One service's part in one stop. ``begins_s`` is when its turn comes at the latest; ``at`` is the slot that it has
    come to. The last slot never ends: a service that does not stop is tried again as long as the stop is in force."""

    order: DriverOrder
    service: str
    tier: int
    begins_s: float
    slots: tuple[Slot, ...]
    at: int = 0
    about: tuple[str, str] = ("", "")
    """The kind and the configuration of the driver: what the name of the service meant when this was planned."""
    watches: bool = False
    """Whether the service has been seen to stop already, so that it is only done should that run again."""

    @property
    def slot(self) -> Slot:
        """What is to be done now."""
        return self.slots[self.at]

    @property
    def is_at_last(self) -> bool:
        """Whether nothing stronger is to come."""
        return self.at + 1 == len(self.slots)

    @property
    def ends_s(self) -> float:
        """When its time is up, and it counts as not stopped."""
        return self.slots[-1].until_s

    def as_of(self, now_s: float) -> Task:
        """This task where slots whose time has passed are left behind."""
        task = self
        while now_s >= task.slot.until_s and not task.is_at_last:
            task = replace(task, at=task.at + 1)
        return task

    def after(self, action: Action) -> Task:
        """This task when all that is not stronger than ``action`` has been done."""
        task = self
        while STRENGTH[task.slot.action] <= STRENGTH[action] and not task.is_at_last:
            task = replace(task, at=task.at + 1)
        return task


def due(tasks: Iterable[Task], now_s: float) -> Task | None:
    """The task whose present slot is the strongest of those whose turn has come; of equals, the one that ends first."""
    ready = [task for task in tasks if task.begins_s <= now_s]
    return max(ready, key=lambda task: (STRENGTH[task.slot.action], -task.slot.until_s), default=None)
