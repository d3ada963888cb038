"""Asking a server for what comes next: in the time that there is, and whatever it is that answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from backends.contact import ContactLog
from backends.remote import stream as module
from backends.remote.client import Client
from backends.remote.copy import Copy, Gap
from backends.remote.stream import Stream, catch_up
from backends.remote.transport import Request, Transport
from core.audit import GENESIS
from core.errors import NotOurDatabase, TimedOut
from tests.remote.test_age import Server
from tests.support.waiting import eventually


@dataclass
class Journal:
    """What a server answers who asks for what is behind a revision."""

    behind: Callable[[int], Any]
    url: str = "http://server"

    @contextmanager
    def open(self, request: Request, timeout_s: float) -> Iterator[Page]:
        after = int(parse_qs(urlsplit(request.path).query)["after"][0])
        yield Page(json.dumps(self.behind(after)).encode())


@dataclass
class Page:
    """One answer."""

    body: bytes
    status: int = 200
    round_trip_s: float = 0.001

    def read(self) -> bytes:
        return self.body


def asking(behind: Callable[[int], Any]) -> Client:
    return Client(cast(Transport, Journal(behind)), ContactLog())


def veil(after: int, to: int) -> dict[str, Any]:
    """What leads from one revision to another and shows nothing of it."""
    ends = {"before": str(after) if after else GENESIS, "chain": str(to)}
    return {"after": after, "revision": to, "control_revision": 0, "names_revision": 0} | ends


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        "a page",
        {"rows": 5, "revision": 1},
        {"rows": [{}], "revision": 1},
        {"rows": [], "revision": "1"},
        {"rows": [], "chain": ""},
    ],
)
def test_what_answers_and_is_no_journal_is_called_that(document: Any) -> None:
    with pytest.raises(NotOurDatabase, match="no opsconsole server"):
        catch_up(asking(lambda _after: document), Copy(lambda *_: None), timeout_s=5.0)


def test_a_server_that_says_that_there_is_more_and_shows_nothing_new_is_not_asked_for_ever() -> None:
    asked: list[int] = []

    def the_same_again(after: int) -> Any:
        asked.append(after)
        assert len(asked) < 10
        return {"rows": [veil(0, 0)], "revision": 7, "chain": "7"}

    with pytest.raises(Gap):
        catch_up(asking(the_same_again), Copy(lambda *_: None), timeout_s=5.0)


def test_catching_up_takes_no_longer_than_it_was_given_however_much_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(module, "elapsed_s", lambda: now_s[0])
    copy = Copy(lambda *_: None)

    def one_and_more_to_come(after: int) -> Any:
        now_s[0] += 1.0
        assert after < 10
        return {"rows": [veil(after, after + 1)], "revision": after + 2, "chain": "?"}

    with pytest.raises(TimedOut):
        catch_up(asking(one_and_more_to_come), copy, timeout_s=5.0)

    assert copy.state.revision == 5, "what has come is kept"


def test_following_goes_on_whatever_is_met_by_reading_the_state_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (0.0,))
    tries: list[int] = []

    class Snapshots(Server):
        @contextmanager
        def following(self, _request: Request, _timeout_s: float) -> Iterator[Iterator[bytes]]:
            yield iter([b"event: snapshot\ndata: {}\n\n"])

    def reload() -> None:
        tries.append(1)
        raise RuntimeError("nobody thought of this")

    stream = Stream(cast(Client, Snapshots()), Copy(lambda *_: None), reload, lambda _age_s: None)
    stream.start()

    eventually(lambda: len(tries) >= 2 or not stream.is_alive())
    assert stream.is_alive()
    stream.close()
    stream.join()
