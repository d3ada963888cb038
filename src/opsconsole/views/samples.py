"""Samples that were recorded with the evaluations that they mattered to: what a trigger fired for, as a small curve."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from opsconsole.text import clean
from opsconsole.views.picture import Picture
from opsconsole.views.words import ago, sparkline

if TYPE_CHECKING:
    from core.messages import Recorded
    from core.triggers.sample import Input

STEPS = 7
"""Heights that a value can have in a curve, beside none."""

CURVE_MAX = 30


def samples_of(events: Iterable[Recorded]) -> tuple[Input, ...]:
    """The samples in these events, oldest first, each once."""
    found: dict[tuple[object, ...], Input] = {}
    for recorded in events:
        if recorded.event.kind == "trigger.evaluated":
            for each in getattr(recorded.event, "inputs", ()):
                found[(each.metric, each.at, each.account, each.source)] = each
    return tuple(sorted(found.values(), key=lambda each: each.at))


def metrics_of(picture: Picture, trigger: str) -> tuple[str, ...]:
    """What a trigger looks at; nothing where there is none of that name."""
    from core.triggers import TYPES

    known = picture.state.triggers.get(trigger)
    if known is None:
        return ()
    definition = known.definition
    wanted = (each for each in TYPES[definition.trigger_type].thresholds if each.name in definition.thresholds)
    return definition.metrics or tuple(dict.fromkeys(each.metric for each in wanted))


def watched(picture: Picture, trigger: str, account: str | None) -> str:
    """The metrics that fired a trigger as they were last recorded: ``healthScore ▇▇▆▅▄▃▁ 81 to 25, 2m ago``."""
    said = []
    for metric in metrics_of(picture, trigger):
        of = [each for each in picture.samples if each.metric == metric and account in {None, each.account}]
        if of:
            values = [each.value for each in of[-CURVE_MAX:]]
            ends = f"{values[0]:g} to {values[-1]:g}" if len(values) > 1 else f"{values[0]:g}"
            said.append(f"{clean(metric, 40)} {curve(values)} {ends}, {ago(of[-1].at, picture.now)}")
    return "; ".join(said)


def curve(values: list[float]) -> str:
    """Values between their least and their most; one that does not move is a flat line."""
    least, most = min(values), max(values)
    if least == most:
        return "─" * len(values)
    return sparkline([1 + round((value - least) * (STEPS - 1) / (most - least)) for value in values])
