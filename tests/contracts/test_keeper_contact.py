"""How a runtime and the keeper of its host find each other: a hint after each commit, a ping when somebody looks."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from core.capabilities.holds import PlaceHold
from opsgate.paths import keeper_socket
from opsgate.selector import EVERYTHING
from opsgate.wire import decode, encode
from tests.support.fleets import START, say
from tests.support.places import FLEET, Place

PAUSE = PlaceHold(selectors=(EVERYTHING,))


@pytest.fixture
def channel() -> Iterator[socket.socket]:
    """The keeper's socket, with a keeper that only listens."""
    path = keeper_socket(FLEET)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as channel:
        channel.bind(str(path))
        channel.settimeout(60)
        yield channel


def heard(channel: socket.socket) -> str:
    """The kind of the next datagram."""
    message = decode(channel.recv(1000))
    assert message is not None
    return str(message["t"])


def test_a_commit_is_hinted_to_the_keeper(place: Place, channel: socket.socket) -> None:
    ours = place.runtime()
    assert heard(channel) == "hint", "the fleet was begun"

    ours.submit(say(PAUSE))

    assert heard(channel) == "hint"


def test_the_keeper_does_not_hint_to_itself(place: Place, channel: socket.socket) -> None:
    ours = place.runtime()
    heard(channel)
    ours.keeper_since = START

    ours.submit(say(PAUSE))

    channel.setblocking(False)
    with pytest.raises(BlockingIOError):
        channel.recv(1000)
    assert ours.observe().keeper


def test_a_keeper_whose_socket_is_full_holds_nobody_up(place: Place, channel: socket.socket) -> None:
    ours = place.runtime()
    with _full(str(keeper_socket(FLEET))):
        assert ours.submit(say(PAUSE)).revision == 18


def test_a_keeper_that_answers_a_ping_is_alive(place: Place, channel: socket.socket) -> None:
    ours = place.runtime()
    heard(channel)

    def answers() -> None:
        datagram, sender = channel.recvfrom(1000)
        message = decode(datagram)
        if message is not None and message["t"] == "ping":
            channel.sendto(encode("pong"), sender)

    thread = threading.Thread(target=answers)
    thread.start()
    assert ours.observe().keeper
    thread.join(60)


def test_a_socket_that_nobody_answers_is_no_keeper(place: Place, channel: socket.socket) -> None:
    assert not place.runtime().observe().keeper


@contextmanager
def _full(address: str) -> Iterator[None]:
    """Send to a socket until it takes no more."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sender:
        sender.setblocking(False)
        while True:
            try:
                sender.sendto(b"x", address)
            except BlockingIOError:
                break
        yield
