"""Samples and a keeper that is busy: its queue holds few datagrams, and none of them may be lost for that."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from opsgate import Gate, courier, wire
from opsgate.channel import KeeperChannel
from opsgate.courier import Courier
from tests.gate.world import WITHIN_S, Keeper
from tests.support.waiting import eventually


def fill(keeper: Keeper) -> None:
    """Send until nothing more finds room."""
    while wire.tell(str(keeper.address), "hint"):
        pass


def couriers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "opsgate-courier"]


def test_samples_that_find_the_queue_full_are_told_in_their_order_when_there_is_room_many_in_one_message(
    keeper: Keeper, gate: Gate
) -> None:
    fill(keeper)

    assert all(gate.sample("m", number) for number in range(250))

    messages, told = 0, list[dict[str, float]]()
    while len(told) < 250:
        message = keeper.hear("sample")
        told += message["samples"]
        messages += 1
        assert message["worker"] == "w1"
    assert [sample["value"] for sample in told] == list(range(250))
    assert all(sample["age_s"] >= 0 for sample in told)
    assert messages <= 4  # what waited when there was first room, and then a hundred in each
    eventually(lambda: not couriers())


def test_of_what_waits_only_what_is_too_old_is_lost(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper that was frozen for a minute: the sample that came last may be the one that stops."""
    now = [1000.0]
    monkeypatch.setattr(courier, "elapsed_s", lambda: now[0])
    tried = threading.Event()

    def busy(*_: object) -> str:
        tried.set()
        threading.Event().wait(0.002)
        return "busy"

    gate_side = Courier("w1")
    fill(keeper)
    with monkeypatch.context() as frozen:
        frozen.setattr(KeeperChannel, "send", busy)
        gate_side.tell(str(keeper.address), {"metric": "m", "value": 0.0})
        for number in range(1, 70):
            now[0] += 1.0
            gate_side.tell(str(keeper.address), {"metric": "m", "value": float(number)})
        tried.clear()
        assert tried.wait(WITHIN_S)

    told = list[dict[str, float]]()
    while not told or told[-1]["value"] < 69:
        told += keeper.hear("sample")["samples"]

    assert [(sample["value"], sample["age_s"]) for sample in told] == [(n, 69.0 - n) for n in range(10, 70)]
    eventually(lambda: not couriers())


def test_while_there_is_room_no_thread_is_started(keeper: Keeper) -> None:
    assert Courier("w1").tell(str(keeper.address), {"metric": "m", "value": 1.0})

    assert not couriers()
    assert keeper.hear("sample")["samples"] == [{"metric": "m", "value": 1.0}]


def test_without_a_keeper_nothing_waits(tmp_path: Path) -> None:
    assert not Courier("w1").tell(str(tmp_path / "nobody.sock"), {"metric": "m", "value": 1.0})

    assert not couriers()


def test_a_keeper_that_goes_meanwhile_is_not_waited_for(keeper: Keeper) -> None:
    courier = Courier("w1")
    fill(keeper)
    assert courier.tell(str(keeper.address), {"metric": "m", "value": 1.0})

    keeper.close()

    eventually(lambda: not couriers())
