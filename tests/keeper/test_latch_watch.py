"""The latch watch of a keeper: what it cannot read, it says."""

import logging
from pathlib import Path

import pytest

from backends.keeper.latches import Latches
from backends.keeper.log import NAME
from opsgate import latch
from opsgate.order import Order
from tests.keeper.parts import Parts


def test_a_latch_that_the_keeper_cannot_read_is_told_of_once_and_not_recorded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    parts = Parts()
    latch.place(Order("S-1", parts.clock.now), "f1")
    adopted: list[Order] = []
    watch = Latches(["f1"], lambda: parts.state, adopted.append)

    def denied(_path: Path, _mode: str = "r") -> object:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING, NAME):
        patched.setattr(Path, "open", denied)
        watch.look()
        watch.look()
    told = [record for record in caplog.records if "cannot be read" in record.getMessage()]

    assert [record.__dict__["stop"] for record in told] == ["S-1"]
    assert adopted == []
    watch.look()
    assert [order.stop_id for order in adopted] == ["S-1"]
    parts.close()
