"""Services and a real keeper: a stop is verified by what was seen of them, whatever their drivers say."""

import itertools
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.drivers import driver_of
from backends.drivers.base import Host, perform
from backends.drivers.contract import ORDER
from backends.driving import inventory, inventory_home
from core.capabilities.services import AddService
from core.state import Stop
from opsgate.order import Level, Order
from opsgate.selector import Selector
from tests.keeper.fleet import KeptFleet, kept_fleet
from tests.support.fleets import say
from tests.support.services import agent, alive, ended_afterwards
from tests.support.waiting import eventually

SH = "/bin/sh"
PATIENCE_S = 60.0

_numbers = itertools.count(1)


class Services:
    """A fleet whose services are agents in folders of their own."""

    def __init__(self, fleet: KeptFleet, folder: Path, database: Path) -> None:
        self.fleet, self.folder, self.database = fleet, folder, database
        self.home = {name: os.environ[name] for name in os.environ if name.startswith(("XDG_", "HOME", "OPSGATE_"))}

    def add(self, name: str, driver: str, config: object, *depends_on: str) -> None:
        """Register one."""
        settings = json.loads(json.dumps(config))
        self.fleet.backend.submit(say(AddService(name=name, driver=driver, config=settings, depends_on=depends_on)))

    def agent(self, name: str, *patterns: str, depends_on: tuple[str, ...] = ()) -> Path:
        """Register one that is a process, and start it; its folder."""
        folder = self.folder / name
        folder.mkdir()
        config = {"pidfile": f"{folder}/pid", "command": agent(folder, *patterns), "restart_s": 0.01}
        assert perform(driver_of(name, "process", json.dumps(config), Host()), "start", ORDER, 60.0).result == "done"
        eventually((folder / "status").exists)
        self.add(name, "process", config, *depends_on)
        return folder

    def order(self, *names: str, level: Level = "immediate") -> Order:
        """An order to stop these."""
        selectors = tuple(Selector.of(service=name) for name in names)
        return Order(f"S-{next(_numbers)}", datetime.now(UTC), selectors, level)

    def stop(self, order: Order) -> Stop:
        """What the journal knows of a stop that it has."""
        found = self.fleet.find(order)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """One keeper for all tests of this module, each of which has services of its own."""
    folder = tmp_path_factory.mktemp("services")
    database = folder / "fleet.db"
    with ended_afterwards(folder), kept_fleet(f"sqlite:///{database}") as fleet:
        yield Services(fleet, folder, database)


