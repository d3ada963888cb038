"""Recoveries and a real keeper: what comes back is seen to run, and what does not is stopped again."""

import itertools
import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.drivers import driver_of
from backends.drivers.base import Host, perform
from backends.drivers.contract import ORDER
from core.capabilities.procedures import SetProcedure
from core.capabilities.recovery import AbortRecovery, Recover
from core.capabilities.services import AddService
from core.procedures import Procedure, RampStep
from core.recoveries import Recovery
from core.state import Emergency
from opsgate.order import Order
from opsgate.selector import Selector, scope_text
from tests.keeper.fleet import KeptFleet, kept_fleet
from tests.support.fleets import say
from tests.support.services import agent, alive, ended_afterwards
from tests.support.waiting import eventually

PATIENCE_S = 60.0

QUICK = Procedure(
    name="quick",
    settle_s=0.2,
    ramp=(RampStep(admit=0.5, wait_s=0.2), RampStep(admit=1.0, wait_s=0.0)),
    monitor_s=0.5,
    start_timeout_s=30.0,
)
WATCHED = QUICK.model_copy(update={"name": "watched", "monitor_s": 3600.0})

HOMES = ("XDG_", "HOME", "OPSGATE_")

Place = tuple[KeptFleet, Path, dict[str, str]]

_numbers = itertools.count(1)


class Incident:
    """Two processes that have been stopped: ``web`` needs ``db``."""

    def __init__(self, fleet: KeptFleet, folder: Path) -> None:
        number = next(_numbers)
        self.fleet = fleet
        self.names = (f"db-{number}", f"web-{number}")
        self.folders = [self._agent(folder, name, *self.names[:at]) for at, name in enumerate(self.names)]
        self.selectors = tuple(Selector.of(service=name) for name in self.names)
        order = Order(f"S-{number}", datetime.now(UTC), self.selectors)
        self.fleet.stop(order)
        eventually(lambda: fleet.result(order) == "verified", within_s=PATIENCE_S)
        stop = fleet.find(order)
        assert stop is not None
        self.emergency_id, self.scope = stop.emergency_id, scope_text(self.selectors)
        assert not any(map(alive, self.folders))

    def recover(self, procedure: str) -> None:
        """A person begins to recover it."""
        self.fleet.backend.submit(
            say(Recover(emergency_id=self.emergency_id, reason="mended", confirm=self.scope, procedure=procedure))
        )

    @property
    def emergency(self) -> Emergency:
        """As the journal has it now."""
        return self.fleet.backend.state().emergencies[self.emergency_id]

    @property
    def recovery(self) -> Recovery:
        """As the journal has it now."""
        recovery = self.emergency.recovery
        assert recovery is not None
        return recovery

    def comes_to(self, status: str) -> None:
        """Wait for an end."""
        eventually(lambda: self.recovery.status == status, within_s=PATIENCE_S)

    def _agent(self, folder: Path, name: str, *depends_on: str) -> Path:
        home = folder / name
        home.mkdir()
        config = {"pidfile": f"{home}/pid", "command": agent(home), "restart_s": 0.01}
        text = json.dumps(config)
        assert perform(driver_of(name, "process", text, Host()), "start", ORDER, 60.0).result == "done"
        eventually((home / "status").exists)
        wanted = AddService(name=name, driver="process", config=json.loads(text), depends_on=depends_on)
        self.fleet.backend.submit(say(wanted))
        return home


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One keeper for all tests of this module, each of which has services of its own."""
    folder = tmp_path_factory.mktemp("recoveries")
    with ended_afterwards(folder), kept_fleet(f"sqlite:///{folder}/fleet.db") as fleet:
        for procedure in (QUICK, WATCHED):
            fleet.backend.submit(say(SetProcedure(procedure=procedure)))
        yield fleet, folder, {name: os.environ[name] for name in os.environ if name.startswith(HOMES)}


@pytest.fixture
def incident(incidents: Place, home: Path, monkeypatch: pytest.MonkeyPatch) -> Incident:
    """Something that is stopped, at the home where the keeper is."""
    fleet, folder, environment = incidents
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Incident(fleet, folder)


def test_a_recovery_starts_what_was_stopped_and_ends_the_emergency_when_it_was_watched(incident: Incident) -> None:
    incident.recover("quick")
    incident.comes_to("completed")

    assert incident.emergency.status == "ended"
    assert all(map(alive, incident.folders))
    state = incident.fleet.backend.state()
    assert {state.services[name].standing for name in incident.names} == {"running"}
    assert incident.recovery.restored == incident.names


def test_what_falls_while_it_is_watched_turns_all_of_it_back(incident: Incident) -> None:
    incident.recover("watched")
    eventually(lambda: incident.recovery.phase == "monitoring", within_s=PATIENCE_S)
    for pid in alive(incident.folders[0]):
        os.kill(pid, signal.SIGKILL)

    incident.comes_to("failed")

    assert not any(map(alive, incident.folders))
    assert incident.emergency.attention.startswith("manual intervention needed: ")
    assert incident.emergency.status == "active"


def test_a_stop_turns_it_back_and_everything_stops_again(incident: Incident) -> None:
    incident.recover("watched")
    eventually(lambda: incident.recovery.phase == "monitoring", within_s=PATIENCE_S)
    order = Order(f"{incident.emergency_id}-again", datetime.now(UTC), incident.selectors)
    incident.fleet.stop(order)

    incident.comes_to("aborted")
    eventually(lambda: not any(map(alive, incident.folders)), within_s=PATIENCE_S)
    eventually(lambda: incident.fleet.result(order) == "verified", within_s=PATIENCE_S)


def test_a_keeper_that_is_killed_is_followed_by_one_that_goes_on(incident: Incident) -> None:
    incident.recover("watched")
    eventually(lambda: incident.recovery.phase == "gradual_restore", within_s=PATIENCE_S)
    incident.fleet.kill()
    incident.fleet.start()
    eventually(lambda: incident.recovery.phase == "monitoring", within_s=PATIENCE_S)
    assert all(map(alive, incident.folders))

    incident.fleet.kill()
    incident.fleet.backend.submit(say(AbortRecovery(emergency_id=incident.emergency_id)))
    incident.fleet.start()
    incident.comes_to("aborted")

    assert not any(map(alive, incident.folders))
