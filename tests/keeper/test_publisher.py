"""The publisher: a change is one datagram for all gates, what is in no hurry is gathered, nobody is waited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from backends import spool
from backends.keeper.outbox import Outbox
from backends.keeper.publisher import Publisher
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.workers import ReportWorkers
from core.messages import Command
from opsgate import wire
from opsgate.order import Order
from opsgate.selector import EVERYTHING, Selector
from opsgate.snapshot import Delta, Snapshot
from tests.keeper.parts import Parts, endpoint
from tests.support.fleets import KEEPER, say
from tests.support.waiting import eventually


class Mailbox:
    """A gate's socket: what came, in order."""

    def __init__(self) -> None:
        self.channel = endpoint()
        self.address = self.channel.getsockname()
        self.messages: list[Mapping[str, Any]] = []

    def read(self) -> list[Mapping[str, Any]]:
        while True:
            try:
                message = wire.decode(self.channel.recv(wire.MAX_DATAGRAM))
            except BlockingIOError:
                return self.messages
            assert message is not None
            self.messages.append(message)

    def kinds(self) -> list[str]:
        return [message["t"] for message in self.read()]


class Published:
    """A fleet in memory whose changes are published, to one gate at first."""

    def __init__(self) -> None:
        self.parts = Parts()
        self.gate = Mailbox()
        self.obeyed: set[str] = set()
        self.start = self.parts.state.snapshot()
        self.outbox = Outbox()
        self.publisher = Publisher(
            self.outbox,
            lambda: self.parts.roster.entries,
            self.parts.state,
            lambda: self.parts.elapsed_s,
            obeyed=lambda command_id: command_id in self.obeyed,
        )
        self.join(self.gate)
        self.parts.runtime.follow(self.publisher.arrived)

    def join(self, gate: Mailbox, name: str = "w1") -> None:
        self.parts.hear(name)
        entries = self.parts.roster.entries
        self.parts.roster.entries = entries.set(name, replace(entries[name], address=gate.address))

    def submit(self, command: Command, **how: Any) -> int:
        return self.parts.runtime.submit(say(command, **how)).revision

    def replayed(self) -> Snapshot:
        """What a gate that follows the datagrams alone comes to."""
        snapshot = self.start
        for message in self.gate.read():
            if message["t"] == "delta":
                changed = snapshot.changed(Delta.from_dict(message["delta"]))
                assert changed is not None, "each change follows on from the one before"
                snapshot = changed
        return snapshot


@pytest.fixture
def published() -> Iterator[Published]:
    """A fleet whose changes are published; its thread is started by the tests that need it."""
    made = Published()
    yield made
    made.parts.close()
    if made.publisher.is_alive():
        made.publisher.close()
    made.outbox.close()


def test_a_gate_that_follows_the_datagrams_has_what_the_tables_have(published: Published) -> None:
    site = Selector.of(site="s1")
    published.submit(PlaceHold(selectors=(site, EVERYTHING), reason="x", create=True))
    published.submit(PlaceHold(selectors=(site,), reason="y", mode="halt"))
    published.submit(ReleaseHolds(selectors=(EVERYTHING,), reason="over"))
    spool.record(Order("S-1", published.parts.clock.now), published.parts.runtime, timeout_s=1.0)

    expected = published.parts.state.snapshot()
    eventually(lambda: published.gate.read() and published.gate.messages[-1].get("delta", {}).get("ordered"))

    replayed = published.replayed()
    assert replayed.revision == expected.revision
    assert {hold.hold_id: hold for hold in replayed.holds} == {hold.hold_id: hold for hold in expected.holds}
    assert replayed.stops == expected.stops


def test_of_a_new_name_gates_hear_first_that_there_is_more_to_read(published: Published) -> None:
    published.submit(PlaceHold(selectors=(Selector.of(site="s9"),), reason="x", create=True))

    eventually(lambda: published.gate.kinds() == ["moved", "delta"])


