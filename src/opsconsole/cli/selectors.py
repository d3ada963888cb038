"""SELECTOR as people type it: ``--all``, or options that together mean *and*; a repeated one means *or*."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from opsgate.names import DIMENSIONS, FLAG_OF_OPERATION, REGISTERED
from opsgate.selector import EVERYTHING, Selector, SelectorError

Names = Callable[[str], Iterable[str]]
"""The registered names of a dimension, asked for only when a pattern needs them."""

_PATTERN: Final = frozenset("*?[")
MOST: Final = 10_000
"""Selectors that one command may stand for."""


class NoSelector(SelectorError):
    """Nothing says which work is meant."""


class NothingMatches(SelectorError):
    """A pattern that no registered name matches: a refusal, not a typing error."""


def selectors_of(
    everything: bool, dimensions: Mapping[str, Sequence[str]], names: Names | None = None
) -> tuple[Selector, ...]:
    """The selectors that these options stand for, in the order typed.

    A pattern such as ``'a*'`` is expanded now, by ``names``; without ``names`` it is refused. Raises `SelectorError`
    with a sentence for the person who typed it.
    """
    given = {dimension: dimensions[dimension] for dimension in DIMENSIONS if dimensions.get(dimension)}
    if everything and given:
        raise SelectorError(f"--all covers everything: leave out --{' and --'.join(given)}, or leave out --all")
    if everything:
        return (EVERYTHING,)
    if not given:
        raise NoSelector("say which work is meant: --all, or some of " + " ".join(f"--{name}" for name in DIMENSIONS))
    values = [_expanded(dimension, typed, names) for dimension, typed in given.items()]
    count = 1
    for each in values:
        count *= len(each)
    if count > MOST:
        raise SelectorError(f"these options stand for {count} selectors, {MOST} at most: hold something wider instead")
    return tuple(
        dict.fromkeys(
            Selector.from_mapping(dict(zip(given, combination, strict=True)))
            for combination in itertools.product(*values)
        )
    )


def single(selectors: Sequence[Selector], what: str) -> Selector:
    """The one selector of a command that takes one; `SelectorError` when there are more."""
    if len(selectors) > 1:
        raise SelectorError(f"{what} takes one of each option: repeat the command for each")
    return selectors[0]


def _expanded(dimension: str, typed: Sequence[str], names: Names | None) -> list[str]:
    expanded: list[str] = []
    for value in typed:
        if not _PATTERN & set(value):
            expanded.append(value)
            continue
        if dimension not in REGISTERED:
            raise SelectorError(f"--{dimension} takes no pattern: its names are not registered, so write them out")
        if names is None:
            raise SelectorError(f"--{dimension} {value!a} is a pattern: write the names out")
        found = sorted(name for name in names(dimension) if _matches(dimension, name, value))
        if not found:
            raise NothingMatches(f"no {dimension} matches {ascii(value)[:60]}: see the list, or write the name out")
        expanded += found
    return expanded


def _matches(dimension: str, name: str, pattern: str) -> bool:
    """Whether a registered name matches; an operation by either of its spellings."""
    spellings = (name, FLAG_OF_OPERATION.get(name, name)) if dimension == "operation" else (name,)
    return any(fnmatch.fnmatchcase(spelling, pattern) for spelling in spellings)
