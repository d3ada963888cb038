"""What checks read: one immutable picture of the fleet, published by one assignment and read without a lock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final, Literal

from opsgate.evaluate import Table
from opsgate.failsafe import FRESH_S

if TYPE_CHECKING:
    from opsgate.hold import Hold
    from opsgate.snapshot import Notice

Basis = Literal["live", "cache", "disk", "default"]
"""What a decision rests on: a state read just now, one read earlier, one kept on disk, or none at all."""

_NEVER: Final = float("-inf")
_NONE: Final[Collection[str]] = frozenset()


class View:
    """A decision table with its revision and age, and the sets that let most checks end after a few lookups.

    ``held_D`` are the values of dimension D that some hold names, ``known_D`` its registered names. Until
    ``quick_until_s`` (host clock), work whose values are all known and none of them held is allowed, with no further
    question: no hold covers everything, and no class closes at that age.
    """

    __slots__ = (
        "_emergencies",
        "confirmed_at_s",
        "fleet",
        "from_disk",
        "held_account",
        "held_agent",
        "held_campaign",
        "held_dependency",
        "held_operation",
        "held_service",
        "held_site",
        "held_workflow",
        "illegible",
        "known_campaign",
        "known_dependency",
        "known_operation",
        "known_service",
        "known_site",
        "known_workflow",
        "quick_until_s",
        "revision",
        "settled",
        "stops",
        "table",
    )

    def __init__(  # noqa: PLR0913 (plain facts, each by its name)
        self,
        table: Table | None = None,
        *,
        fleet: str = "",
        revision: int = 0,
        confirmed_at_s: float | None = None,
        from_disk: bool = False,
        illegible: bool = False,
        settled: bool = False,
        stops: Mapping[str, Notice] | None = None,
        quick_s: float = FRESH_S,
        env: str | None = None,
    ) -> None:
        """``confirmed_at_s`` is when the table was last known to be the truth, None when there is no state at all,
        ``illegible`` that one was kept on disk and cannot be read; ``settled``, whether a first
        attempt to read it has ended; ``quick_s`` 0 sends every check the long way."""
        self.table = table or Table()
        self.fleet = fleet
        self.revision = revision
        self.confirmed_at_s = confirmed_at_s
        self.from_disk = from_disk
        self.illegible = illegible
        self.settled = settled
        self.stops: Mapping[str, Notice] = stops or {}
        self._emergencies: tuple[Hold, ...] | None = None
        held: Mapping[str, Collection[str]] = self.table.mentioned
        known = self.table.recognised
        self.held_site = held.get("site", _NONE)
        self.held_operation = held.get("operation", _NONE)
        self.held_workflow = held.get("workflow", _NONE)
        self.held_service = held.get("service", _NONE)
        self.held_dependency = held.get("dependency", _NONE)
        self.held_campaign = held.get("campaign", _NONE)
        self.held_account = held.get("account", _NONE)
        self.held_agent = held.get("agent", _NONE)
        self.known_site = known.get("site", _NONE)
        self.known_operation = known.get("operation", _NONE)
        self.known_workflow = known.get("workflow", _NONE)
        self.known_service = known.get("service", _NONE)
        self.known_dependency = known.get("dependency", _NONE)
        self.known_campaign = known.get("campaign", _NONE)
        open_to_all = not self.table.everywhere and env not in held.get("env", _NONE)
        if env is not None and self.table.within:
            open_to_all = open_to_all and not self.table.beyond({"env": env})
        quick = open_to_all and settled and confirmed_at_s is not None and not from_disk
        self.quick_until_s = confirmed_at_s + quick_s if quick and confirmed_at_s is not None else _NEVER

    def inherited(self) -> View:
        """The view as a forked child has it: the same, but it may have grown old before the child asks. So the first
        question goes the long way, where threads are started and the first reading is awaited."""
        return View(
            self.table,
            fleet=self.fleet,
            revision=self.revision,
            confirmed_at_s=self.confirmed_at_s,
            from_disk=self.from_disk,
            illegible=self.illegible,
            stops=self.stops,
        )

    @property
    def emergencies(self) -> tuple[Hold, ...]:
        """The emergency holds in force, in documented order. Looked for only once the state is old."""
        if self._emergencies is None:
            self._emergencies = tuple(hold for hold in self.table.holds if hold.source == "emergency")
        return self._emergencies

    def age_s(self, at_s: float) -> float | None:
        """Seconds since the state was last known to be the truth; None when there is none."""
        return None if self.confirmed_at_s is None else max(0.0, at_s - self.confirmed_at_s)

    def basis(self, at_s: float) -> Basis:
        """What a decision at ``at_s`` rests on."""
        if self.confirmed_at_s is None:
            return "disk" if self.table.by_id else "default"  # without a state, all that can be known is a latch
        if self.from_disk:
            return "disk"
        return "live" if at_s - self.confirmed_at_s <= FRESH_S else "cache"
