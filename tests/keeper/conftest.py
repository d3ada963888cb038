"""The fleet of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsgate import permits
from tests.keeper.fleet import KeptFleet, kept_fleet
from tests.keeper.parts import close_endpoints


@pytest.fixture(autouse=True)
def closed_endpoints() -> Iterator[None]:
    """Whatever sockets a test opened, they are closed when it ends."""
    yield
    close_endpoints()


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is reserved at a keeper is answered, however busy the machine is."""
    monkeypatch.setattr(permits, "ANSWER_WITHIN_S", 60.0)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[KeptFleet]:
    """A database with a keeper process over it."""
    with kept_fleet(f"sqlite:///{tmp_path / 'fleet.db'}") as made:
        yield made
