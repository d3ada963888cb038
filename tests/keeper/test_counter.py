"""The counter: reservations are answered in time or not granted at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from backends.keeper.counter import Counter
from backends.keeper.outbox import Outbox
from core.errors import BackendUnavailable
from opsgate import wire
from tests.keeper.parts import Parts, endpoint
from tests.support.waiting import eventually


class Worker:
    """Somebody who asks."""

    def __init__(self, counter: Counter) -> None:
        self.channel = endpoint()
        self.channel.settimeout(30.0)
        self._counter = counter

    def ask(self, kind: str, **fields: Any) -> None:
        self._counter.ask({"t": kind, **fields}, self.channel.getsockname())

    def answer(self) -> dict[str, Any]:
        return dict(wire.decode(self.channel.recv(60_000)) or {})


@pytest.fixture
def parts() -> Iterator[Parts]:
    """A fleet in memory."""
    made = Parts()
    yield made
    made.close()


@pytest.fixture
def counter(parts: Parts) -> Iterator[Counter]:
    """A counter at work on it."""
    outbox = Outbox()
    made = Counter(outbox, parts.runtime)
    made.start()
    yield made
    made.close()
    outbox.close()


def test_answers_carry_the_id_of_their_question(counter: Counter) -> None:
    worker = Worker(counter)

    worker.ask("reserve", id="q1", limit="sites", cost=4)
    first = worker.answer()
    worker.ask("reserve", id="q2", limit="sites", cost=40)
    second = worker.answer()
    worker.ask("refund", id="q3", reservation=first["reservation"])
    third = worker.answer()

    assert (first["t"], first["id"], first["granted"], first["used"], first["limit"]) == ("reserved", "q1", True, 4, 10)
    assert (second["id"], second["granted"], second["retry_after_s"]) == ("q2", False, None)
    assert third == {"t": "refunded", "id": "q3", "refunded": True}


def test_nothing_is_granted_to_a_worker_that_has_stopped_waiting(
    parts: Parts, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would ever give it back."""
    slow, asked = threading.Event(), threading.Event()
    reserve = parts.runtime.reserve

    def slowly(limit: str, cost: int = 1, **_how: Any) -> Any:
        asked.set()
        assert slow.wait(60.0)
        return reserve(limit, cost, timeout_s=5.0)

    parts.runtime.reserve = slowly  # type: ignore[method-assign]  # in its place
    now_s = [1000.0]
    monkeypatch.setattr("backends.keeper.counter.elapsed_s", lambda: now_s[0])
    worker = Worker(counter)
    worker.ask("reserve", id="q1", limit="sites", cost=4)
    worker.ask("reserve", id="q2", limit="sites", cost=4)
    assert asked.wait(30.0)

    now_s[0] += 2.0
    slow.set()
    worker.ask("refund", id="q3", reservation="none")

    assert worker.answer()["id"] == "q3"
    assert [usage.used for usage in parts.runtime.observe().usage if usage.name == "sites"] == [0]


def test_where_nobody_can_count_nothing_is_granted_and_the_worker_asks_again(parts: Parts, counter: Counter) -> None:
    def away(*_: object, **__: object) -> Any:
        raise BackendUnavailable("database-locked", "the database is locked", "try again")

    parts.runtime.reserve = away  # type: ignore[method-assign]  # in its place
    worker = Worker(counter)

    worker.ask("reserve", id="q1", limit="sites")
    answer = worker.answer()

    assert (answer["granted"], answer["retry_after_s"], answer["reason"]) == (False, 5.0, "the database is locked")


@pytest.mark.parametrize("garbage", [{"limit": "sites", "cost": "many"}, {}, {"limit": "sites", "cost": -3}])
def test_a_malformed_question_harms_nobody_else(counter: Counter, garbage: dict[str, object]) -> None:
    worker = Worker(counter)

    worker.ask("reserve", id="bad", **garbage)
    worker.ask("reserve", id="good", limit="sites", cost=1)

    eventually(lambda: worker.answer()["id"] == "good")
