"""What is set for emergencies, as far as decisions need it. Values; who reads settings makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from opsgate.order import BUDGET_S, Level


@dataclass(frozen=True, slots=True)
class Rules:
    """What is set for emergencies where a decision is taken. ``budgets_s``: level → seconds to be verified in;
    ``automatic_stops`` and ``automatic_recovery``: whether programs may stop, and recover, by themselves."""

    budgets_s: Mapping[Level, float] = field(default_factory=lambda: BUDGET_S)
    automatic_stops: bool = True
    automatic_recovery: bool = True
    validation_timeout_s: float = 30.0
    """Seconds within which the checks of a recovery must pass."""
    monitor_s: float = 300.0
    """Seconds for which what was recovered is watched."""


AS_USUAL: Final = Rules()
"""Where nothing is set."""
