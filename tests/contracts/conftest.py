"""The three databases that every fact of this folder is true of, and a server before one of them."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from backends import open_backend
from backends.server.asked import Asked
from core.authority import Identity
from core.ports import Backend, Store
from tests.conftest import FULL
from tests.support.places import Place, place_of
from tests.support.postgres import postgres_server, postgres_url
from tests.support.serving import Served, serving

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database of each kind."""
    yield from place_of(request.param, request, tmp_path)


ANYWHERE = ("memory", "sqlite", "postgres", "http")
EVERYWHERE = (*ANYWHERE, "replicas")


@pytest.fixture(params=EVERYWHERE if FULL else ANYWHERE)
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The same, and a fleet that is reached through a server; at full length through two of them too."""
    yield from _place_anywhere(request, tmp_path)


@pytest.fixture(params=EVERYWHERE)
def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The same, for what two servers on one database could get wrong."""
    yield from _place_anywhere(request, tmp_path)


def _place_anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param not in SERVED:
        yield from place_of(request.param, request, tmp_path)
        return
    kind, servers = SERVED[request.param]
    for place in place_of(kind, request, tmp_path):
        place.runtime().close()
        with ExitStack() as opened:
            served = [opened.enter_context(serving(place.url, lambda _room: _everybody)) for _ in range(servers)]
            yield opened.enter_context(closing(ServedPlace(request.param, served)))


SERVED = {"http": ("sqlite", 1), "replicas": ("postgres", 2)}


def _everybody(_asked: Asked) -> Identity:
    return Identity("ana", "admin")


class ServedPlace(Place):
    """A fleet behind servers; each seat is a client of its own, at the next server."""

    def __init__(self, kind: str, served: Sequence[Served]) -> None:
        super().__init__(kind, served[0].url, _no_store)
        self._urls = itertools.cycle(one.url for one in served)

    def seat(self) -> Backend:
        """Another client."""
        return self._opened.enter_context(closing(open_backend(next(self._urls))))


def _no_store() -> Store:
    raise AssertionError("what is behind a server is reached by its routes alone")
