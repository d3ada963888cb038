"""A stop order is in force, and acknowledged, before anybody has read it."""

import socket
from dataclasses import replace

import pytest

from opsgate import Gate, lastknown, wire
from opsgate.beats import Beats
from opsgate.obedience import Obedience
from opsgate.order import Order
from opsgate.paths import fleet_of_url
from opsgate.selector import Selector
from opsgate.snapshot import Delta
from opsgate.unread import UnreadView, stop_id_in
from opsgate.view import View
from opsgate.work import InFlight
from tests.gate.world import AT, WITHIN_S, Fleet, Keeper
from tests.support.waiting import eventually

ORDER = Order("S-1", AT, reason="fire")
FOR_S1 = replace(ORDER, selectors=(Selector.of(site="s1"),))


def say(keeper: Keeper, order: Order) -> None:
    keeper.say("order", stop_id=order.stop_id, order=order.as_dict())


def datagram(order: Order) -> bytes:
    return wire.encode("order", stop_id=order.stop_id, order=order.as_dict())


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads an order by himself as long as the test runs."""
    monkeypatch.setattr("opsgate.watcher._LATER_S", (3600.0, 3600.0))
    monkeypatch.setattr("opsgate.beats.HEARTBEAT_S", 3600.0)


def test_it_is_acknowledged_in_a_few_words(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")

    say(keeper, ORDER)

    assert keeper.hear("ack") == {"t": "ack", "worker": "w1", "stop": "S-1", "running": 0}


def test_it_holds_from_its_acknowledgement_on_and_whoever_asks_reads_it(
    unread: None, keeper: Keeper, gate: Gate
) -> None:
    keeper.hear("beat")
    before = gate.check(site="s1")

    say(keeper, ORDER)
    keeper.hear("ack")

    decision = gate.check(site="s1")
    assert before.allowed
    assert (decision.outcome, decision.decided_by, decision.revision) == ("blocked", "live", 1)
    assert [(hold.source, hold.owner, hold.reason) for hold in decision.blockers] == [("emergency", "S-1", "fire")]
    assert "S-1" in gate.table.by_id


def test_it_holds_what_it_says_and_nothing_else(unread: None, keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")

    say(keeper, FOR_S1)
    keeper.hear("ack")

    assert not gate.check(site="s1")
    assert gate.check(site="s2")


def test_two_of_them_hold_together(unread: None, keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")

    say(keeper, FOR_S1)
    say(keeper, replace(FOR_S1, stop_id="S-2", selectors=(Selector.of(site="s2"),)))
    keeper.hear("ack", stop="S-2")

    assert not gate.check(site="s1")
    assert not gate.check(site="s2")


def test_thousands_of_them_hold_together_and_are_read_in_one_turn() -> None:
    view, count = View(confirmed_at_s=0.0, settled=True), 3000
    for number in range(count):
        order = replace(FOR_S1, stop_id=f"S-{number}", selectors=(Selector.of(site=f"s{number}"),))
        view = UnreadView(view, order.stop_id, datagram(order))

    assert list(view.stops) == [f"S-{number}" for number in range(count)]
    assert len(view.table.by_id) == count
    more = UnreadView(view, ORDER.stop_id, datagram(ORDER))
    assert (more.table.everywhere, len(more.table.by_id)) != ((), count), "what lies on a view that is read adds to it"


def test_the_acknowledgement_says_what_it_has_to_wait_for_and_a_beat_when_that_has_ended(
    unread: None, keeper: Keeper, gate: Gate
) -> None:
    keeper.hear("beat")

    with gate.work(site="s1"), gate.work(site="s1"), gate.work(site="s2"):
        say(keeper, FOR_S1)
        assert keeper.hear("ack")["running"] == 2

    assert keeper.hear("beat", draining={})["stops"] == ["S-1"]


def test_it_is_acknowledged_to_the_socket_from_which_it_came(keeper: Keeper, gate: Gate) -> None:
    """A keeper has many, so that of a thousand workers none waits in one queue."""
    keeper.hear("beat")

    with wire.endpoint() as herald:
        herald.settimeout(WITHIN_S)
        herald.sendto(datagram(ORDER), keeper.gate_at)
        answer = wire.decode(herald.recv(1000))

    assert answer == {"t": "ack", "worker": "w1", "stop": "S-1", "running": 0}


def test_where_that_socket_takes_nothing_the_beat_says_it(unread: None, keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")

    with wire.endpoint() as herald:
        herald.shutdown(socket.SHUT_RD)
        herald.sendto(datagram(ORDER), keeper.gate_at)
        assert keeper.hear("beat", stops=["S-1"])


def test_it_is_read_a_moment_later_and_its_beat_says_no_more_than_was_said(keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")

    say(keeper, ORDER)
    keeper.hear("ack")

    assert keeper.hear("beat")["stops"] == ["S-1"]
    assert not gate.check(site="s1")


def test_what_ends_it_is_heard_before_it_was_read(unread: None, keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")
    say(keeper, ORDER)
    keeper.hear("ack")

    keeper.say("delta", delta=Delta(1, 1, ended=("S-1",)).as_dict())

    eventually(lambda: gate.check(site="s1").allowed)
    say(keeper, ORDER)
    keeper.say("delta", delta=Delta(1, 2).as_dict())
    eventually(lambda: gate.revision == 2)
    assert gate.check(site="s1"), "an order that comes late starts nothing again"


def test_a_gate_that_ends_has_written_it_down(unread: None, keeper: Keeper, fleet: Fleet) -> None:
    with Gate.open(fleet.url, worker="w1") as gate:
        eventually(lambda: gate.freshness == "valid")
        keeper.hear("beat")
        say(keeper, ORDER)
        keeper.hear("ack")

    remembered = lastknown.LastKnown(fleet_of_url(fleet.url)).load()
    assert isinstance(remembered, lastknown.Remembered)
    assert set(remembered.known.stops()) == {"S-1"}


def test_one_that_cannot_be_read_stops_everything(unread: None, keeper: Keeper, gate: Gate) -> None:
    keeper.hear("beat")

    keeper.say("order", stop_id="S-1", order={"level": "of a later version"})
    keeper.hear("ack")

    assert [hold.is_global for hold in gate.check(site="s1").blockers] == [True]


def test_a_fork_inherits_what_was_not_read() -> None:
    parent, child = (Obedience("w1", Beats(InFlight()), lambda _view: None, lambda *_: "sent") for _ in range(2))
    parent.obey(View(), "S-1", datagram(ORDER), "")

    child.inherit(parent)

    assert list(child.orders()) == [ORDER]
    assert list(child.orders()) == []


def test_a_view_is_whole_for_whoever_looks_at_it() -> None:
    base = View(fleet="f-one", revision=7, confirmed_at_s=5.0, settled=True)
    view = UnreadView(base, "S-1", datagram(ORDER))

    assert view.quick_until_s < 0
    assert (view.fleet, view.revision, view.confirmed_at_s, view.settled) == ("f-one", 7, 5.0, True)
    assert (list(view.stops), [hold.owner for hold in view.emergencies]) == (["S-1"], ["S-1"])
    assert not hasattr(view, "no_such_thing")


@pytest.mark.parametrize(
    "other",
    [
        wire.encode("moved", revision=3),
        wire.encode("order", order=ORDER.as_dict()),
        wire.encode("order", stop_id="S-1"),
        wire.encode("order", stop_id='S-"1', order=ORDER.as_dict()),
        b'{"t":"order","stop_id":"S-1',
        b"",
    ],
)
def test_only_an_order_that_says_so_at_its_beginning_is_obeyed_unread(other: bytes) -> None:
    assert stop_id_in(datagram(ORDER)) == "S-1"
    assert stop_id_in(other) is None
