"""A whole incident of services, from the sample to the end of the second recovery, as the console shows it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import JsonValue

from backends.drivers import driver_of
from backends.drivers.base import Host, perform
from backends.drivers.contract import ORDER
from core.capabilities.procedures import SetProcedure
from core.capabilities.services import AddService
from core.capabilities.triggers import AddTrigger
from core.procedures import Procedure, RampStep
from core.state import Emergency
from opsgate import wire
from tests.cli.shell import run
from tests.keeper.fleet import KeptFleet, kept_fleet
from tests.support.fleets import say
from tests.support.services import agent, alive, ended_afterwards
from tests.support.waiting import eventually

SCRIPT = Path(__file__).parent / "scripts" / "services-and-back.yaml"
SH = "/bin/sh"
PATIENCE_S = 120.0

STAGES = ("1-calm", "2-one-lies", "3-acknowledged-and-verified", "4-at-the-gate", "5-turned-back", "6-completed")


class World:
    """``web`` needs ``db``; both are processes. ``liar`` says that it stopped, and has not before
    somebody has mended it."""

    def __init__(self, fleet: KeptFleet, folder: Path) -> None:
        self.fleet = fleet
        self.runs, self.honest, self.well = folder / "runs", folder / "honest", folder / "well"
        self.runs.touch()
        self.folders = [self._process(folder, "db"), self._process(folder, "web", "db")]
        liar: dict[str, JsonValue] = {
            "stop": [SH, "-c", f"test -e {self.honest} && rm -f {self.runs}; exit 0"],
            "start": [SH, "-c", f"echo > {self.runs}"],
            "status": [SH, "-c", f"test -e {self.runs} || exit 3"],
        }
        self._do(AddService(name="liar", driver="command", config=liar))
        self._do(
            AddTrigger(
                name="score",
                trigger_type="health_score_critical",
                thresholds={"healthScore": 30.0},
                stop_level="immediate",
                priority=4,
            )
        )
        ramp = (RampStep(admit=0.25, wait_s=0.5), RampStep(admit=1.0, wait_s=0.0))
        self._do(
            SetProcedure(
                procedure=Procedure(
                    name="critical_recovery", settle_s=0.2, ramp=ramp, monitor_s=0.5, start_timeout_s=8.0
                )
            )
        )

    @property
    def emergency(self) -> Emergency | None:
        """The latest, where there is one."""
        found = self.fleet.backend.state().emergencies.values()
        return max(found, key=lambda each: each.opened_at, default=None)

    def goes_on(self) -> None:
        """What happens outside the console, each when the console has come to it."""
        state = self.fleet.backend.state
        eventually(lambda: ("site", "score-may-fall") in state().names, within_s=PATIENCE_S)
        sample = {"metric": "healthScore", "value": 12.0}
        wire.tell(str(self.fleet.address), "sample", worker="monitor", samples=[sample])
        self._when(lambda case: bool(case.acked_by))
        self.honest.touch()  # somebody mends the liar, which is tried again
        self._when(lambda case: case.recovery is not None and case.recovery.status == "failed")
        self.well.touch()

    def _when(self, fact: Callable[[Emergency], bool]) -> None:
        eventually(lambda: (case := self.emergency) is not None and fact(case), within_s=PATIENCE_S)

    def _process(self, folder: Path, name: str, *depends_on: str) -> Path:
        home = folder / name
        home.mkdir()
        config: dict[str, JsonValue] = {"pidfile": f"{home}/pid", "command": [*agent(home)], "restart_s": 0.01}
        health: dict[str, JsonValue] = {"kind": "file", "path": str(self.well)} if depends_on else {}
        wanted = AddService(name=name, driver="process", config=config, health=health, depends_on=depends_on)
        self._do(wanted)
        service = self.fleet.backend.state().services[name]
        driver = driver_of(name, "process", service.config, Host())
        assert perform(driver, "start", ORDER, 60.0).result == "done"
        eventually((home / "status").exists)
        return home

    def _do(self, command: AddService | AddTrigger | SetProcedure) -> None:
        self.fleet.backend.submit(say(command))


@pytest.fixture
def world(home: Path, tmp_path: Path) -> Iterator[World]:
    """The fleet with its keeper, and its services up."""
    with ended_afterwards(tmp_path), kept_fleet(f"sqlite:///{tmp_path}/fleet.db") as fleet:
        yield World(fleet, tmp_path)


@pytest.mark.xdist_group("demo")
def test_from_the_falling_score_to_the_second_recovery_as_the_console_shows_it(world: World, tmp_path: Path) -> None:
    outside = threading.Thread(target=world.goes_on, daemon=True)
    outside.start()

    answer = run("-b", world.fleet.url, "script", str(SCRIPT), "--out", str(tmp_path), timeout_s=280)

    assert answer.code == 0, answer.out + answer.err
    outside.join(PATIENCE_S)
    case = world.emergency
    assert case is not None
    assert (case.status, case.failed_recoveries, case.trigger) == ("ended", 1, "score")
    assert all(map(alive, world.folders))
    assert world.runs.exists(), "the recovery started it"
    assert all((tmp_path / f"services-{stage}.svg").is_file() for stage in STAGES)
