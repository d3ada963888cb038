"""A trigger in words, for lists."""

from __future__ import annotations

from typing import Final

from core.triggers import TYPES
from core.triggers.definition import Definition

_SIGNS: Final = {"above": ">", "below": "<", "from": ">="}


def conditions(definition: Definition) -> str:
    """When it fires: ``healthScore < 30``, a rule, a schedule."""
    kind = TYPES[definition.trigger_type]
    said = []
    for name, value in definition.thresholds.items():
        threshold = kind.threshold(name)
        if threshold is not None:
            measured = "" if threshold.measure == "last" else f" in {definition.time_window_ms / 1000:g} s"
            said.append(f"{name} {_SIGNS[threshold.crosses]} {value:g}{measured}")
    if definition.rule:
        said.append(definition.rule)
    if definition.schedule is not None:
        said.append(f"{definition.schedule.cron} {definition.schedule.zone}")
    if definition.absent_after_ms is not None:
        said.append(f"no sample for {definition.absent_after_ms / 1000:g} s")
    return " or ".join(said) or kind.says
