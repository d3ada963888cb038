"""A rehearsal: recorded samples again, and when a trigger would have fired. Pure.

Every stop that it would have made is taken to end at once, so its cooldown is counted from the moment it fired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

from core.triggers.definition import Definition
from core.triggers.sample import Sample
from core.triggers.watch import Edge, Watch

_STEP_S: Final = 1.0
_STEPS_MAX: Final = 600
"""Sweeps between two samples at most; in a longer gap they lie further apart."""


class Occasion(NamedTuple):
    """Something that would have happened, at ``at_s`` seconds since the epoch."""

    at_s: float
    what: Literal["fired", "suppressed", "cleared"]
    value: str
    samples: int


def rehearse(definition: Definition, samples: Iterable[Sample], until_s: float | None = None) -> Iterator[Occasion]:
    """What a trigger would have done with these samples, which are in the order of their times, and until ``until_s``
    where nothing came any more."""
    watch, cooldown_s = Watch(), definition.cooldown_period_ms / 1000
    now_s: float | None = None
    quiet_until_s = float("-inf")
    crossing = False
    active = definition.model_copy(update={"is_active": True})
    for sample in samples:
        if now_s is None:
            watch.put(active, sample.at_s)
        edges = [(at_s, edge) for at_s in _between(now_s, sample.at_s) for edge in watch.sweep(at_s)]
        now_s = sample.at_s if now_s is None else max(now_s, sample.at_s)
        edges += [(now_s, edge) for edge in watch.take(sample, sample.at_s, now_s)]
        for at_s, edge in edges:
            if not edge.crossed and not crossing:
                continue  # it had fallen silent, and that was said
            crossing = edge.crossed
            occasion = _occasion(at_s, edge, at_s < quiet_until_s)
            if occasion.what == "fired":
                quiet_until_s = at_s + cooldown_s
            yield occasion
    if now_s is not None and until_s is not None:
        for at_s in _between(now_s, until_s):
            yield from (_occasion(at_s, edge, at_s < quiet_until_s) for edge in watch.sweep(at_s))


def _between(before_s: float | None, at_s: float) -> Iterator[float]:
    if before_s is None or at_s <= before_s:
        return
    steps = min(_STEPS_MAX, int((at_s - before_s) / _STEP_S))
    for number in range(1, steps + 1):
        yield before_s + (at_s - before_s) * number / (steps + 1)


def _occasion(at_s: float, edge: Edge, in_cooldown: bool) -> Occasion:
    what: Literal["fired", "suppressed", "cleared"] = "fired" if edge.crossed else "cleared"
    return Occasion(at_s, "suppressed" if edge.crossed and in_cooldown else what, edge.value, edge.samples)
