"""The spool: whatever lies latched is recorded, or it is said what is in the way, and nothing is released before."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends import open_backend, spool
from core.errors import BackendUnavailable
from core.ports import Backend
from opsgate import latch
from opsgate.order import Order
from opsgate.paths import ALL_FLEETS
from opsgate.selector import EVERYTHING, Selector

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

    with pytest.raises(BackendUnavailable, match="S-1.*2 validation errors.*nothing is released"):
        spool.require_recorded(backend)
