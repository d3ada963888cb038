"""The registered names for a stop: read by the standard library, and never waited for longer than a moment."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterable, Mapping
from typing import Final

from core.errors import BackendUnavailable, UnknownName
from opsgate.names import REGISTERED
from opsgate.paths import sqlite_path
from opsgate.selector import Selector
from opsgate.sources import SourceError, SqliteSource

_CHECK_WITHIN_S: Final = 0.2
"""Seconds that a stop waits for the list; then it goes out with its names unchecked."""

_EXPAND_WITHIN_S: Final = 5.0
"""Seconds that a pattern waits for it, for without the list there is nothing to stop."""


class KnownNames:
    """The names in one database file, read on a thread of its own when they are first asked for."""

    def __init__(self, url: str) -> None:
        self._source = SqliteSource(sqlite_path(url))
        self._known: Mapping[str, frozenset[str]] | None = None
        self._reading = threading.Thread(target=self._read, daemon=True)

    def of(self, dimension: str) -> Iterable[str]:
        """The names of a dimension, for a pattern to match. Raises `BackendUnavailable` where they cannot be read."""
        known = self._within(_EXPAND_WITHIN_S)
        if known is None:
            raise BackendUnavailable(
                "names-not-read",
                "nothing was stopped, the names that a pattern stands for could not be read",
                "write the names out; --all needs none",
            )
        return known.get(dimension, ())

    def require(self, selector: Selector) -> None:
        """`UnknownName` with near names where the list could be read at once and lacks a name of ``selector``."""
        registered = [(dimension, name) for dimension, name in selector.items if dimension in REGISTERED]
        known = self._within(_CHECK_WITHIN_S) if registered else None
        for dimension, name in registered:
            if known is not None and name not in known.get(dimension, ()):
                near = difflib.get_close_matches(name, known.get(dimension, ()), n=3)
                meant = f"did you mean {' or '.join(near)}? " if near else ""
                raise UnknownName(
                    "unknown-name",
                    f"nothing was stopped, no {dimension} is called {name}",
                    f"{meant}say --create to stop it all the same, or --all to stop everything",
                )

    def _within(self, seconds: float) -> Mapping[str, frozenset[str]] | None:
        if not self._reading.ident:
            self._reading.start()
        self._reading.join(seconds)
        return self._known

    def _read(self) -> None:
        try:
            self._known = self._source.read().names
        except SourceError:
            pass  # no list to check against: a stop goes out all the same
        finally:
            self._source.close()
