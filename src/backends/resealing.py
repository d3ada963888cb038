"""Everything that is stored, sealed by the key that seals now: in batches, between which everybody else has a turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from backends.local.resealing import TABLES
from backends.local.store import SqlStore
from backends.runtime import Runtime
from core.errors import CommandRejected

BATCH: Final = 500
"""Rows that are looked at while nobody else can write."""


def reseal(runtime: Runtime, *, timeout_s: float = 5.0, told: Callable[[int], None] = lambda _rows: None) -> int:
    """Store anew what is not sealed by the present key; returns how many rows that were. May be ended and begun again
    at any time: what is done is done. ``told`` hears how many rows are done so far.

    Raises `CommandRejected` where there is no key or no database of our own, `NotOurDatabase` where a key is missing,
    and `BackendUnavailable`.
    """
    store = _sealing(runtime)
    done = 0
    for rows in _batches(store, timeout_s):
        done += rows
        told(done)
    return done


def ids_in_use(runtime: Runtime) -> set[str]:
    """The ids of the keys that something stored is sealed by; "" stands for what lies in the open."""
    return _sealing(runtime).key_ids()


def _sealing(runtime: Runtime) -> SqlStore:
    store = runtime.store
    if not isinstance(store, SqlStore) or not store.vault.keys.first:
        raise CommandRejected(
            "no-keys", "there is no key by which anything is sealed", "make one: opsconsole keys create"
        )
    return store


def _batches(store: SqlStore, timeout_s: float) -> Iterator[int]:
    for table, (_, first) in TABLES.items():
        after = first
        while after is not None:
            rows, after = store.reseal(table, after, BATCH, timeout_s=timeout_s)
            yield rows
    while rows := store.reseal_samples(BATCH, timeout_s=timeout_s):
        yield rows
