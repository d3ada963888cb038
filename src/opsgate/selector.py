"""A selector says which work a hold covers: dimension → exact value, all of which must match."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from opsgate.names import DIMENSIONS, operation_named

IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")
"""What a value may look like. Anything else is rejected, never stripped."""

_RANK: Final = {dimension: rank for rank, dimension in enumerate(DIMENSIONS)}


class SelectorError(ValueError):
    """A selector that names no dimension of ours or a value that is no identifier: the caller's fault."""


def checked_identifier(value: object, what: str = "name") -> str:
    """``value`` itself when it is an identifier.

    Raises `SelectorError` with a sentence for the person who typed it; the value is shown escaped and cut.
    """
    if isinstance(value, str) and IDENTIFIER.fullmatch(value):
        return value
    shown = ascii(value)[:60]
    raise SelectorError(
        f"{shown} is not a valid {what}: use 1 to 128 of the characters A-Z a-z 0-9 . _ ~ - and start with a letter "
        "or a digit"
    )


@dataclass(frozen=True, slots=True)
class Selector:
    """An immutable set of ``(dimension, value)`` pairs in printing order; empty covers everything.

    >>> str(Selector.of(operation="content_generation", site="s1"))
    'site=s1,operation=content_generation'
    """

    items: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, **dimensions: str) -> Selector:
        """The selector of these dimensions; `SelectorError` when one of them is malformed."""
        return cls.from_mapping(dimensions)

    @classmethod
    def recorded(cls, dimension: str, name: str) -> Selector:
        """The selector of a name that stands in the journal, whatever it looks like.

        What a name may look like is settled where one is given. A file that somebody else has written, or a later
        version, may hold others, and a screen must be able to show them.
        """
        return cls(((dimension, name),))

    @classmethod
    def from_mapping(cls, dimensions: Mapping[str, str]) -> Selector:
        """The selector of a JSON object such as ``{"site": "s1"}``; flags are read as the operations they switch.

        Raises `SelectorError` for an unknown dimension, a malformed value or anything that is no object.
        """
        if not isinstance(dimensions, Mapping):
            raise SelectorError(f"{ascii(dimensions)[:60]} is not a selector: write an object such as {{'site': 's1'}}")
        pairs: list[tuple[str, str]] = []
        for dimension, value in dimensions.items():
            if dimension not in _RANK:
                raise SelectorError(f"{ascii(dimension)[:60]} is not a dimension: use one of {', '.join(DIMENSIONS)}")
            name = checked_identifier(value, dimension)
            pairs.append((dimension, operation_named(name) if dimension == "operation" else name))
        return cls(tuple(sorted(pairs, key=lambda pair: _RANK[pair[0]])))

    @classmethod
    def parse(cls, text: str) -> Selector:
        """The selector printed as ``all`` or ``site=s1,operation=ab_testing``; the inverse of ``str``."""
        if text == "all":
            return EVERYTHING
        pairs = [part.partition("=") for part in text.split(",")]
        dimensions = {dimension: value for dimension, equals, value in pairs if equals}
        if len(dimensions) != len(pairs):
            raise SelectorError(
                f"{ascii(text)[:80]} is not a selector: write 'all' or dimension=value[,dimension=value]"
            )
        return cls.from_mapping(dimensions)

    def as_dict(self) -> dict[str, str]:
        """The selector as a JSON object, dimensions in printing order."""
        return dict(self.items)

    def get(self, dimension: str) -> str | None:
        """The value of one dimension, or None where the selector does not restrict it."""
        for name, value in self.items:
            if name == dimension:
                return value
        return None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions this selector restricts, in printing order."""
        return tuple([dimension for dimension, _ in self.items])

    def covers(self, work: Mapping[str, str | None]) -> bool:
        """Whether every pair of this selector is in ``work``."""
        return all(work.get(dimension) == value for dimension, value in self.items)

    def contains(self, other: Selector) -> bool:
        """Whether all the work that ``other`` selects is selected by this one too."""
        return set(self.items) <= set(other.items)

    def overlaps(self, other: Selector) -> bool:
        """Whether some work could match both: no dimension on which the two disagree."""
        mine = dict(self.items)
        return all(mine.get(dimension, value) == value for dimension, value in other.items)

    def __str__(self) -> str:
        return ",".join(f"{dimension}={value}" for dimension, value in self.items) or "all"


EVERYTHING: Final = Selector()
"""The selector ``{}``: a hold with it is the global pause."""


def scope_text(selectors: Iterable[Selector]) -> str:
    """Several selectors as one scope for a person: ``site=s1 or site=s2``."""
    return " or ".join(str(selector) for selector in selectors)
