"""The spool: whatever lies latched is recorded, or it is said what is in the way, and nothing is released before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends import open_backend, spool
from core.capabilities.names import AddName
from core.capabilities.recovery import Recover
from core.errors import BackendUnavailable
from core.messages import Actor, Envelope
from core.ports import Backend
from opsgate import latch
from opsgate.order import Order
from opsgate.paths import ALL_FLEETS, latch_home
from opsgate.selector import EVERYTHING, Selector
from opsgate.status import read_status
from tests.support.fleets import say

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ORDER = Order("S-1", AT, reason="smoke", actor="ada")


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """A new fleet."""
    with_nothing = open_backend(f"sqlite:///{tmp_path / 'fleet.db'}")
    yield with_nothing
    with_nothing.close()


@pytest.mark.parametrize(
    ("order", "reason", "actor"),
    [
        (replace(ORDER, reason="caf\udce9"), "caf?", "ada"),
        (replace(ORDER, actor="\ud800"), "smoke", "?"),
        (replace(ORDER, actor=""), "smoke", "unknown"),
        (replace(ORDER, reason="r" * 5_000), "r" * 300, "ada"),
        (replace(ORDER, actor="a" * 5_000), "smoke", "a" * 128),
        (replace(ORDER, reason="\ud800" * 5_000), "?" * 300, "ada"),
    ],
    ids=["reason of bytes", "actor of half a letter", "no actor", "long reason", "long actor", "long and broken"],
)
def test_a_stop_is_recorded_whatever_was_written_into_it(
    order: Order, reason: str, actor: str, backend: Backend
) -> None:
    latch.place(order, ALL_FLEETS)

    spool.require_recorded(backend)

    envelope = spool.envelope_of(order)
    assert backend.state().stops["S-1"].selectors == (EVERYTHING,)
    assert envelope.actor.name == actor
    assert envelope.command.model_dump()["reason"] == reason


def test_a_stop_of_more_than_can_be_recorded_is_recorded_as_a_stop_of_everything(backend: Backend) -> None:
    sites = tuple(Selector.of(site=f"s{number}") for number in range(10_001))
    latch.place(replace(ORDER, selectors=sites), ALL_FLEETS)

    spool.require_recorded(backend)

    assert backend.state().stops["S-1"].selectors == (EVERYTHING,)


def test_an_order_that_no_command_can_carry_keeps_releases_back_in_a_sentence(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    latch.place(ORDER, ALL_FLEETS)

    def refuse(_order: Order) -> object:
        raise ValueError("2 validation errors")

    monkeypatch.setattr(spool, "envelope_of", refuse)

    with pytest.raises(BackendUnavailable, match=r"S-1.*2 validation errors.*nothing is released"):
        spool.require_recorded(backend)


def test_an_order_that_is_refused_keeps_no_other_from_being_recorded_and_is_named(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    latch.place(ORDER, ALL_FLEETS)
    latch.place(replace(ORDER, stop_id="S-2"), ALL_FLEETS)
    carried = spool.envelope_of

    def refuse_one(order: Order) -> Envelope:
        if order.stop_id == "S-1":
            raise ValueError("2 validation errors")
        return carried(order)

    monkeypatch.setattr(spool, "envelope_of", refuse_one)

    replayed = spool.replay(backend)

    assert [one.order.stop_id for one in replayed.recorded] == ["S-2"]
    assert [(order.stop_id, error.code) for order, error in replayed.refused] == [("S-1", "not-recordable")]
    assert "S-1" in {order.stop_id for order in latch.in_force((ALL_FLEETS,))}
    with pytest.raises(BackendUnavailable, match=r"S-1.*2 validation errors.*nothing is released"):
        spool.require_recorded(backend)


def test_an_order_by_an_id_that_somebody_gave_to_another_command_is_recorded_all_the_same(backend: Backend) -> None:
    theirs = AddName(dimension="site", name="mail")
    backend.submit(Envelope(command_id="S-1", actor=Actor(name="bo"), door="cli", command=theirs))
    latch.place(ORDER, ALL_FLEETS)

    for _ in range(2):
        spool.require_recorded(backend)

    assert list(backend.state().stops) == ["S-1"]


def test_a_file_made_by_hand_stops_again_under_a_name_that_was_recovered_before(backend: Backend) -> None:
    """Somebody who makes a file called STOP has no reason to call it otherwise the next time."""
    names = spool.names_of(backend.state(), backend.url)
    file = latch_home() / names[0] / "STOP"
    file.parent.mkdir(parents=True)
    file.touch()
    spool.require_recorded(backend)
    (first,) = backend.state().emergencies
    backend.submit(say(Recover(emergency_id=first, reason="mended", confirm="all")))
    assert not file.exists()

    file.touch()
    spool.require_recorded(backend)

    assert file.exists()
    assert sorted(each.status for each in backend.state().emergencies.values()) == ["active", "ended"]


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """What another user gets of a latch that is root's: it may be seen, and not be read."""
    real = Path.open

    def denied(self: Path, *arguments: object, **options: object) -> object:
        if self == path:
            raise PermissionError(13, os.strerror(13))
        return real(self, *arguments, **options)  # type: ignore[call-overload]  # whatever it was called with

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, "open", denied)
        yield


