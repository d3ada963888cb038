"""How a statement reaches a database: by SQLAlchemy's connection, or straight to SQLite's own driver.

A command takes half a dozen statements of which each is done in microseconds; what a layer above the driver does for
every one of them would be most of a commit. So a statement is compiled once, and from then on only its values travel.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import Connection, Delete, Insert, Select, Update
from sqlalchemy.dialects import sqlite

Statement = Select[Any] | Insert | Update | Delete
Values = Mapping[str, Any]

_NONE: Final[Values] = {}

_ROWS_AT_ONCE: Final = 16
"""Rows of one insertion at most, so that there are few texts: the driver keeps each compiled."""


class Line(Protocol):
    """A connection in a transaction, or in none for whoever only reads."""

    def ask(self, statement: Select[Any], values: Values = _NONE) -> Sequence[Sequence[Any]]:
        """All rows that a question finds, their columns in its order."""

    def tell(self, statement: Statement, values: Values) -> int:
        """Change something; returns how many rows."""

    def tell_all(self, statement: Statement, values: Sequence[Values]) -> None:
        """Change something with each of these values, which all have the same names."""


class Spoken:
    """By SQLAlchemy's connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, statement: Select[Any], values: Values = _NONE) -> Sequence[Sequence[Any]]:
        """All rows that a question finds."""
        return self._connection.execute(statement, values).all()

    def tell(self, statement: Statement, values: Values) -> int:
        """Change something; returns how many rows."""
        return self._connection.execute(statement, values).rowcount

    def tell_all(self, statement: Statement, values: Sequence[Values]) -> None:
        """Change something with each of these values."""
        self._connection.execute(statement, values)


class Direct:
    """Straight to SQLite's driver. The statements must be those that are built once: each is kept compiled."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver

    def ask(self, statement: Select[Any], values: Values = _NONE) -> Sequence[Sequence[Any]]:
        """All rows that a question finds."""
        said = _said(statement, ())
        return self._driver.execute(said.text, said.ordered(values)).fetchall()

    def tell(self, statement: Statement, values: Values) -> int:
        """Change something; returns how many rows."""
        said = _said(statement, tuple(values))
        return self._driver.execute(said.text, said.ordered(values)).rowcount

    def tell_all(self, statement: Statement, values: Sequence[Values]) -> None:
        """Change something with each of these values. Many rows go in with few statements: after each one other
        threads take their turn, and to get it back takes longer than the row."""
        said = _said(statement, tuple(values[0]))
        if not isinstance(statement, Insert):
            self._driver.executemany(said.text, [said.ordered(each) for each in values])
            return
        for at in range(0, len(values), _ROWS_AT_ONCE):
            pieces = [said.ordered(each) for each in values[at : at + _ROWS_AT_ONCE]]
            self._driver.execute(_for_rows(said.text, len(pieces)), list(chain.from_iterable(pieces)))


class _Said(NamedTuple):
    """A statement as text, the names of its values in their order, and those that it brings with it."""

    text: str
    names: Sequence[str]
    own: Values

    def ordered(self, values: Values) -> list[Any]:
        if self.own:
            values = {**self.own, **values}
        return [values[name] for name in self.names]


@lru_cache(maxsize=256)
def _for_rows(text: str, rows: int) -> str:
    """An insertion of one row as one of so many."""
    row = text[text.index(" VALUES ") + len(" VALUES ") :]
    return text + f", {row}" * (rows - 1)


@lru_cache(maxsize=256)
def _said(statement: Statement, named: tuple[str, ...]) -> _Said:
    """``named`` are the columns that an insertion fills."""
    keys = list(named) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=sqlite.dialect(), column_keys=keys)
    own = {name: value for name, value in compiled.params.items() if value is not None}
    return _Said(compiled.string, tuple(compiled.positiontup or ()), own)
