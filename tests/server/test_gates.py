"""What the server tells gates: to all what is new to them, to single ones what is theirs, and of that not too much."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from backends.server import gates, said
from backends.server.caps import read_json
from backends.server.gates import Gates
from backends.server.problems import Problem
from backends.server.push import Frame
from backends.server.routes.gate import wait_in
from backends.server.said import Said
from core.scope import EVERYWHERE
from core.state import State
from opsgate import wire
from opsgate.order import Order


def test_of_names_that_never_ask_again_the_oldest_are_let_go() -> None:
    kept = Gates()
    message = wire.encode("moved", revision=3)

    for number in range(gates._ADDRESSES_MAX + 5):
        kept.tell(message, f"http:pod-{number}")

    assert kept.messages_for("http:pod-0") == []
    assert kept.messages_for(f"http:pod-{gates._ADDRESSES_MAX + 4}") == [wire.decode(message)]


def test_a_heartbeat_names_what_was_told_and_not_what_waits_to_be_told_with_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Gates()
    kept.sealed = lambda: (State(revision=9), "")
    hub, heard = kept.of(EVERYWHERE).hub, []

    def deliver(one: Frame) -> None:
        heard.append(json.loads(one.data.partition(b"data: ")[2])["revision"])

    monkeypatch.setattr(hub, "deliver", deliver)
    for revision in (0, 7):
        hub.revision = revision
        kept.heartbeat()

    assert heard == [9, 7], "the state's revision where nothing has been told yet"


def test_what_a_worker_knows_by_then_it_is_not_told_again() -> None:
    """Of a thousand workers that acknowledge a stop none has to read the whole state for it."""
    kept = Gates()
    kept.sealed = lambda: (State(revision=9), "")
    kept.of(EVERYWHERE).hub.revision = 7
    order = Order("S-1", datetime(2026, 7, 31, tzinfo=UTC))
    told = wire.encode("moved", revision=9), wire.encode("order", stop_id="S-1", order=order.as_dict())

    def kinds(knows: int, obeys: tuple[str, ...]) -> list[str]:
        for message in told:
            kept.tell(message, "http:w1")
        return [message["t"] for message in kept.messages_for("http:w1", knows=knows, obeys=obeys)]

    assert kinds(6, ()) == ["moved", "order"]
    assert kinds(7, ()) == ["order"], "the rest of it is on its way"
    assert kinds(6, ("S-1",)) == ["moved"]
    assert kinds(9, ("S-1",)) == []


def test_a_beat_that_is_the_one_before_it_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, read = Said(), []

    def counted(body: bytes, kind: str | None) -> Any:
        read.append(body)
        return read_json(body, kind)

    monkeypatch.setattr(said, "read_json", counted)
    first, news = b'{"revision": 3, "in_flight": 1}', b'{"revision": 4, "in_flight": 1}'

    beats = [
        kept.beat(*word, "application/json") for word in (("w1", first), ("w1", first), ("w2", first), ("w1", news))
    ]

    assert read == [first, first, news]
    assert [(beat.worker_id, beat.revision) for beat in beats] == [("w1", 3), ("w1", 3), ("w2", 3), ("w1", 4)]


def test_what_was_taken_once_is_refused_all_the_same_where_it_claims_to_be_something_else() -> None:
    kept = Said()
    kept.beat("w1", b"{}", "application/json")

    with pytest.raises(Problem, match="text/plain"):
        kept.beat("w1", b"{}", "text/plain")


def test_last_words_are_kept_of_so_many_workers_and_only_where_they_are_short() -> None:
    kept = Said()

    for number in range(said._KEPT_MAX + 5):
        kept.beat(f"w{number}", b"{}", None)
    kept.beat("w-long", b'{"env": "x"' + b" " * said._KEPT_BYTES + b"}", None)

    assert len(kept) == said._KEPT_MAX


@pytest.mark.parametrize(
    ("query", "wait_s"),
    [(b"", 0.0), (b"wait=4", 4.0), (b"wait=0.05", 0.05), (b"wait=30", 30.0), (b"wait=30.1", None), (b"wait=99", None)]
    + [(query, None) for query in (b"wait=", b"wait=-1", b"wait=1e1", b"wait=1&wait=2", b"at=3", b"wait=nan")],
)
def test_how_long_a_gate_may_wait_is_a_plain_number_or_left_to_the_framework(query: bytes, wait_s: float) -> None:
    assert wait_in(query) == wait_s