def test_nothing_is_released_while_a_latch_lies_there_that_cannot_be_read(backend: Backend) -> None:
    """Nor is it recorded: it may stop less than everything, and whoever can read it records what it says."""
    path = latch.place(ORDER, ALL_FLEETS)

    with unreadable(path):
        with pytest.raises(BackendUnavailable, match=r"S-1 .*cannot be read.*Permission denied.*nothing is released"):
            spool.require_recorded(backend)
        (waiting,) = spool.pending(spool.names_of(backend.state(), backend.url), backend.state())
        assert spool.replay(backend) == spool.Replayed((), ())

    assert (waiting.stop_id, waiting.selectors) == ("S-1", (EVERYTHING,))
    assert not backend.state().stops
    spool.require_recorded(backend)
    assert backend.state().stops


def test_an_unreadable_latch_of_a_stop_that_is_recorded_keeps_nothing_back(backend: Backend) -> None:
    path = latch.place(ORDER, ALL_FLEETS)
    spool.replay(backend)

    with unreadable(path):
        spool.require_recorded(backend)


def test_where_the_latches_cannot_be_listed_nothing_is_released(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = latch.place(ORDER, ALL_FLEETS).parent
    real = Path.iterdir

    def denied(self: Path) -> Iterator[Path]:
        if self == directory:
            raise PermissionError(13, os.strerror(13))
        return iter(real(self))

    monkeypatch.setattr(Path, "iterdir", denied)

    with pytest.raises(BackendUnavailable, match=r"cannot be read.*nothing is released"):
        spool.require_recorded(backend)


def test_the_status_counts_a_latch_that_cannot_be_read_as_a_stop_of_everything(backend: Backend) -> None:
    path = latch.place(ORDER, ALL_FLEETS)

    with unreadable(path):
        status = read_status(backend.url)

    assert status.state == "stopped"
    assert [(stop.stop_id, stop.result) for stop in status.stops] == [("S-1", "pending")]


@pytest.mark.parametrize("first", [0, 1], ids=["narrow first", "wide first"])
def test_of_two_stops_by_one_id_that_were_placed_apart_none_is_lost(backend: Backend, first: int) -> None:
    """Two servers that cannot reach the database know nothing of each other: a key of a runbook says both times what
    is to be stopped, and somebody who may stop one account must not use up the id of a stop of everything."""
    narrow = replace(ORDER, selectors=(Selector.of(account="a1"),), actor="bob")
    orders = (narrow, ORDER)[:: -1 if first else 1]

    for order in (*orders, *orders):
        recorded = spool.record(order, backend, timeout_s=5.0)
        assert recorded.stop is not None
        assert recorded.stop.stop_id == spool.journal_id(order, backend.state())

    stops = backend.state().stops
    assert {selector for stop in stops.values() for selector in stop.selectors} >= {EVERYTHING}
    assert len(stops) == 2 - first, "what a wider one stops already is that one"
    assert spool.pending([ALL_FLEETS], backend.state()) == ()


def test_a_latched_stop_whose_id_another_one_has_waits_to_be_recorded(backend: Backend) -> None:
    spool.record(replace(ORDER, selectors=(Selector.of(account="a1"),)), backend, timeout_s=5.0)
    latch.place(ORDER, ALL_FLEETS)

    assert spool.pending([ALL_FLEETS], backend.state()) == (ORDER,)
    spool.require_recorded(backend)

    assert spool.pending([ALL_FLEETS], backend.state()) == ()
    assert spool.ended([ALL_FLEETS], backend.state()) == ()
    assert any(hold.selector == EVERYTHING for hold in backend.state().holds.values())
