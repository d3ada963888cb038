"""The three databases that every fact of this folder is true of, a server before one of them, two of them, and one at
the end of a bad line."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from backends import open_backend
from backends.server.asked import Asked
from core.authority import Identity
from core.errors import BackendUnavailable
from core.ports import Backend, Store
from tests.conftest import FULL
from tests.support.places import Place, place_of
from tests.support.postgres import postgres_server, postgres_url
from tests.support.proxy import Proxy
from tests.support.serving import serving
from tests.support.waiting import eventually

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database of each kind."""
    yield from place_of(request.param, request, tmp_path)


ANYWHERE = ("memory", "sqlite", "postgres", "http")
REPLICAS = (*ANYWHERE, "replicas")


@pytest.fixture(params=REPLICAS if FULL else ANYWHERE)
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The same, and a fleet that is reached through a server; at full length through two of them too."""
    yield from _place_anywhere(request, tmp_path)


@pytest.fixture(params=(*REPLICAS, "bad-line"))
def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The same, for what two servers on one database could get wrong, or a line that breaks all the time."""
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
            if request.param == "bad-line":
                yield opened.enter_context(closing(BehindABadLine(opened.enter_context(_bad_line(served[0].url)))))
            else:
                yield opened.enter_context(closing(ServedPlace(request.param, [one.url for one in served])))


SERVED = {"http": ("sqlite", 1), "replicas": ("postgres", 2), "bad-line": ("sqlite", 1)}


def _everybody(_asked: Asked) -> Identity:
    return Identity("ana", "admin")


class ServedPlace(Place):
    """A fleet behind servers; each seat is a client of its own, at the next server."""

    def __init__(self, kind: str, urls: Sequence[str]) -> None:
        super().__init__(kind, urls[0], _no_store)
        self._urls = itertools.cycle(urls)

    def seat(self) -> Backend:
        """Another client."""
        return self._opened.enter_context(closing(open_backend(next(self._urls))))


def _no_store() -> Store:
    raise AssertionError("what is behind a server is reached by its routes alone")


class BehindABadLine(ServedPlace):
    """Whoever sits here asks again, in the same words, what was not answered."""

    def __init__(self, line: Proxy) -> None:
        super().__init__("bad-line", [line.url])

    def seat(self) -> Backend:
        """Another client."""
        return cast("Backend", Patient(_again(super().seat)))


class Patient:
    """A backend of which everything is asked until it answers."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._backend, name)
        return _patiently(found) if name in ("submit", "state", "journal") else found


def _patiently(ask: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *what, **options: _again(lambda: ask(*what, **options))


def _again(ask: Callable[[], Any]) -> Any:
    answers: list[Any] = []

    def is_answered() -> bool:
        try:
            answers.append(ask())
        except BackendUnavailable:
            return False
        return True

    eventually(is_answered, within_s=120.0)
    return answers[0]


WEATHER: tuple[Callable[[Proxy], None], ...] = (
    lambda line: line.slice(7),
    Proxy.cut,
    lambda line: line.slow(0.01),
    lambda line: line.tear(700),
    Proxy.stall,
    Proxy.cut,
    lambda line: line.hold_back(5_000),
    Proxy.refuse,
)


@contextmanager
def _bad_line(url: str) -> Iterator[Proxy]:
    """The way to a server, over which one fault follows the other. The fair moments between them grow, so that however
    slow this machine is something comes through in the end."""
    over = threading.Event()

    def change(line: Proxy) -> None:
        fair_s = 0.05
        while not over.is_set():
            for fault in WEATHER:
                fault(line)
                over.wait(0.05)
                line.heal()
                over.wait(fair_s)
            fair_s *= 2

    with Proxy.before(url) as line:
        weather = threading.Thread(target=change, args=(line,))
        weather.start()
        try:
            yield line
        finally:
            over.set()
            weather.join()
