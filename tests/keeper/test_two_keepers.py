"""Two keepers of one database, as on two hosts: each has sockets of its own, and one of them runs the loops."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends import keeper, stop_lane
from backends.keeper import peers
from opsgate import wire
from tests.keeper.fleet import KeptFleet, Message, SaidWorker, kept_fleet
from tests.support.postgres import postgres_server, postgres_url  # noqa: F401 (fixtures)
from tests.support.waiting import eventually


@pytest.fixture
def shared(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> Iterator[KeptFleet]:
    """A fleet on a kind of database, with a first keeper."""
    on_file = database == "sqlite"
    url = f"sqlite:///{tmp_path / 'fleet.db'}" if on_file else request.getfixturevalue("postgres_url")
    with kept_fleet(url) as fleet:
        yield fleet


class Elsewhere:
    """The second keeper, with a private directory of its own."""

    def __init__(self, fleet: KeptFleet, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "elsewhere"))
        (home / "elsewhere").mkdir(mode=0o700)
        self.address = keeper.ensure(fleet.url)

    def ping(self) -> Message:
        return wire.ask(str(self.address), "ping", timeout_s=20.0) or {}

    def close(self) -> None:
        pid = int(self.ping()["pid"])
        os.kill(pid, signal.SIGTERM)
        eventually(lambda: not peers.started(pid))


@pytest.mark.parametrize(("database", "end"), [("sqlite", signal.SIGKILL), ("postgresql", signal.SIGTERM)])
def test_one_leads_both_serve_and_when_the_leader_ends_the_other_leads(
    shared: KeptFleet, database: str, end: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease that is given back and one that is buried, on either database: the stores keep one contract."""
    here = shared.worker("here")
    second = Elsewhere(shared, home, monkeypatch)
    there = SaidWorker(second.address, "there")
    there.beat()
    eventually(lambda: "there" in shared.backend.state().workers)
    eventually(lambda: shared.ping()["leader"])
    assert [shared.ping()["leader"], second.ping()["leader"]] == [True, False]

    order = stop_lane.new_order()
    assert shared.stop(order).of == 2, "the second keeper was told, and knows the workers of both"
    eventually(lambda: there.heard("order"))
    eventually(lambda: here.heard("delta"))
    here.beat(order.stop_id)
    there.beat(order.stop_id)
    eventually(lambda: shared.result(order) == "verified")

    shared.kill(end)
    eventually(lambda: second.ping()["leader"])
    there.leave()
    eventually(lambda: "there" not in shared.backend.state().workers)
    there.close()
    second.close()
