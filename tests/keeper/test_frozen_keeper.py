"""A keeper that stands still, or can open nothing any more: stops are in force, and in the journal when it goes on."""

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends import stop_lane
from opsgate import Gate
from tests.keeper.fleet import KeptFleet, kept_fleet
from tests.support.waiting import eventually

PATIENCE_S = 60.0


@pytest.fixture
def kept(home: Path, tmp_path: Path) -> Iterator[tuple[KeptFleet, Gate]]:
    """A keeper and a real worker."""
    with kept_fleet(f"sqlite:///{tmp_path}/fleet.db") as fleet:
        gate = Gate.open(fleet.url, worker="w1")
        eventually(lambda: "w1" in fleet.backend.state().workers, within_s=PATIENCE_S)
        yield fleet, gate
        gate.close()


def test_a_stop_is_in_force_while_the_keeper_stands_still_and_verified_when_it_goes_on(
    kept: tuple[KeptFleet, Gate],
) -> None:
    fleet, gate = kept
    pid = int(fleet.ping()["pid"])
    os.kill(pid, signal.SIGSTOP)
    try:
        order = stop_lane.new_order(reason="frozen")
        assert fleet.fire(order, timeout_s=0.5).keeper == "silent"
        eventually(lambda: not gate.check(site="s1"), within_s=PATIENCE_S)
        assert fleet.result(order) == "unknown", "and nobody says that anything has stopped"
    finally:
        os.kill(pid, signal.SIGCONT)

    eventually(lambda: fleet.result(order) == "verified", within_s=PATIENCE_S)


def test_a_keeper_without_a_descriptor_left_takes_a_stop_and_records_it_afterwards(
    kept: tuple[KeptFleet, Gate],
) -> None:
    fleet, gate = kept
    pid = int(fleet.ping()["pid"])
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        order = stop_lane.new_order(reason="nothing can be opened")
        fleet.fire(order, timeout_s=0.5)
        eventually(lambda: not gate.check(site="s1"), within_s=PATIENCE_S)
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)

    eventually(lambda: fleet.result(order) == "verified", within_s=PATIENCE_S)
    assert int(fleet.ping()["pid"]) == pid, "it has lived through it"
