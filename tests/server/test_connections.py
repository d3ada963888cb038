"""How many connections a listener has, and which one goes when another one comes."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import quantiles
from time import monotonic

import pytest

from backends.server.crowd import STOPS_MAX, STOPS_PER_CLIENT, Crowd
from tests.conftest import FULL
from tests.simulation.harness import tell
from tests.support.serving import Served, server_process, serving
from tests.support.waiting import eventually

IDLE = 5_000 if FULL else 500
"""Connections that say nothing, on either port."""

STOPS = 200 if FULL else 20

pytestmark = pytest.mark.timeout(180)


class Fake:
    """A connection as a crowd sees it."""

    def __init__(self, owner: str = "a", *, idle: bool = True, admitted: bool = False) -> None:
        self.owner = owner
        self.is_idle = idle
        self.is_admitted = admitted
        self.is_cut = False

    def cut(self) -> None:
        """End it."""
        self.is_cut = True


def members(crowd: Crowd, *fakes: Fake) -> list[bool]:
    """Let them join one after another."""
    return [crowd.join(fake) for fake in fakes]


@pytest.mark.parametrize("refuses", [True, False])
def test_the_one_that_has_been_idle_for_longest_makes_room(refuses: bool) -> None:
    crowd, busy, first, second, new = Crowd(3, 9, refuses=refuses), Fake(idle=False), Fake(), Fake(), Fake()

    assert members(crowd, busy, first, second, new) == [True] * 4
    assert [each.is_cut for each in (busy, first, second, new)] == [False, True, False, False]
    assert len(crowd) == 3


@pytest.mark.parametrize("refuses", [True, False])
def test_who_has_asked_something_since_has_not_been_idle_for_as_long(refuses: bool) -> None:
    crowd, worker, silent, new = Crowd(2, 9, refuses=refuses), Fake("worker"), Fake("attacker"), Fake("attacker")
    members(crowd, worker, silent)

    crowd.rests(worker)
    crowd.join(new)

    assert [each.is_cut for each in (worker, silent, new)] == [False, True, False]


def test_who_has_left_does_not_come_back_by_resting() -> None:
    crowd, gone = Crowd(2, 9, refuses=True), Fake()
    members(crowd, gone)
    crowd.leave(gone)

    crowd.rests(gone)

    assert len(crowd) == 0


def test_whoever_has_many_loses_his_own() -> None:
    crowd, other = Crowd(9, 2, refuses=True), Fake("b")
    greedy = [Fake("a") for _ in range(4)]

    assert members(crowd, other, *greedy) == [True] * 5
    assert [each.is_cut for each in greedy] == [True, True, False, False]
    assert not other.is_cut


def test_where_nobody_is_idle_the_main_listener_turns_the_new_one_away() -> None:
    crowd = Crowd(2, 9, refuses=True)

    assert members(crowd, Fake(idle=False), Fake(idle=False), Fake()) == [True, True, False]
    assert len(crowd) == 2


def test_the_stop_port_turns_nobody_away_and_cuts_no_order_that_is_under_way() -> None:
    crowd = Crowd(2, 9, refuses=False)
    ordering, dawdling = Fake(idle=False, admitted=True), Fake(idle=False)

    assert members(crowd, ordering, dawdling, Fake(idle=False, admitted=True), Fake()) == [True] * 4
    assert [ordering.is_cut, dawdling.is_cut] == [False, True]
    assert len(crowd) == 3


def test_who_leaves_makes_room_once() -> None:
    crowd, first = Crowd(1, 1, refuses=True), Fake(idle=False)
    crowd.join(first)
    crowd.leave(first)
    crowd.leave(first)

    assert members(crowd, Fake(idle=False), Fake()) == [True, False]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server as a process, with as many descriptors as this host gives."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    home = tmp_path_factory.mktemp("home")
    (home / "run").mkdir(mode=0o700)
    with server_process(f"sqlite:///{home / 'fleet.db'}", "--dev", home=home) as one:
        yield one
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


@pytest.mark.parametrize("port", ["main", "stop"])
def test_a_stop_is_answered_beside_thousands_of_connections_that_say_nothing(served: Served, port: str) -> None:
    url = served.url if port == "main" else served.stop_url
    host, _, number = url.removeprefix("http://").partition(":")
    with ExitStack() as opened:
        idle = [opened.enter_context(socket.create_connection((host, int(number)))) for _ in range(IDLE)]
        for each in idle[::2]:
            _say(each, b"POST /v1/stop HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        took_s = []
        for _ in range(STOPS):
            began_s = monotonic()
            answer = served.stop(selector={"account": "a1"})
            took_s.append(monotonic() - began_s)
            assert answer.status_code in (200, 202)
    worst = quantiles(took_s, n=100)[98]
    tell(f"{IDLE} idle connections at the {port} port: stops took {worst * 1000:.0f} ms at the 99th percentile")


def test_a_connection_that_is_used_again_and_again_outlives_those_that_say_nothing(served: Served) -> None:
    """It came first, and has answered since: whoever came after it and is silent goes before it."""
    host, _, number = served.stop_url.removeprefix("http://").partition(":")
    with ExitStack() as opened, socket.create_connection((host, int(number)), timeout=60) as used:
        silent = []
        for _ in range(STOPS_PER_CLIENT * 2):
            used.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b"ok\n"):
                part = used.recv(4096)
                assert part, "it was cut"
                answer += part
            silent.append(opened.enter_context(socket.create_connection((host, int(number)))))

        eventually(lambda: _is_closed(silent[0]))


def test_the_stop_port_keeps_a_few_of_one_client_and_answers_the_next_one(served: Served) -> None:
    host, _, number = served.stop_url.removeprefix("http://").partition(":")
    with ExitStack() as opened:
        idle = [opened.enter_context(socket.create_connection((host, int(number)))) for _ in range(STOPS_MAX)]
        assert served.stop(selector={"account": "a2"}).status_code in (200, 202)

        eventually(lambda: sum(map(_is_open, idle)) < STOPS_PER_CLIENT)
        assert [_is_open(each) for each in (idle[0], idle[-1])] == [False, True]


@pytest.mark.parametrize("before", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_headers_that_do_not_come_to_an_end_are_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    """Of a first request, and of one after it on the same connection."""
    monkeypatch.setattr("backends.server.connections._FIRST_WORD_S", 0.2)
    with serving(f"sqlite:///{tmp_path}/fleet.db", heartbeat_s=0.1) as quick:
        for url in (quick.url, quick.stop_url):
            host, _, number = url.removeprefix("http://").partition(":")
            with socket.create_connection((host, int(number)), timeout=60) as slow:
                if before:
                    slow.sendall(before)
                    assert slow.recv(4096).startswith(b"HTTP/1.1 200")
                slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
                eventually(partial(_is_closed, slow))


def _say(connection: socket.socket, text: bytes) -> None:
    try:
        connection.sendall(text)
    except OSError:
        pass  # it was cut to make room


def _is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def _is_closed(connection: socket.socket) -> bool:
    return not _is_open(connection)
