"""What a type of trigger is: which thresholds it takes, what each of them measures, and how they go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Measure = Literal["last", "sum", "mean", "percent", "distinct"]
"""What is compared with a threshold.

- ``last``: the latest samples of each account and source, apart; with a minimum of n samples, all of the latest n
- ``sum``, ``mean``: of all values inside the window
- ``percent``: of the samples inside the window, those above zero
- ``distinct``: how many sources had a sample above zero inside the window
"""

Crosses = Literal["above", "below", "from"]
"""``above`` and ``below`` exclude the threshold itself, ``from`` includes it."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold of a type: its name is S1's, ``metric`` says which samples it looks at."""

    name: str
    metric: str
    crosses: Crosses
    measure: Measure
    least: float
    most: float
    unit: str
    says: str

    def is_crossed(self, value: float, threshold: float) -> bool:
        """Whether ``value`` is one to fire for."""
        if self.crosses == "above":
            return value > threshold
        return value < threshold if self.crosses == "below" else value >= threshold

    def is_beyond(self, value: float, clear: float) -> bool:
        """Whether ``value`` has come back past the threshold for clearing."""
        if self.crosses == "below":
            return value >= clear
        return value <= clear if self.crosses == "above" else value < clear


@dataclass(frozen=True, slots=True)
class TriggerType:
    """One of S1's twelve types of trigger.

    Of several thresholds that a trigger gives, any one fires it. ``needs`` is what a trigger of this type has to say
    beside them, and what no other may: a rule, or a schedule.
    """

    name: str
    says: str
    thresholds: tuple[Threshold, ...] = ()
    needs: Literal["", "rule", "schedule"] = ""

    @property
    def by_person(self) -> bool:
        """Whether nothing but a person fires it."""
        return not self.thresholds and not self.needs

    @property
    def watches(self) -> bool:
        """Whether samples fire it, so that it can be cleared too."""
        return bool(self.thresholds) or self.needs == "rule"

    def threshold(self, name: str) -> Threshold | None:
        """The threshold of this name."""
        return next((each for each in self.thresholds if each.name == name), None)