def test_who_has_registered_waits_for_the_next_change_and_goes_with_it(published: Published) -> None:
    published.submit(ReportWorkers(heard=("a", "b")), by=KEEPER)
    eventually(lambda: published.parts.runtime.latest().revision == 19)
    assert published.gate.kinds() == []

    last = published.submit(PlaceHold(selectors=(EVERYTHING,), reason="x"))
    eventually(lambda: published.gate.kinds() == ["delta"])

    (message,) = published.gate.messages
    assert (message["delta"]["since"], message["delta"]["revision"]) == (17, last)


def test_what_waits_is_sent_after_a_moment(published: Published) -> None:
    published.publisher.start()
    published.submit(ReportWorkers(heard=("a",)), by=KEEPER)
    eventually(lambda: published.publisher._due_s is not None)
    assert published.gate.kinds() == []

    published.parts.pass_(0.3)
    published.publisher._wake.set()

    eventually(lambda: published.gate.kinds() == ["delta"])


def test_the_record_of_an_order_that_gates_obey_already_is_in_no_hurry(published: Published) -> None:
    """They would all be woken again while they acknowledge."""
    published.obeyed.add("S-1")
    spool.record(Order("S-1", published.parts.clock.now), published.parts.runtime, timeout_s=1.0)
    eventually(lambda: published.publisher._due_s is not None)
    assert published.gate.kinds() == []

    spool.record(Order("S-2", published.parts.clock.now), published.parts.runtime, timeout_s=1.0)

    eventually(lambda: published.gate.kinds() == ["delta"])
    assert [notice["stop_id"] for notice in published.gate.messages[0]["delta"]["ordered"]] == ["S-1", "S-2"]


def test_a_gate_that_does_not_read_holds_up_nobody_and_is_told_later_that_something_moved(published: Published) -> None:
    deaf, parts = Mailbox(), published.parts
    published.join(deaf, "w0")
    published.publisher.start()

    for number in range(40):
        published.submit(PlaceHold(selectors=(Selector.of(account=f"a{number}"),), reason="x"))
        eventually(lambda count=number + 1: len(published.gate.read()) >= count)  # type: ignore[misc]  # no default

    assert len(deaf.read()) < 40, "its queue was full long before"
    eventually(lambda: deaf.kinds()[-1] == "moved")
    assert deaf.messages[-1]["revision"] == parts.state.revision


def test_a_change_too_large_for_a_datagram_says_only_that_something_moved(published: Published) -> None:
    many = tuple(Selector.of(account=f"an-account-with-a-long-name-{number}") for number in range(2000))

    published.submit(PlaceHold(selectors=many, reason="x"))

    eventually(lambda: published.gate.kinds() == ["moved"])


def test_a_gate_that_joins_with_an_old_state_is_told_to_read(published: Published) -> None:
    late = Mailbox()

    published.publisher.joined(late.address, 17)
    assert late.kinds() == []
    published.publisher.joined(late.address, 3)

    assert late.kinds() == ["moved"]


def test_a_watcher_is_told_until_it_has_not_asked_for_fifteen_seconds(published: Published) -> None:
    watcher = Mailbox()
    published.publisher.watched(watcher.address)

    published.parts.pass_(14.0)
    published.submit(ReportWorkers(heard=("a",)), by=KEEPER)
    eventually(lambda: watcher.kinds() == ["moved"])
    assert published.publisher.watchers() == [watcher.address]
    published.parts.pass_(1.1)

    assert published.publisher.watchers() == []


def test_a_worker_that_left_is_told_nothing(published: Published) -> None:
    gone = Mailbox()
    published.join(gone, "gone")
    entries = published.parts.roster.entries
    left = replace(entries["gone"], row=replace(entries["gone"].row, state="left"))
    published.parts.roster.entries = entries.set("gone", left)

    published.submit(PlaceHold(selectors=(EVERYTHING,), reason="x"))
    eventually(lambda: published.gate.kinds() == ["delta"])

    assert gone.kinds() == []
