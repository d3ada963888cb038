"""The three databases that every fact of this folder is true of, and a server before one of them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backends import open_backend
from core.authority import Identity
from core.ports import Backend, Store
from tests.support.places import Place, place_of
from tests.support.postgres import postgres_server, postgres_url
from tests.support.serving import Served, serving

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database of each kind."""
    yield from place_of(request.param, request, tmp_path)


@pytest.fixture(params=["memory", "sqlite", "postgres", "http"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The same, and a fleet that is reached through a server."""
    if request.param != "http":
        yield from place_of(request.param, request, tmp_path)
        return
    for place in place_of("sqlite", request, tmp_path):
        place.runtime().close()
        with (
            serving(place.url, lambda _room: lambda _asked: Identity("ana", "admin")) as served,
            closing(ServedPlace(served)) as behind,
        ):
            yield behind


class ServedPlace(Place):
    """A fleet behind a server; each seat is a client of its own."""

    def __init__(self, served: Served) -> None:
        super().__init__("http", served.url, _no_store)

    def seat(self) -> Backend:
        """Another client."""
        return self._opened.enter_context(closing(open_backend(self.url)))


def _no_store() -> Store:
    raise AssertionError("what is behind a server is reached by its routes alone")
