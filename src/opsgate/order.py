"""The stop order: what a person who stops something says, whole enough to act on with nothing else left alive.

The same document is the latch on disk, the datagram to the keeper and, once recorded, the stop in the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeGuard

from opsgate.hold import DRAIN, HALT, Hold, Mode, moment, timestamp
from opsgate.selector import EVERYTHING, IDENTIFIER, Selector
from opsgate.snapshot import Notice

Level = Literal["immediate", "graceful", "service_specific", "cascading", "maintenance"]

LEVELS: Final[tuple[Level, ...]] = ("maintenance", "service_specific", "graceful", "cascading", "immediate")
"""S1's five levels, weakest first (graceful and cascading are equals)."""

STRENGTH: Final[Mapping[Level, int]] = {
    "maintenance": 0,
    "service_specific": 1,
    "graceful": 2,
    "cascading": 2,
    "immediate": 3,
}
"""The order when levels meet: an emergency escalates and never downgrades."""

BUDGET_S: Final[Mapping[Level, float]] = {
    "immediate": 5.0,
    "graceful": 60.0,
    "service_specific": 60.0,
    "cascading": 60.0,
    "maintenance": 60.0,
}
"""Seconds within which a stop of this level must be verified (S1: under 5 s, 30 to 60 s)."""

SOFT_BUDGET_S: Final = 30.0
"""Seconds after which a stop that drains has used up its soft budget; at the hard one it halts."""

MODE_OF_LEVEL: Final[Mapping[Level, Mode]] = {
    "immediate": HALT,
    "graceful": DRAIN,
    "service_specific": HALT,
    "cascading": DRAIN,
    "maintenance": DRAIN,
}


def is_level(word: str) -> TypeGuard[Level]:
    """Whether ``word`` is one of the five levels."""
    return word in LEVELS


@dataclass(frozen=True, slots=True)
class Order:
    """One stop, as ordered. ``stop_id`` is made by whoever places it, so it exists without the database."""

    stop_id: str
    ordered_at: datetime
    selectors: tuple[Selector, ...] = (EVERYTHING,)
    level: Level = "immediate"
    reason: str = ""
    actor: str = "unknown"
    door: str = "cli"

    @property
    def mode(self) -> Mode:
        """drain or halt, as the level says."""
        return MODE_OF_LEVEL[self.level]

    def notice(self) -> Notice:
        """What workers acknowledge."""
        return Notice(self.stop_id, self.selectors)

    def holds(self) -> tuple[Hold, ...]:
        """The holds that are in force from this order alone, before any engine has recorded it."""
        return tuple(
            Hold(
                hold_id=f"{self.stop_id}/{number}" if number else self.stop_id,
                selector=selector,
                source="emergency",
                owner=self.stop_id,
                reason=self.reason,
                mode=self.mode,
                placed_at=self.ordered_at,
                correlation_id=self.stop_id,
            )
            for number, selector in enumerate(self.selectors)
        )

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of this order."""
        return {
            "format": 1,
            "stop_id": self.stop_id,
            "ordered_at": timestamp(self.ordered_at),
            "selectors": [selector.as_dict() for selector in self.selectors],
            "level": self.level,
            "reason": self.reason,
            "actor": self.actor,
            "door": self.door,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Order:
        """The order of ``as_dict``; KeyError, TypeError or ValueError when it is none."""
        level, stop_id = str(document["level"]), str(document["stop_id"])
        selectors = tuple(Selector.from_mapping(selector) for selector in document["selectors"])
        if not is_level(level) or not selectors or not IDENTIFIER.fullmatch(stop_id):
            raise ValueError("not a stop order")
        return cls(
            stop_id=stop_id,
            ordered_at=moment(document["ordered_at"]),
            selectors=selectors,
            level=level,
            reason=str(document.get("reason", "")),
            actor=str(document.get("actor", "unknown")),
            door=str(document.get("door", "cli")),
        )


class Lying(NamedTuple):
    """What one look at the latches of these fleets found: each order by the file that it lies in, and the folders that
    were looked for and are not there. Of what lay in those, nobody can say that it was taken away."""

    orders: Mapping[Path, Order]
    missing: frozenset[Path] = frozenset()
    fleets: tuple[str, ...] = ()
    whole: bool = True
    """Whether all of it could be read: where not, the next look may find more though nothing has changed."""
