"""Stops and recoveries of real services for a long time, with a keeper that is killed -9 and with one that is not.

At full length (`make soak`) S1's targets are measured over hundreds of incidents: coordination over 99.5 %, uptime over
99.9 %, recovery over 95 %. Here, over a handful.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.drivers import driver_of
from backends.drivers.base import Host, perform
from backends.drivers.contract import ORDER
from core.capabilities.procedures import SetProcedure
from core.capabilities.recovery import Recover
from core.capabilities.services import AddService
from core.figures import figures
from core.procedures import Procedure, RampStep
from core.state import Emergency
from opsgate.order import Level, Order
from opsgate.selector import EVERYTHING, scope_text
from tests.keeper.fleet import KeptFleet, kept_fleet
from tests.simulation.harness import require_whole, rounds, tell
from tests.support.fleets import say
from tests.support.services import agent, alive, ended_afterwards
from tests.support.waiting import eventually

pytestmark = [pytest.mark.timeout(7200), pytest.mark.xdist_group("demo")]

PATIENCE_S = 90.0
LEVELS: tuple[Level, ...] = ("immediate", "graceful", "cascading")
QUICK = Procedure(
    name="quick",
    settle_s=0.1,
    ramp=(RampStep(admit=0.5, wait_s=0.1), RampStep(admit=1.0, wait_s=0.0)),
    monitor_s=0.3,
)


class World:
    """Three processes: ``web`` needs ``api``, which needs ``db``."""

    def __init__(self, fleet: KeptFleet, folder: Path) -> None:
        self.fleet = fleet
        names = ("db", "api", "web")
        self.folders = [folder / name for name in names]
        for at, (name, home) in enumerate(zip(names, self.folders, strict=True)):
            home.mkdir()
            config = {"pidfile": f"{home}/pid", "command": agent(home), "restart_s": 0.01}
            text = json.dumps(config)
            wanted = AddService(name=name, driver="process", config=json.loads(text), depends_on=names[:at][-1:])
            fleet.backend.submit(say(wanted))
            assert perform(driver_of(name, "process", text, Host()), "start", ORDER, 60.0).result == "done"
        fleet.backend.submit(say(SetProcedure(procedure=QUICK)))

    @property
    def running(self) -> list[bool]:
        """Which of them run, by the host's own account."""
        return [bool(alive(folder)) for folder in self.folders]

    def stopped(self, number: int, level: Level) -> Emergency:
        """Order a stop, and wait for its result."""
        order = Order(f"S-{number}", datetime.now(UTC), (EVERYTHING,), level)
        self.fleet.stop(order)
        eventually(lambda: self.fleet.result(order) not in {"unknown", "pending"}, within_s=PATIENCE_S)
        stop = self.fleet.find(order)
        assert stop is not None
        if stop.result == "verified":
            assert self.running == [False, False, False], "a stop that is verified has stopped what it lists"
        return self.fleet.backend.state().emergencies[stop.emergency_id]

    def is_verified(self, number: int) -> None:
        """Wait until a stop is, at last: a keeper that was away when its time was up counts what stopped late."""
        eventually(lambda: self.fleet.backend.state().stops[f"S-{number}"].result == "verified", within_s=PATIENCE_S)

    def recovered(self, emergency: Emergency) -> Emergency:
        """Recover it, and wait for an end."""
        confirm = scope_text(emergency.selectors)
        wanted = Recover(emergency_id=emergency.emergency_id, reason="soak", confirm=confirm, procedure="quick")
        self.fleet.backend.submit(say(wanted))

        def now() -> Emergency:
            return self.fleet.backend.state().emergencies[emergency.emergency_id]

        eventually(lambda: (case := now()).recovery is not None and not case.recovery.is_active, within_s=PATIENCE_S)
        ended = now()
        assert self.running == ([True] * 3 if ended.status == "ended" else [False] * 3), "all of it or nothing"
        return ended

    @contextmanager
    def crashing(self, chance: random.Random) -> Iterator[None]:
        """Meanwhile, kill the keeper once at a random moment, and start another."""

        def crash() -> None:
            threading.Event().wait(chance.uniform(0.0, 1.5))
            self.fleet.kill()
            self.fleet.start()

        killer = threading.Thread(target=crash, daemon=True)
        killer.start()
        try:
            yield
        finally:
            killer.join(PATIENCE_S)


class Probe(threading.Thread):
    """Asks the keeper ten times a second whether it is there."""

    def __init__(self, fleet: KeptFleet) -> None:
        super().__init__(daemon=True)
        self.asked, self.answered = 0, 0
        self._fleet = fleet
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.1):
            self.asked += 1
            self.answered += bool(self._fleet.ping())

    def end(self) -> None:
        self._over.set()
        self.join(10)


@pytest.fixture
def world(home: Path, tmp_path: Path) -> Iterator[World]:
    """The services, up, and their keeper."""
    with ended_afterwards(tmp_path), kept_fleet(f"sqlite:///{tmp_path}/fleet.db") as fleet:
        yield World(fleet, tmp_path)


def test_stops_are_verified_recoveries_complete_and_the_keeper_answers_as_s1_asks(world: World, seed: int) -> None:
    chance, probe = random.Random(seed), Probe(world.fleet)
    probe.start()
    verified = recovered = done = 0
    for number in rounds(quick=4, full=300):
        emergency = world.stopped(number, chance.choice(LEVELS))
        verified += world.fleet.backend.state().stops[f"S-{number}"].result == "verified"
        recovered += world.recovered(emergency).status == "ended"
        done += 1
    probe.end()

    tell(f"{done} incidents: {verified} verified, {recovered} recovered, {probe.answered}/{probe.asked} answers")
    found = figures(world.fleet.backend.state())
    tell(f"a stop took {found.average_stop_time_ms} ms on average")
    assert verified > 0.995 * done
    assert recovered > 0.95 * done
    assert probe.answered > 0.999 * probe.asked


def test_a_keeper_that_is_killed_at_any_moment_starts_nothing_and_verifies_nothing_that_runs(
    world: World, seed: int
) -> None:
    """In each incident once within the stop, where nothing may come back, and once within the recovery."""
    chance, crashes = random.Random(seed), 0
    for number in rounds(quick=2, full=200):
        with world.crashing(chance):
            emergency = world.stopped(number, chance.choice(LEVELS))
        world.is_verified(number)
        assert world.running == [False, False, False], "and another keeper starts nothing"
        with world.crashing(chance):
            ended = world.recovered(emergency)
        if ended.status != "ended":
            ended = world.recovered(ended)
        assert ended.status == "ended"
        crashes += 2
    require_whole(world.fleet.url)
    tell(f"{crashes} crashes in {crashes // 2} incidents")
