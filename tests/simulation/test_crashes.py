"""Kill -9 at any moment: what was acknowledged is there, and what is there is whole."""

from __future__ import annotations

import os
import random
import signal
import threading
from pathlib import Path

import pytest

from backends import keeper, open_backend, stop_lane
from backends.keeper import peers
from opsgate import latch, wire
from opsgate.order import Order
from tests.simulation.harness import require_picture, require_whole, rounds, tell
from tests.simulation.nursery import Child, Nursery
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(1800)

WHOLE_EVERY = 10
"""Rounds from one look at the whole journal to the next: what a crash does to a journal stays in it, and a look costs
more each time."""


def run_and_kill(child: Child, chance: random.Random) -> list[dict[str, object]]:
    """Let a child live for a random number of acknowledgements and a random moment more; what it said."""
    patience, moment_s = chance.randrange(12), chance.choice((0.0, chance.uniform(0.0, 0.004)))
    said: list[dict[str, object]] = []
    for line in child.lines():
        said.append(line)
        if len(said) > patience:
            threading.Event().wait(moment_s)
            break
    child.kill()
    said.extend(child.lines())
    child.close()
    return said


def test_whatever_was_acknowledged_before_a_crash_is_there_after_it(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    open_backend(url).close()
    acknowledged: dict[str, int] = {}
    crashes = 0
    with Nursery.open() as nursery:
        for number in rounds(quick=30, full=1000):
            children = [
                nursery.bear("submit", url=url, seed=seed + 10 * number + twin) for twin in range(1 + number % 2)
            ]
            for child in children:
                for said in run_and_kill(child, chance):
                    if said.get("changed"):
                        acknowledged[str(said["command_id"])] = int(str(said["revision"]))
            state = require_picture(url) if number % WHOLE_EVERY else require_whole(url)
            assert state.revision >= max(acknowledged.values(), default=0)
            crashes += len(children)

    require_whole(url)
    backend = open_backend(url)
    recorded = {row.command_id for row in backend.journal(limit=1_000_000)}
    backend.close()
    assert acknowledged.keys() <= recorded, f"lost: {acknowledged.keys() - recorded}"
    tell(f"{crashes} crashes, {len(acknowledged)} acknowledged commands, none lost; seed {seed}")
    assert len(acknowledged) > crashes, "the children got to work"


def test_a_stop_outlives_the_keeper_whenever_that_dies(tmp_path: Path, seed: int) -> None:
    """Whatever the answer to a stop said, the next keeper has it in the journal and the latch lies on disk."""
    chance = random.Random(seed)
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    backend = open_backend(url)
    fleet = backend.latest().fleet
    fired: dict[str, str] = {}
    for _ in rounds(quick=6, full=200):
        address = keeper.ensure(url)
        pong = wire.ask(str(address), "ping", timeout_s=60.0)
        assert pong is not None
        killer = threading.Timer(chance.uniform(0.0, 0.03), os.kill, (int(pong["pid"]), signal.SIGKILL))
        killer.start()
        order = stop_lane.new_order(reason="crash")
        answer = stop_lane.fire(order, url=url, timeout_s=0.5)
        fired[order.stop_id] = answer.durable
        killer.join()
        eventually(lambda pid=int(pong["pid"]): not peers.started(pid))  # type: ignore[misc]  # mypy knows no default
        if answer.durable == "database":
            assert order.stop_id in backend.state().stops
        eventually(lambda: {latched.stop_id for latched in latch.in_force([fleet])} == fired.keys())

    address = keeper.ensure(url)
    eventually(lambda: fired.keys() <= set(backend.state().stops))
    pong = wire.ask(str(address), "ping", timeout_s=60.0)
    assert pong is not None
    os.kill(int(pong["pid"]), signal.SIGTERM)
    backend.close()
    eventually(lambda: keeper.alive(url) is None)
    require_whole(url)
    tell(f"{len(fired)} keepers killed in the middle of a stop, answers {sorted(fired.values())}; seed {seed}")


def test_a_latch_is_there_whole_or_not_at_all(home: Path) -> None:
    """A reader never sees half an order, however often it is placed and taken away beside it."""
    done = threading.Event()

    def place() -> None:
        while not done.is_set():
            latch.place(order, "one")
            latch.remove(order.stop_id, "one")

    order: Order = stop_lane.new_order(reason="x" * 300)
    thread = threading.Thread(target=place)
    thread.start()
    seen = [latch.in_force(["one"]) for _ in range(3000)]
    done.set()
    thread.join()

    assert {orders for orders in seen if orders} <= {(order,)}
