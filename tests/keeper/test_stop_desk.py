"""The stop desk: an order that it met once is recorded, whatever failed on the way."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from backends.keeper import peers
from backends.keeper.stop_desk import StopDesk
from backends.stop_lane import new_order
from core.state import State
from opsgate import latch, wire
from opsgate.clock import elapsed_s
from opsgate.order import Order
from opsgate.paths import runtime_home, stop_socket
from tests.keeper.parts import Parts
from tests.support.waiting import eventually


@contextmanager
def a_desk(state: State) -> Iterator[StopDesk]:
    """A desk of the fleet ``f1`` on a socket of its own, without gates."""
    runtime_home().mkdir(mode=0o700, parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
        peers.tell_senders(channel)
        channel.bind(str(stop_socket("f1")))
        desk = StopDesk(channel, ["f1"], dict, lambda: state, elapsed_s)
        desk.start()
        try:
            yield desk
        finally:
            desk.close()


@pytest.fixture
def desk() -> Iterator[StopDesk]:
    """A desk before a fleet whose journal knows no stop."""
    parts = Parts()
    with a_desk(parts.state) as made:
        yield made
    parts.close()


def test_an_order_for_which_no_thread_is_left_is_latched_and_recorded_all_the_same(
    desk: StopDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    recorded: list[Order] = []
    desk.record = recorded.append
    order = new_order()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        desk.adopt(order)
        eventually(lambda: latch.latched(order.stop_id, ["f1"]))

    assert recorded == [order]
    assert dict(desk.unrecorded) == {order.stop_id: order}


def test_an_order_is_handed_to_the_recorder_before_the_disk_is_touched(
    desk: StopDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    desk.record = lambda _order: done.append("record")
    monkeypatch.setattr(latch, "place", lambda *_: done.append("place"))

    desk.adopt(new_order())

    eventually(lambda: len(done) == 2)
    assert done == ["record", "place"]


def test_an_order_that_met_a_fault_is_taken_up_again_when_it_is_next_seen(desk: StopDesk) -> None:
    recorded: list[Order] = []
    faults = [MemoryError("not now")]

    def record(order: Order) -> None:
        if faults:
            raise faults.pop()
        recorded.append(order)

    desk.record = record
    order = new_order()

    desk.adopt(order)
    eventually(lambda: not faults)
    assert order.stop_id in desk.unrecorded  # gates that come meanwhile are told of it
    desk.adopt(order)
    eventually(lambda: recorded == [order])


@pytest.mark.parametrize("order", [None, 7, "S-1", [], {}, {"stop_id": {}}, {"level": "immediate", "selectors": 5}])
def test_what_is_no_order_is_dropped_and_the_next_stop_is_heard(desk: StopDesk, order: object) -> None:
    recorded: list[Order] = []
    desk.record = recorded.append
    good = new_order()

    wire.tell(str(stop_socket("f1")), "order", order=order)
    wire.tell(str(stop_socket("f1")), "order", order=good.as_dict())

    eventually(lambda: recorded == [good])
