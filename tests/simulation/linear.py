"""Whether what several clients saw can have happened in one order: each operation at one moment between its beginning
and its end, each answer as a plain model gives it. Wing and Gong's search, with Lowe's memory of what was tried."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple, TypeVar

S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client asked and was answered, by one clock. One without an answer may have been carried out at any time
    since, or never: it has no end."""

    began_s: float
    what: str
    answer: bool | None = None
    ended_s: float = inf


Model = Callable[[S, str], tuple[S, bool]]
"""The state and an operation → the next state and the answer."""


def is_linear(history: Sequence[Operation], model: Model[S], state: S) -> bool:
    """Whether some order explains all answers."""
    answered = sum(1 << number for number, one in enumerate(history) if one.answer is not None)
    tried: set[tuple[int, S]] = set()
    waiting = [(0, state)]
    while waiting:
        done, now = waiting.pop()
        if done & answered == answered:
            return True
        if (done, now) in tried:
            continue
        tried.add((done, now))
        left = [(number, one) for number, one in enumerate(history) if not done >> number & 1]
        first_end_s = min(one.ended_s for _, one in left)
        for number, one in left:
            then, answer = model(now, one.what)
            if one.began_s <= first_end_s and one.answer in (None, answer):
                waiting.append((done | 1 << number, then))
    return False


class Held(NamedTuple):
    """Why one selector is held."""

    by_somebody: bool = False
    by_a_stop: bool = False


def one_selector(held: Held, what: str) -> tuple[Held, bool]:
    """Who places or releases is told whether that changed anything, who looks whether it is held. A stop is always
    taken, and no release ends it."""
    if what == "look":
        return held, any(held)
    if what == "stop":
        return held._replace(by_a_stop=True), True
    wanted = what == "place"
    return held._replace(by_somebody=wanted), wanted != held.by_somebody
