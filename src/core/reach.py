"""Which selectors meet: two of them overlap unless they name different values of one dimension.

The index of holds answers that by look-up: what it costs depends on the holds that are found and on how many *shapes*
(sets of dimensions) there are, never on how many holds of other sites there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from immutables import Map

from opsgate.selector import Selector

Pair = tuple[str, str]
Pairs = tuple[Pair, ...]
Shape = tuple[str, ...]
Ids = Map[str, None]

Reach = Map[Shape, Map[Pair | None, Ids]]
"""Shape → pair → the holds of that shape that name this pair; under None, all of that shape."""


_NONE: Final[Map[Pair | None, Ids]] = Map()
_NOBODY: Final[Ids] = Map()


def with_selector(reach: Reach, selector: Selector, hold_id: str) -> Reach:
    """The index with one more hold."""
    shape = selector.dimensions
    alike = reach.get(shape, _NONE)
    for key in (None, *selector.items):
        alike = alike.set(key, alike.get(key, _NOBODY).set(hold_id, None))
    return reach.set(shape, alike)


def without_selector(reach: Reach, selector: Selector, hold_id: str) -> Reach:
    """The index with one hold less."""
    shape = selector.dimensions
    alike = reach[shape]
    for key in (None, *selector.items):
        ids = alike[key].delete(hold_id)
        alike = alike.set(key, ids) if ids else alike.delete(key)
    return reach.set(shape, alike) if alike else reach.delete(shape)


def reached(reach: Reach, selectors: Iterable[Selector]) -> set[str]:
    """The ids of the holds that overlap any of these selectors."""
    wanted: dict[Shape, set[Pairs]] = {}
    for selector in selectors:
        wanted.setdefault(selector.dimensions, set()).add(selector.items)
    found: set[str] = set()
    for held, alike in reach.items():
        for shape, alternatives in wanted.items():
            if not set(shape) & set(held):
                found.update(alike[None])
                break
            for pairs in {tuple(pair for pair in items if pair[0] in held) for items in alternatives}:
                found.update(_naming_all(alike, pairs))
    return found


def _naming_all(alike: Map[Pair | None, Ids], pairs: Pairs) -> Iterator[str]:
    """The holds of one shape that name all of these pairs: those of the rarest pair that name the others too."""
    rarest, *others = sorted((alike.get(pair, Map()) for pair in pairs), key=len)
    return (hold_id for hold_id in rarest if all(hold_id in other for other in others))


def overlapping(scopes: Iterable[Selector]) -> Callable[[Selector], bool]:
    """Whether a selector overlaps any of ``scopes``. Ten thousand scopes of one shape are asked by one look-up."""
    by_shape: dict[Shape, list[Selector]] = {}
    for scope in scopes:
        by_shape.setdefault(scope.dimensions, []).append(scope)
    compiled: dict[tuple[Shape, Shape], set[Pairs]] = {}

    def overlaps(selector: Selector) -> bool:
        for shape, alike in by_shape.items():
            shared = tuple(pair for pair in selector.items if pair[0] in shape)
            common = tuple(dimension for dimension, _ in shared)
            if (shape, common) not in compiled:
                compiled[shape, common] = {tuple(pair for pair in s.items if pair[0] in common) for s in alike}
            if shared in compiled[shape, common]:
                return True
        return False

    return overlaps
