"""Lists as the operator wants them: which rows, in which order. Pure: rows in, rows out, each with the key it had.

A filter says what a row's cells must hold; a sort names a column. Without a sort a list stays in the order that its
view made, worst first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Listed, Row, Rows

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"(\d+)([smhdw])")
_SHARE = re.compile(r"(\d+)/(\d+)")
_NUMBER = re.compile(r"\d+(\.\d+)?")
NOTHING_SAID = frozenset({"", "-", "?"})


class Filter(NamedTuple):
    """Words that a row must hold, and words that it must not; all of them in lower case."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Filter:
        """``shop -eu``: the word *shop* and not *eu*. A lone ``-`` is the beginning of a word that is being typed."""
        words = text.casefold().split()
        return cls(
            tuple(word for word in words if not word.startswith("-")),
            tuple(word[1:] for word in words if word.startswith("-") and len(word) > 1),
        )

    @property
    def active(self) -> bool:
        """Whether it asks for anything."""
        return bool(self.wanted or self.unwanted)

    def passes(self, said: str) -> bool:
        """Whether text in lower case has every word that is wanted and none that is not."""
        return all(word in said for word in self.wanted) and not any(word in said for word in self.unwanted)

    def beside(self, said: str) -> Filter | None:
        """What is left to ask of the rest of a row of which `said` is a part; None when no rest can pass."""
        if any(word in said for word in self.unwanted):
            return None
        return self._replace(wanted=tuple(word for word in self.wanted if word not in said))


class Sort(NamedTuple):
    """The column, by its title, that a list is sorted by: words from A to Z, quantities the greatest first."""

    title: str = ""
    backwards: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.backwards else ''}{self.title}"


class Arrangement(NamedTuple):
    """How a list is looked at."""

    filter: Filter = Filter()
    sort: Sort = Sort()

    @property
    def active(self) -> bool:
        """Whether it differs from the list as it is."""
        return self.filter.active or bool(self.sort.title)


@runtime_checkable
class Arranging(Protocol):
    """Rows that are too many to be looked at one by one, and that know a shorter way."""

    def arranged(self, columns: Sequence[Column], how: Arrangement) -> Rows:
        """These rows as `how` says."""

    def alarmed(self, how: Arrangement) -> tuple[int, int]:
        """As the function `alarmed`."""


def arrange(rows: Rows, columns: Sequence[Column], how: Arrangement) -> Rows:
    """`rows` as `how` says. A column that is not there sorts nothing."""
    if not how.active:
        return rows
    if isinstance(rows, Arranging):
        return rows.arranged(columns, how)
    kept = [row for row in _each(rows) if not how.filter.active or how.filter.passes(said_by(row))]
    return Listed(ordered(kept, columns, how.sort))


def alarmed(rows: Rows, how: Arrangement) -> tuple[int, int]:
    """How many rows say that something is stopped or must be seen to, and how many of these `how` hides."""
    if isinstance(rows, Arranging):
        return rows.alarmed(how)
    bad = [row for row in _each(rows) if is_alarmed(row)]
    return len(bad), sum(not how.filter.passes(said_by(row)) for row in bad)


def is_alarmed(row: Row) -> bool:
    """Whether a row says that something is stopped, or that somebody must act."""
    return any(cell.style in {Style.STOPPED, Style.BAD} for cell in row.cells)


def said_by(row: Row) -> str:
    """What all cells of a row say, in lower case. No word of a filter reaches from one cell into the next."""
    return "\n".join(cell.text for cell in row.cells).casefold()


def ordered(rows: Iterable[Row], columns: Sequence[Column], sort: Sort) -> list[Row]:
    """`rows` by one column; those equal in it keep their order, and those that say nothing in it come last."""
    rows = list(rows)
    at = next((index for index, column in enumerate(columns) if column.title == sort.title), None)
    if at is None or not sort.title:
        return rows
    is_quantity = columns[at].right
    key = _quantity if is_quantity else _word
    said = [row for row in rows if row.cells[at].text.strip() not in NOTHING_SAID]
    silent = [row for row in rows if row.cells[at].text.strip() in NOTHING_SAID]
    said.sort(key=lambda row: key(row.cells[at]), reverse=is_quantity != sort.backwards)
    return said + silent


class Spliced:
    """Rows by key: a few, then many in alphabetical order, then a few again. Made when they are asked for.

    `middle` is sorted; with `backwards` it is shown from its end.
    """

    def __init__(
        self,
        before: Sequence[str],
        middle: Sequence[str],
        after: Sequence[str],
        make: Callable[[str], Row],
        *,
        backwards: bool = False,
    ) -> None:
        self._before = before
        self._middle = middle
        self._after = after
        self._make = make
        self._backwards = backwards
        self._edges = {key: index for index, key in enumerate(before)}
        start = len(before) + len(middle)
        self._edges |= {key: start + index for index, key in enumerate(after)}

    def __len__(self) -> int:
        return len(self._before) + len(self._middle) + len(self._after)

    def __getitem__(self, index: int, /) -> Row:
        return self._make(self.key(index))

    def key(self, index: int) -> str:
        """The key of one row."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        if index < len(self._before):
            return self._before[index]
        index -= len(self._before)
        if index < len(self._middle):
            return self._middle[-1 - index if self._backwards else index]
        return self._after[index - len(self._middle)]

    def find(self, key: str) -> int | None:
        """Where `key` stands."""
        if key in self._edges:
            return self._edges[key]
        at = bisect_left(self._middle, key)
        if at == len(self._middle) or self._middle[at] != key:
            return None
        return len(self._before) + (len(self._middle) - 1 - at if self._backwards else at)


def _each(rows: Rows) -> Iterable[Row]:
    return (rows[index] for index in range(len(rows)))


def _word(cell: Cell) -> tuple[float, str]:
    return 0.0, cell.text.casefold()


def _quantity(cell: Cell) -> tuple[float, str]:
    """Ages in seconds, shares of acknowledgements and uses as shares, numbers as they are; other words come first."""
    said = cell.text.strip()
    if said == "now":
        return 0.0, ""
    if found := _AGE.fullmatch(said):
        return float(int(found[1]) * UNITS_S[found[2]]), ""
    if found := _SHARE.match(said):
        return int(found[1]) / (int(found[2]) or 1), ""
    if found := _NUMBER.match(said):
        return float(found[0]), ""
    return float("inf"), said.casefold()
