"""What a worker says of the work that a stop has to wait for, and when it says that it knows of a change."""

import random

import pytest

from opsgate.beats import Beats
from opsgate.selector import EVERYTHING
from opsgate.snapshot import Notice
from opsgate.testing import FakeGate

STOPS = {"S-1": Notice("S-1", (EVERYTHING,))}


def test_work_that_a_recovery_lets_through_is_not_waited_for_until_nothing_is_let_through_any_more() -> None:
    gate = FakeGate()
    beats = Beats(gate.in_flight)
    beats.see(STOPS)
    beats.see(STOPS, frozenset({"S-1"}))
    with gate.work(site="s1"):
        assert beats.beat(7)["draining"] == {}, "the ramp let it through"

        beats.see(STOPS)

        assert beats.beat(8)["draining"] == {"S-1": 1}
    assert beats.beat(8)["draining"] == {}


def test_when_a_change_is_told_is_drawn_once_however_often_the_thread_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a fleet in which something happens all the time would say so all the time: a thousand workers, each."""
    drawn = iter((4.0, 0.1, 0.1))
    beats = Beats(FakeGate().in_flight, soon_s=5.0)
    beats.sent(beats.beat(1), 0.0)
    monkeypatch.setattr(random, "uniform", lambda _low, _high: next(drawn))

    assert [beats.due_s(revision, 0.0) for revision in (2, 3, 4)] == [4.0, 4.0, 4.0]

    monkeypatch.undo()
    beats.sent(beats.beat(4), 4.0)
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 0.1)
    assert beats.due_s(5, 4.0) == pytest.approx(0.1), "what happens after the beat is told by the next one"
