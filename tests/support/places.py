"""The databases that fleets live in, for tests that must be true of each kind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path

import pytest

from backends.local.memory import Memory, MemoryStore
from backends.local.postgres import PostgresStore
from backends.local.sqlite import SqliteStore, make_file
from backends.runtime import Runtime, utc_now
from core.ports import Store

FLEET = "f-0123456789ab"


class Place:
    """One database; each store and runtime that is opened on it stands for a process of its own."""

    def __init__(self, kind: str, url: str, open_store: Callable[[], Store]) -> None:
        self.kind = kind
        self.url = url
        self._open_store = open_store
        self._opened = ExitStack()

    def store(self) -> Store:
        """Another store on this database."""
        return self._opened.enter_context(closing(self._open_store()))

    def runtime(self, clock: Callable[[], datetime] = utc_now) -> Runtime:
        """Another runtime on this database."""
        return self._opened.enter_context(closing(Runtime(self._open_store(), clock=clock)))

    def close(self) -> None:
        """Close all that was opened."""
        self._opened.close()


def place_of(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty database of one kind. For PostgreSQL the caller's folder must have the fixture `postgres_url`."""
    if kind == "memory":
        shared = Memory(FLEET)
        return Place(kind, "memory://", lambda: MemoryStore(shared))
    if kind == "sqlite":
        path = tmp_path / "fleet.db"
        make_file(path)

        def open_sqlite() -> Store:
            store = SqliteStore(path)
            store.prepare(new_fleet=FLEET)
            return store

        return Place(kind, f"sqlite:///{path}", open_sqlite)
    url: str = request.getfixturevalue("postgres_url")

    def open_postgres() -> Store:
        store = PostgresStore(url)
        store.prepare(new_fleet=FLEET)
        return store

    return Place(kind, url, open_postgres)
