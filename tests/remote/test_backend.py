"""What a client of a server does on its own host."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from backends import open_backend, spool, stop_lane
from backends.remote.transport import HttpTransport, Request
from core import checkpoint
from core.authority import Identity
from core.capabilities.holds import PlaceHold
from core.capabilities.recovery import Recover
from core.errors import BackendUnavailable, NotOurDatabase, TimedOut
from opsconsole.cli.standing import status_of
from opsgate import latch
from opsgate.paths import fleet_of_url
from opsgate.selector import Selector
from tests.support.fleets import say
from tests.support.serving import Served, serving
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a new fleet, that takes everybody for an administrator."""
    url = f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}"
    with serving(url, lambda _room: lambda _asked: Identity("ana", "admin")) as one:
        yield one


def beside(served: Served) -> str:
    """The URL of a server as it cannot know it: through a name, a proxy or, here, an unusual spelling."""
    return served.url.replace("127.0.0.1", "127.1")


def test_the_latch_of_a_stop_that_left_from_here_goes_with_its_recovery(served: Served) -> None:
    """It lies under the hash of a URL of which the server's own keeper knows nothing."""
    url = beside(served)
    order = stop_lane.new_order()
    eventually(lambda: stop_lane.fire(order, url=url).emergency_id)
    assert latch.latched(order.stop_id, [fleet_of_url(url)])

    with closing(open_backend(url)) as backend:
        emergency_id = backend.state().stops[order.stop_id].emergency_id
        backend.submit(say(Recover(emergency_id=emergency_id, reason="mended", confirm="all")))

        assert not latch.latched(order.stop_id, [fleet_of_url(url)])


def test_a_stop_that_its_server_died_of_is_told_by_the_status_until_it_is_recorded(served: Served) -> None:
    """It lies latched on this host under the hash of a URL that the server does not know for one of its own, and nobody
    has put it into the journal."""
    order = replace(stop_lane.new_order(), selectors=(Selector.of(site="s9"),))
    latch.place(order, fleet_of_url(beside(served)))

    with closing(open_backend(beside(served))) as backend:
        told = status_of(backend, 5.0)
        assert (told.state, [stop.stop_id for stop in told.stops]) == ("partly", [order.stop_id])

        spool.replay(backend)
        (stop,) = (stop for stop in status_of(backend, 5.0).stops if stop.stop_id == order.stop_id)
        assert stop.emergency_id


def test_a_server_of_another_fleet_is_refused(served: Served) -> None:
    with pytest.raises(NotOurDatabase, match="serves fleet"):
        open_backend(served.url, expect_fleet="f-another")


def test_what_is_meant_for_one_fleet_is_done_by_no_other_that_took_its_place(tmp_path: Path) -> None:
    """A console goes on showing its own fleet where another one's server answers now: neither a pause nor a stop of
    the one is to reach the other, and each says why."""
    with serving(f"sqlite:///{tmp_path / 'ours.db'}") as ours:
        backend = open_backend(ours.url)
    with closing(backend), serving(f"sqlite:///{tmp_path / 'theirs.db'}", port=urlsplit(ours.url).port) as theirs:
        before = theirs.revision

        with pytest.raises(NotOurDatabase, match="serves fleet") as refused:
            backend.submit(say(PlaceHold(selectors=(Selector.of(account="a1"),))))
        fired = stop_lane.fire(stop_lane.new_order(), url=theirs.url, fleet=backend.latest().fleet)

        assert refused.value.code == "another-fleet"
        assert backend.contact().word == "interrupted"
        assert [(told.word, told.answer["code"]) for told in fired.servers] == [("refused", "another-fleet")]
        assert theirs.revision == before
        assert latch.latched(fired.order.stop_id, [backend.latest().fleet])


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.0.0.1:1,http://127.0.0.1:1"])
def test_where_nobody_listens_is_said_and_what_to_look_at(url: str) -> None:
    with pytest.raises(BackendUnavailable, match="is the server running") as refused:
        open_backend(url)

    assert refused.value.code == "cannot-connect"


def test_the_next_server_is_asked_where_one_is_away(served: Served) -> None:
    with closing(open_backend(f"http://127.0.0.1:1,{served.url}")) as backend:
        assert backend.state().revision == served.revision


def test_where_one_has_taken_it_and_gives_no_answer_nobody_says_that_it_was_not_done() -> None:
    """The last one that was asked could not be reached at all, which alone would be a plain no."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        transport = HttpTransport([f"http://127.0.0.1:{silent.getsockname()[1]}", "http://127.0.0.1:1"])
        with pytest.raises(TimedOut), transport.open(Request("POST", "/v1/commands"), timeout_s=0.5):
            pass
        transport.close()


def test_a_server_of_a_newer_version_is_called_that(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was called no server of ours at all, and its URL wrong."""
    monkeypatch.setattr(checkpoint, "FORMAT", checkpoint.FORMAT + 1)
    monkeypatch.setattr(checkpoint, "OLDEST_READER", checkpoint.FORMAT)
    served.command("add-name", dimension="site", name="s7").raise_for_status()  # what it has answered is not kept

    with pytest.raises(NotOurDatabase, match="newer version") as refused:
        open_backend(served.url)

    assert refused.value.code == "newer-server"
    assert "upgrade opsconsole here" in refused.value.hint


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"state": []}',
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
    ],
    ids=["a page", "another document", "another state", "a list", "another site", "no web server"],
)
def test_what_is_no_server_of_ours_is_said_to_be_none(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def reply() -> None:
            channel, _ = listening.accept()
            with channel:
                channel.recv(65536)
                channel.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises((NotOurDatabase, BackendUnavailable)) as refused:
            open_backend(f"http://127.0.0.1:{listening.getsockname()[1]}")
        thread.join()

    assert refused.value.code in {"not-a-server", "cut-off"}