@pytest.fixture(autouse=True)
def its_home(home: Path, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test lives where the keeper does, and not in a home of its own."""
    for name, value in services.home.items():
        monkeypatch.setenv(name, value)


def test_a_stop_is_verified_when_its_services_have_been_seen_to_stop(services: Services) -> None:
    """One that hears, and one that ignores signals and has children that nobody is the parent of."""
    meek, nasty = services.agent("meek", "forks"), services.agent("nasty", "deaf", "forks", "orphans")
    order = services.order("meek", "nasty")
    services.fleet.stop(order)
    eventually(lambda: services.fleet.result(order) == "verified", within_s=PATIENCE_S)
    assert (alive(meek), alive(nasty)) == ([], [])
    stop = services.stop(order)
    assert {step.service: step.actions[-1].action for step in stop.services} == {"meek": "kill", "nasty": "kill"}
    assert all(step.actions[-1].took_s > 0 for step in stop.services)
    assert services.fleet.backend.state().services["meek"].standing == "stopped"


def test_one_that_lies_and_one_that_hangs_hold_up_nobody_and_are_missing(services: Services) -> None:
    """Their drivers say that they stopped, or never come back; the others have stopped long before the time is up."""
    runs = services.folder / "runs"
    runs.touch()
    status = [SH, "-c", f"test -e {runs} || exit 3"]
    services.add("liar", "command", {"stop": [SH, "-c", "exit 0"], "status": status})
    services.add("hangs", "command", {"stop": [SH, "-c", "trap '' TERM; sleep 600"], "status": status})
    services.add("broken", "process", {"pidfile": "relative"})
    honest = services.agent("honest")
    order = services.order("liar", "hangs", "broken", "honest")
    services.fleet.stop(order)
    eventually(lambda: any(step.has_stopped for step in services.stop(order).services), within_s=PATIENCE_S)
    assert (alive(honest), services.fleet.result(order)) == ([], "pending")
    eventually(lambda: services.fleet.result(order) == "partial", within_s=PATIENCE_S)
    assert services.stop(order).missing == ("service:broken", "service:hangs", "service:liar")
    eventually(lambda: services.fleet.backend.state().services["liar"].standing == "not-stopped", within_s=PATIENCE_S)
    runs.unlink()
    eventually(lambda: services.stop(order).missing == ("service:broken",), within_s=PATIENCE_S)


def test_a_cascade_stops_dependants_before_what_they_depend_on(services: Services) -> None:
    """A tier begins as soon as the one before it has stopped, and not only when its slice of the time begins."""
    for name, depends_on in (("store", ()), ("billing", ("store",)), ("shop", ("billing",))):
        services.agent(name, depends_on=depends_on)
    registered = services.fleet.backend.latest().revision
    eventually(lambda: services.fleet.ping()["revision"] >= registered)  # it drives those that it knows of by then
    order = services.order("store", "billing", "shop", level="cascading")
    services.fleet.stop(order)
    eventually(lambda: services.fleet.result(order) == "verified", within_s=PATIENCE_S)
    steps = services.stop(order).services
    assert [step.service for step in steps] == ["shop", "billing", "store"]
    stopped = [step.stopped_at for step in steps]
    assert stopped == sorted(filter(None, stopped))


def test_what_is_started_again_while_its_stop_is_in_force_is_stopped_again(services: Services) -> None:
    """Whoever did that: nothing starts but by a recovery."""
    folder = services.agent("phoenix")
    order = services.order("phoenix")
    services.fleet.stop(order)
    eventually(lambda: services.fleet.result(order) == "verified", within_s=PATIENCE_S)
    config = services.fleet.backend.state().services["phoenix"].config
    perform(driver_of("phoenix", "process", config, Host()), "start", ORDER, 60.0)
    eventually(lambda: bool(alive(folder)))
    eventually(lambda: not alive(folder), within_s=PATIENCE_S)
    eventually(lambda: len(services.stop(order).services[0].actions) == 2, within_s=PATIENCE_S)
    eventually(lambda: services.fleet.result(order) == "verified", within_s=PATIENCE_S)


def test_the_next_keeper_goes_on_watching_what_the_one_before_saw_stopped(services: Services) -> None:
    folder = services.agent("relit")
    order = services.order("relit")
    services.fleet.stop(order)
    eventually(lambda: services.fleet.result(order) == "verified", within_s=PATIENCE_S)
    services.fleet.kill()

    config = services.fleet.backend.state().services["relit"].config
    perform(driver_of("relit", "process", config, Host()), "start", ORDER, 60.0)
    eventually(lambda: bool(alive(folder)))
    services.fleet.start()

    eventually(lambda: not alive(folder), within_s=PATIENCE_S)
    eventually(lambda: len(services.stop(order).services[0].actions) == 2, within_s=PATIENCE_S)
    eventually(lambda: services.fleet.result(order) == "verified", within_s=PATIENCE_S)


def test_services_stop_while_the_database_is_locked_and_are_reported_afterwards(services: Services) -> None:
    """A writer that never ends is in the way of the journal, and of nothing else."""
    folder = services.agent("cut-off", "deaf")
    eventually(lambda: any('"cut-off"' in file.read_text("utf-8") for file in inventory_home().glob("*.json")))
    with closing(sqlite3.connect(services.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        order = services.order("cut-off")
        fired = services.fleet.fire(order)
        assert fired.durable == "spool"
        eventually(lambda: not alive(folder), within_s=PATIENCE_S)
        other.execute("ROLLBACK")
    eventually(lambda: services.fleet.result(order) == "verified", within_s=PATIENCE_S)


@pytest.mark.parametrize("level", ["immediate", "graceful", "maintenance"])
def test_a_keeper_that_is_killed_in_the_middle_is_followed_by_one_that_goes_on(
    services: Services, level: Level
) -> None:
    """The next one does again what may have been done, and starts nothing."""
    name = f"halfway-{level}"
    folder = services.folder / name
    gate = services.folder / f"open-{level}"
    script = f"until test -e {gate}; do sleep 0.05; done; rm -f {folder}; echo x >> {folder}.done"
    folder.touch()
    command = [SH, "-c", script]
    services.add(name, "command", {"stop": command, "status": [SH, "-c", f"test -e {folder} || exit 3"]})
    order = services.order(name, level=level)
    services.fleet.stop(order)
    eventually(lambda: services.fleet.find(order) is not None)
    services.fleet.kill()
    gate.touch()
    assert services.fleet.result(order) == "pending"
    services.fleet.start()
    eventually(lambda: services.fleet.result(order) == "verified", within_s=PATIENCE_S)
    assert not folder.exists()


def test_a_keeper_whose_starter_ignored_the_end_of_children_knows_how_commands_ended(services: Services) -> None:
    """That is handed on to whatever is started, and the exit code of every command would be 0: runs, and done."""
    ignoring = ["env", "--ignore-signal=CHLD", sys.executable, "-P", "-m", "backends.keeper", "--detach", "--backend"]
    nowhere = subprocess.run([*ignoring, f"sqlite:///{services.folder}/no/such.db"], check=False, capture_output=True)
    assert nowhere.returncode == 3, "whoever detached it hears how it ended, too"
    runs = services.folder / "commanded"
    runs.touch()
    services.fleet.kill()
    subprocess.run([*ignoring, services.fleet.url], check=True, capture_output=True)
    services.add(
        "commanded", "command", {"stop": ["/bin/rm", f"{runs}"], "status": [SH, "-c", f"test -e {runs} || exit 3"]}
    )
    order = services.order("commanded")
    services.fleet.stop(order)
    eventually(lambda: services.fleet.result(order) == "verified", within_s=PATIENCE_S)
    assert not runs.exists()


def test_an_inventory_of_services_is_kept_on_this_host_for_this_user_alone(services: Services) -> None:
    """What a stop of this host goes by when nothing else is alive."""
    services.add("listed", "command", {"stop": [SH, "-c", "exit 0"], "status": [SH, "-c", "exit 3"]})
    fleet = services.fleet.backend.state().fleet
    eventually(lambda: "listed" in inventory.read((fleet,)).services, within_s=PATIENCE_S)
    [path] = inventory_home().glob(f"{fleet}.json")
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o666)
    assert inventory.read((fleet,)).services == {}
    path.chmod(0o600)
