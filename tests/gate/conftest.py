"""A fleet, a keeper and an open gate for each test that asks for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsgate import Gate
from tests.gate.world import Fleet, Keeper
from tests.support.waiting import eventually


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet with two sites and nothing held."""
    fleet = Fleet(tmp_path / "fleet.db")
    yield fleet
    fleet.close()


@pytest.fixture
def keeper(home: Path) -> Iterator[Keeper]:
    """The keeper of that fleet."""
    keeper = Keeper()
    yield keeper
    keeper.close()


@pytest.fixture
def gate(fleet: Fleet) -> Iterator[Gate]:
    """A gate that has read the fleet."""
    with Gate.open(fleet.url, worker="w1") as gate:
        eventually(lambda: gate.freshness == "valid")
        yield gate
