"""The databases that fleets live in, for tests that must be true of each kind."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from backends.local.memory import Memory, MemoryStore
from backends.local.postgres import PostgresStore
from backends.local.sqlite import SqliteStore, make_file
from backends.runtime import Runtime, utc_now
from core.ports import Backend, Store
from tests.support.postgres import Server

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

    def seat(self) -> Backend:
        """Another way to the fleet, as a face has it; on a database that is a runtime of its own."""
        return self.runtime()

    def close(self) -> None:
        """Close all that was opened."""
        self._opened.close()


def place_of(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A database of one kind whose fleet has no event yet. The caller's folder must have `postgres_server`."""
    if kind == "memory":
        shared = Memory(FLEET)
        place = Place(kind, "memory://", lambda: MemoryStore(shared))
        yield from _closed_afterwards(place)
    elif kind == "sqlite":
        path = tmp_path / "fleet.db"
        make_file(path)
        path.write_bytes(_empty_fleet())
        place = Place(kind, f"sqlite:///{path}", lambda: _prepared(SqliteStore(path)))
        yield from _closed_afterwards(place)
    else:
        server: Server = request.getfixturevalue("postgres_server")
        with server.database(template=_empty_fleet_on(server)) as url:
            place = Place(kind, url, lambda: _prepared(PostgresStore(url)))
            yield from _closed_afterwards(place)


def _closed_afterwards(place: Place) -> Iterator[Place]:
    with closing(place):
        yield place


def _prepared(store: SqliteStore | PostgresStore) -> Store:
    store.prepare(new_fleet=FLEET)
    return store


@cache
def _empty_fleet() -> bytes:
    """A database file with a fleet in it that has no event yet: copying one is quicker than making one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.db"
        make_file(path)
        _prepared(SqliteStore(path)).close()
        return path.read_bytes()


@cache
def _empty_fleet_on(server: Server) -> str:
    """The same on a server: the name of a database that others are copied from."""
    name = f"template_{uuid.uuid4().hex[:12]}"  # each module that imports the fixture asks for one of its own
    server.create(name)
    _prepared(PostgresStore(server.url(name))).close()
    return name
