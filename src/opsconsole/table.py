"""Tables as values: columns, rows that may be made only when they are looked at, and what is said beside them.

A view makes one of a picture; `opsconsole.drawing` makes lines of the part that is visible. Neither knows a widget, so
a pane can be read, compared and tested as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from opsconsole.lines import Piece


class Cell(Piece):
    """What stands in one column of one row."""

    __slots__ = ()


class Row(NamedTuple):
    """One row: the key of the thing it shows, which the cursor holds on to, and a cell for each column."""

    key: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column `least` cells wide, at most `most`. Where room is short, the highest `rank` goes first."""

    title: str
    least: int
    most: int
    rank: int = 0
    right: bool = False


class Rows(Protocol):
    """Rows in their order. They may be made when asked for: of a hundred thousand, fifty are visible."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Row: ...

    def key(self, index: int, /) -> str:
        """The key of one row, without making the row."""

    def find(self, key: str) -> int | None:
        """Where the row of `key` stands now; None if it is gone."""


class Listed:
    """Rows that are all made."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows = tuple(rows)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {row.key: index for index, row in reversed(tuple(enumerate(self._rows)))}

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int, /) -> Row:
        return self._rows[index]

    def key(self, index: int, /) -> str:
        """The key of one row."""
        return self._rows[index].key

    def find(self, key: str) -> int | None:
        """Where the row of `key` stands; None if there is none."""
        return self._places.get(key)


class Made:
    """Rows by their keys, each made by `make` when it is looked at."""

    def __init__(self, keys: Sequence[str], make: Callable[[str], Row]) -> None:
        self._keys = keys
        self._make = make

    @cached_property
    def _places(self) -> dict[str, int]:
        return {key: index for index, key in enumerate(self._keys)}

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int, /) -> Row:
        return self._make(self._keys[index])

    def key(self, index: int, /) -> str:
        """The key of one row."""
        return self._keys[index]

    def find(self, key: str) -> int | None:
        """Where the row of `key` stands; None if there is none."""
        return self._places.get(key)


@dataclass(frozen=True, slots=True)
class Table:
    """What a pane shows. `alarm` is its counter (``!3``, ``*1``, empty); `empty` is said in place of no rows."""

    columns: tuple[Column, ...]
    rows: Rows
    alarm: str = ""
    note: str = ""
    empty: str = "nothing to show"
    things: object = None
    """What the rows are rows of: the same object for as long as nothing came and nothing went. None: not known."""
