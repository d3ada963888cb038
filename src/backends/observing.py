"""Observations as they are read: again only what can have changed.

A console that is left open observes once a second, for days. Reading the rows of all workers and limits each time would
be most of what it costs, and of a fleet where nothing happens they are the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from backends import reservations
from core.ports import LimitUsage, Observations, Store, Watched, WorkerRow
from core.state import Limit, State
from core.watched import curves
from opsgate.paths import keeper_socket
from opsgate.wire import ask

KEEPER: Final = "keeper"
"""The name of the lease of the loops."""

_PING_S: Final = 0.05
"""Seconds that a keeper on this host has to answer before its lease is asked instead."""

SHOWN_MAX: Final = 60
"""Values of one metric that are shown, which is a curve as wide as a screen has room for."""

SHOWN_S: Final = 3600.0
"""How far back they reach."""

_READ_MAX: Final = 600
"""Samples that are read for them where only those of one account are shown."""


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

    def look(self, state: State, now: datetime, *, is_keeper: bool) -> Observations:
        """The workers by their ids, the usage of each limit of a state, what its emergencies watch, and whether a
        keeper is alive, as it is where this process is one. Raises as the store does."""
        workers, usage = self._rows(state, now)
        alive = is_keeper or _keeper_is_alive(self._store, state.fleet, now)
        return Observations(now, workers, usage, keeper=alive, watched=_watched(self._store, state, now))

    def _rows(self, state: State, now: datetime) -> tuple[tuple[WorkerRow, ...], tuple[LimitUsage, ...]]:
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


def _watched(store: Store, state: State, now: datetime) -> tuple[Watched, ...]:
    """The latest values of what the active emergencies are about; what has none is left out. Raises as the store
    does."""
    found = []
    for emergency_id, metric, account in curves(state):
        most = SHOWN_MAX if account is None else _READ_MAX
        samples = store.samples(metric, now.timestamp() - SHOWN_S, most)
        own = [sample for sample in samples if account in {None, sample.account}][-SHOWN_MAX:]
        if own:
            at = datetime.fromtimestamp(own[-1].at_s, UTC)
            found.append(Watched(emergency_id, metric, tuple(sample.value for sample in own), at))
    return tuple(found)


def _keeper_is_alive(store: Store, fleet: str, now: datetime) -> bool:
    """Whether one answers on this host, or holds the lease of the loops elsewhere."""
    answer = ask(str(keeper_socket(fleet)), "ping", timeout_s=_PING_S)
    if answer is not None and answer["t"] == "pong":
        return True
    lease = store.lease(KEEPER)
    return lease is not None and lease.expires_at > now
