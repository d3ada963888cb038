"""What a worker says of the work that a stop has to wait for."""

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
