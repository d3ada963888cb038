"""The promises of a driver, kept by each of ours over a real service."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.drivers import driver_of
from backends.drivers.base import Driver, DriverOrder, Host, Member, perform
from backends.drivers.contract import ORDER, DriverContract
from tests.support.cluster import Cluster
from tests.support.services import Web, agent, alive, as_json, ended_afterwards
from tests.support.systemd import fake_systemctl
from tests.support.waiting import eventually


class Service:
    """A service with its driver, and how else to tell whether it runs."""

    def __init__(self, driver: Driver, runs: Callable[[], bool], turn_deaf: Callable[[], bool]) -> None:
        self.driver = driver
        self.runs = runs
        self.turn_deaf = turn_deaf


def made(kind: str, config: object, host: Host | None = None) -> Driver:
    """A driver, from what an administrator would write."""
    return driver_of("billing", kind, json.dumps(config), host or Host())


def deaf(folder: Path) -> bool:
    (folder / "deaf").touch()
    return True


class TestProcess(DriverContract):
    """A program that forks, and ends when it is asked to."""

    PATTERNS: tuple[str, ...] = ("forks",)

    @pytest.fixture
    def case(self, tmp_path: Path) -> Iterator[Service]:
        config = {"pidfile": f"{tmp_path}/pid", "command": agent(tmp_path, *self.PATTERNS), "restart_s": 0.01}
        driver = made("process", config)
        with ended_afterwards(tmp_path):
            assert perform(driver, "start", ORDER, 10.0).result == "done"
            eventually((tmp_path / "status").exists)
            yield Service(driver, lambda: bool(alive(tmp_path)), lambda: False)


class TestNastyProcess(TestProcess):
    """One that ignores whoever asks, and has children that nobody is the parent of."""

    PATTERNS = ("forks", "orphans")

    @pytest.fixture
    def case(self, tmp_path: Path) -> Iterator[Service]:
        config = {"pidfile": f"{tmp_path}/pid", "command": agent(tmp_path, "deaf", *self.PATTERNS)}
        driver = made("process", config)
        with ended_afterwards(tmp_path):
            assert perform(driver, "start", ORDER, 10.0).result == "done"
            eventually(lambda: (tmp_path / "status").exists() and len(alive(tmp_path)) == 4)
            driver.can -= {"stop"}  # it would not hear of it
            yield Service(driver, lambda: bool(alive(tmp_path)), lambda: True)


class TestControlFile(DriverContract):
    """An agent that looks at a file."""

    @pytest.fixture
    def case(self, tmp_path: Path) -> Iterator[Service]:
        host = made("process", {"pidfile": f"{tmp_path}/pid", "command": agent(tmp_path)})
        config = {"file": f"{tmp_path}/control", "status": {"path": f"{tmp_path}/status"}}
        with ended_afterwards(tmp_path):
            perform(host, "start", ORDER, 10.0)
            eventually((tmp_path / "status").exists)
            driver = made("control-file", config)
            yield Service(driver, lambda: (tmp_path / "status").read_text() == "running", lambda: deaf(tmp_path))


class TestSignal(DriverContract):
    """An agent that listens for two signals."""

    @pytest.fixture
    def case(self, tmp_path: Path) -> Iterator[Service]:
        host = made("process", {"pidfile": f"{tmp_path}/pid", "command": agent(tmp_path)})
        config = {"pidfile": f"{tmp_path}/pid", "status": {"path": f"{tmp_path}/status"}}
        with ended_afterwards(tmp_path):
            perform(host, "start", ORDER, 10.0)
            eventually((tmp_path / "status").exists)

            def runs() -> bool:
                return bool(alive(tmp_path)) and (tmp_path / "status").read_text() == "running"

            yield Service(made("signal", config), runs, lambda: deaf(tmp_path))


class TestCommand(DriverContract):
    """Programs that stop and start something; what it says, a file says."""

    @pytest.fixture
    def case(self, tmp_path: Path) -> Service:
        running = tmp_path / "running"
        running.touch()
        script = tmp_path / "control.sh"
        script.write_text(
            f"cd {tmp_path}; case $OPSCONSOLE_ACTION in\n"
            "start) touch running;; stop) test -e deaf || rm -f running;; kill) rm -f running;;\n"
            "status) test -e running || exit 3;; esac\n"
        )
        argv = ["/bin/sh", str(script)]
        driver = made("command", {"stop": argv, "kill": argv, "start": argv, "status": argv})
        return Service(driver, running.exists, lambda: deaf(tmp_path))


class TestHttp(DriverContract):
    """A service that is asked over HTTP, as S1's integrations are."""

    @pytest.fixture
    def case(self) -> Iterator[Service]:
        state = {"runs": True, "deaf": False}

        def answer(method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
            if method == "POST":
                told = json.loads(body)
                assert told["correlationId"] == "S-1"
                if path == "/start" or not state["deaf"]:
                    state["runs"] = path == "/start"
                return 200, as_json({"success": True})
            return 200, as_json({"state": "running" if state["runs"] else "stopped"})

        web = Web(answer)
        config = {
            "url": web.url,
            "allow": ["127.0.0.1"],
            "stop": {"path": "/emergency-stop"},
            "start": {"path": "/start"},
            "status": {"path": "/state"},
        }
        yield Service(made("http", config), lambda: state["runs"], lambda: not state.update(deaf=True))
        web.close()


class TestGate(DriverContract):
    """A group of workers that acknowledge."""

    @pytest.fixture
    def case(self) -> Service:
        acknowledged: dict[str, Any] = {"deaf": False, "asked": False}

        def members() -> tuple[Member, ...]:
            stops = frozenset({"S-1"}) if acknowledged["asked"] and not acknowledged["deaf"] else frozenset[str]()
            group = Member("w1", {"env": ("prod",)}, True, False, stops, 0 if stops else 1)
            other = Member("w2", {"env": ("dev",)}, True, False, frozenset(), 1)
            return group, other

        driver = made("gate", {"scope": {"env": "prod"}}, Host(members=members))
        stop = driver.stop  # type: ignore[attr-defined]  # the hold that a stop places, which no driver does

        def placed(order: Any, timeout_s: float) -> Any:
            acknowledged["asked"] = True
            return stop(order, timeout_s)

        start = driver.start  # type: ignore[attr-defined]  # the hold that a recovery raises, likewise

        def raised(order: Any, timeout_s: float) -> Any:
            acknowledged["asked"] = False
            return start(order, timeout_s)

        driver.stop, driver.start = placed, raised  # type: ignore[attr-defined]  # in place of those two
        runs = lambda: not acknowledged["asked"] or acknowledged["deaf"]  # noqa: E731 (one line says it)
        return Service(driver, runs, lambda: not acknowledged.update(deaf=True))


def test_a_group_that_a_recovery_starts_runs_although_nothing_is_admitted_yet_until_it_is_stopped_again() -> None:
    """Its workers live, and acknowledge the stop until the hold lets the first work through."""
    worker = Member("w1", {"env": ("prod",)}, True, False, frozenset({"S-1"}), 0)
    driver = made("gate", {"scope": {"env": "prod"}}, Host(members=lambda: (worker,)))
    order = DriverOrder("c-1", stop_id="S-1")
    perform(driver, "stop", order, 1.0)
    assert driver.observe(1.0).standing == "stopped"

    assert perform(driver, "start", DriverOrder("R-1"), 1.0).result == "done"
    assert driver.observe(1.0).standing == "running"

    perform(driver, "stop", DriverOrder("R-1"), 1.0)
    assert driver.observe(1.0).standing == "stopped"


def test_a_process_that_was_killed_instead_of_told_to_pause_is_started_again_by_its_command(tmp_path: Path) -> None:
    """As an immediate stop does."""
    status = {"path": f"{tmp_path}/status"}
    config = {"pidfile": f"{tmp_path}/pid", "status": status, "command": [*agent(tmp_path)]}
    with ended_afterwards(tmp_path):
        driver = made("signal", config)
        assert perform(driver, "start", ORDER, 60.0).result == "done"
        eventually(lambda: driver.observe(5.0).standing == "running")
        perform(driver, "kill", ORDER, 60.0)
        eventually(lambda: driver.observe(5.0).standing == "stopped")

        assert perform(driver, "start", ORDER, 60.0).result == "done"
        eventually(lambda: driver.observe(5.0).standing == "running")


class TestSystemd(DriverContract):
    """A unit, by a systemctl that says what a real one says."""

    @pytest.fixture
    def case(self, tmp_path: Path) -> Service:
        config = {"unit": "billing.service", "systemctl": str(fake_systemctl(tmp_path))}
        runs = (tmp_path / "active").exists
        return Service(made("systemd", config), runs, lambda: deaf(tmp_path))


class TestKubernetes(DriverContract):
    """A Deployment, at a server that answers as the API does."""

    @pytest.fixture
    def case(self) -> Iterator[Service]:
        cluster = Cluster(replicas=3)
        yield Service(made("kubernetes", cluster.config("scale")), cluster.runs, cluster.turn_deaf)
        cluster.close()


class TestAnnotatedKubernetes(TestKubernetes):
    """A Deployment whose pods pause when it is annotated."""

    HOW = "annotate"

    @pytest.fixture
    def case(self) -> Iterator[Service]:
        cluster = Cluster(replicas=2)
        yield Service(made("kubernetes", cluster.config(self.HOW)), cluster.runs, cluster.turn_deaf)
        cluster.close()


class TestConfiguredKubernetes(TestAnnotatedKubernetes):
    """Pods that pause by a ConfigMap which they mount."""

    HOW = "configmap"
