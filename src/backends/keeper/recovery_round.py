"""One look at one recovery, and what a keeper remembers from one look to the next. It may be forgotten at any time."""

from __future__ import annotations

from dataclasses import dataclass, field

from backends.keeper.deeds import Deed, Look
from backends.keeper.roster import Instant
from core.recoveries import Recovery
from core.recovery_work import Work
from core.services import Standing
from core.state import State


@dataclass(slots=True)
class Memory:
    """What one keeper remembers of the present step of one recovery."""

    step_revision: int
    began_s: float
    tried_s: dict[tuple[str, Deed], float] = field(default_factory=dict)
    turned_s: dict[str, float] = field(default_factory=dict)
    """Since when each service has had its turn to be stopped again."""
    failed: dict[str, str] = field(default_factory=dict)
    """Services that did not start, and why."""
    by_hand: dict[str, str] = field(default_factory=dict)
    """Services that a person has to start, as their driver says."""
    bad: dict[str, int] = field(default_factory=dict)
    """How many times, one after the other, each thing was seen unwell."""
    said_s: dict[str, float] = field(default_factory=dict)
    """When it was said last how each service stands."""
    heard: dict[str, tuple[int, float]] = field(default_factory=dict)
    """The last observation of each service of another host, by its event, and when that was met."""
    missing_since_s: dict[str, float] = field(default_factory=dict)
    """Since when each gate has had too few samples to tell."""
    good_since_s: float | None = None
    looked_s: float | None = None


@dataclass(slots=True)
class Round:
    """One look at one recovery."""

    state: State
    recovery: Recovery
    memory: Memory
    work: Work
    now: Instant
    looks: dict[str, Look] = field(default_factory=dict)

    @property
    def wanted(self) -> Standing:
        """How everything has to stand in the present step."""
        return "stopped" if self.recovery.present.kind == "prepare" else "running"
