"""The stop desk: an order that it met once is recorded, whatever failed on the way."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from backends import spool
from backends.keeper import peers
from backends.keeper.stop_desk import StopDesk
from backends.spool import Recorded
from backends.stop_lane import new_order
from core.state import State
from opsgate import latch, wire
from opsgate.clock import elapsed_s
from opsgate.order import Order
from opsgate.paths import runtime_home, stop_socket
from opsgate.selector import Selector
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
        eventually(lambda: recorded == [order])

    assert dict(desk.unrecorded) == {order.stop_id: order}


def test_who_ordered_a_stop_is_who_came_by_a_door_with_it_though_its_latch_was_found_before(desk: StopDesk) -> None:
    recorded: list[Order] = []
    desk.record = recorded.append
    order = new_order(actor="whoever-writes-files")
    by_a_door = replace(order, actor="ana", door="http")

    desk.adopt(order)
    eventually(lambda: order.stop_id in desk.unrecorded)  # it is in force at once
    desk.take(by_a_door, lambda _answer: None)
    eventually(lambda: recorded)
    desk.adopt(order)  # as long as it lies there

    sign = new_order(actor="and-who-found-nothing")
    desk.adopt(sign)
    eventually(lambda: sign in recorded)
    assert recorded == [by_a_door, sign]


def test_an_order_is_handed_to_the_recorder_before_the_disk_is_touched(
    desk: StopDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    desk.record = lambda _order: done.append("record")
    monkeypatch.setattr(latch, "place", lambda *_: done.append("place"))

    desk.take(new_order(), lambda _answer: None)

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


@pytest.fixture
def hung_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever asks the disk under the latches for anything waits for the end of the test."""
    over = threading.Event()
    for name in ("place", "latched", "in_force", "look"):
        monkeypatch.setattr(latch, name, lambda *_: over.wait(60))
    yield
    over.set()


@pytest.mark.usefixtures("hung_disk")
def test_a_hung_disk_holds_up_neither_an_order_nor_its_answer_nor_the_next_order(desk: StopDesk) -> None:
    recorded: list[Order] = []
    desk.record = recorded.append
    first, second = new_order(), new_order()

    answer = wire.ask(str(stop_socket("f1")), "order", order=first.as_dict(), timeout_s=60)
    wire.tell(str(stop_socket("f1")), "order", stop_id="S-too-large-for-the-post")
    wire.tell(str(stop_socket("f1")), "order", order=second.as_dict())

    assert answer is not None
    assert (answer["stop_id"], answer["durable"]) == (first.stop_id, "memory")
    eventually(lambda: recorded == [first, second])
    assert set(desk.unrecorded) == {first.stop_id, second.stop_id}


def test_an_order_that_is_not_recorded_in_time_is_answered_by_what_the_disk_has_confirmed(desk: StopDesk) -> None:
    order = new_order()

    answer = wire.ask(str(stop_socket("f1")), "order", order=order.as_dict(), timeout_s=60)

    assert answer is not None
    assert (answer["stop_id"], answer["durable"]) == (order.stop_id, "spool")
    assert latch.latched(order.stop_id, ["f1"])


def test_whoever_names_an_order_is_answered_once_the_latch_watch_has_brought_it(desk: StopDesk) -> None:
    order = new_order()
    recorder: list[Order] = []
    desk.record = recorder.append
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asker:
        asker.bind("")
        asker.settimeout(60)
        asker.sendto(wire.encode("order", stop_id=order.stop_id), str(stop_socket("f1")))
        desk.adopt(order)
        eventually(lambda: recorder == [order])

        desk.settled(Recorded(order, 18, None, "active"))

        assert (wire.decode(asker.recv(65536)) or {})["stop_id"] == order.stop_id


def test_nobody_is_told_that_an_order_is_obeyed_that_has_not_come(desk: StopDesk) -> None:
    assert wire.ask(str(stop_socket("f1")), "order", stop_id="S-nowhere", timeout_s=1.0) is None
    assert not desk.unrecorded


def test_an_order_that_the_journal_has_already_is_answered_by_its_name() -> None:
    parts = Parts()
    order = new_order()
    revision = spool.record(order, parts.runtime, timeout_s=5).revision
    with a_desk(parts.state):
        answer = wire.ask(str(stop_socket("f1")), "order", stop_id=order.stop_id, timeout_s=60)
    parts.close()

    assert answer is not None
    assert (answer["durable"], answer["revision"], answer["of"]) == ("database", revision, 0)


def test_an_order_stays_in_force_here_until_the_state_holds_what_was_recorded() -> None:
    """It is recorded by another runtime than the one that is looked at, which may hear of it much later."""
    parts = Parts()
    states, answers = [parts.state], list[bytes]()
    desk = StopDesk(None, ["f1"], dict, lambda: states[-1], elapsed_s)
    desk.record = lambda order: desk.settled(spool.record(order, parts.runtime, timeout_s=5))
    desk.start()
    try:
        desk.take(new_order(), answers.append)
        eventually(lambda: len(answers) == 1)
        assert len(desk.unrecorded) == 1, "answered as recorded, and nobody who asks finds it elsewhere"

        states.append(parts.runtime.latest())
        desk.moved()

        eventually(lambda: not desk.unrecorded)
    finally:
        desk.close()
        parts.close()


def test_of_two_who_order_other_things_under_one_id_at_once_one_gets_it(desk: StopDesk) -> None:
    first, second = (replace(new_order((Selector.of(site=site),)), stop_id="twice") for site in ("s1", "s2"))

    assert desk.claim(first)
    assert desk.claim(first), "whoever says the same again means the same stop"
    assert not desk.claim(second)
    told = threading.Event()
    desk.take(first, lambda _answer: told.set())
    assert told.wait(60)
    assert not desk.claim(second)
