"""Observations as they are read: again only what can have changed.

A console that is left open observes once a second, for days. Reading the rows of all workers and limits each time would
be most of what it costs, and of a fleet where nothing happens they are the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from backends import reservations
from core.ports import LimitUsage, Store, WorkerRow
from core.state import Limit, State


class _Seen(NamedTuple):
    version: object
    at: datetime
    limits: Mapping[str, Limit]
    workers: tuple[WorkerRow, ...]
    usage: tuple[LimitUsage, ...]


class Observing:
    """The rows of one store, remembered together with the version at which they were read. Thread-safe: what is
    remembered is replaced whole."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: _Seen | None = None

    def look(self, state: State, now: datetime) -> tuple[tuple[WorkerRow, ...], tuple[LimitUsage, ...]]:
        """The workers by their ids, and the usage of each limit of a state. Raises as the store does."""
        version = self._store.version()  # before the rows: what is committed meanwhile is read again next time
        seen = self._seen
        if seen is None or version is None or version != seen.version:
            workers = tuple(sorted(self._store.workers(), key=lambda row: row.worker_id))
            usage = reservations.usage_of(self._store, state, now)
        elif state.limits is seen.limits and now >= seen.at and not any(limit.used for limit in seen.usage):
            return seen.workers, seen.usage
        else:  # what is in use gets less by time alone
            workers, usage = seen.workers, reservations.usage_of(self._store, state, now)
        self._seen = _Seen(version, now, state.limits, workers, usage)
        return workers, usage
