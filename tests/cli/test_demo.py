"""The demo: real processes that import opsgate alone, stops that are proved, and nothing left behind."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BackendUnavailable
from opsconsole.cli.invocation import Invocation
from opsconsole.demo import services
from opsconsole.demo.live import with_services
from opsconsole.demo.plan import members, site_names
from opsconsole.demo.services import MEMBERS
from tests.cli.shell import Shell, environment, keeper_of, run, started
from tests.support import warm
from tests.support.waiting import eventually

pytestmark = pytest.mark.xdist_group("demo")  # two fleets at once would make each other miss their budgets

PATIENCE_S = 60.0
SERVICES = sum(member.has_process for member in MEMBERS)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def pids_in(text: str) -> list[int]:
    return [int(pid) for pid in re.findall(r"process +(\d+)", text)]


class NeverUp:
    """A process that starts and says nothing."""

    def __init__(self, *_command: object, **_how: object) -> None:
        self.pid = 0

    def poll(self) -> int:
        """It is over."""
        return 0

    def wait(self, timeout: float | None = None) -> int:
        """It is over."""
        return 0

    terminate = kill = poll


# ------------------------------------------------------------------------------------------------------------- the plan
def test_twelve_workers_share_five_sites_and_one_hangs_alone_at_the_sixth() -> None:
    fleet = members(12, 6)

    assert Counter(member.character for member in fleet) == {"steady": 10, "slow": 1, "deaf": 1}
    (deaf,) = (member for member in fleet if member.character == "deaf")
    assert [member for member in fleet if member.site == deaf.site] == [deaf]
    assert {member.site for member in fleet} == set(site_names(6))
    assert len({member.worker for member in fleet}) == 12


@pytest.mark.parametrize(("workers", "sites"), [(3, 2), (3, 10), (5, 3), (100, 2), (40, 25)])
def test_every_size_has_one_slow_worker_beside_a_steady_one_and_one_deaf_one_alone(workers: int, sites: int) -> None:
    fleet = members(workers, sites)

    assert len({member.worker for member in fleet}) == workers
    (slow,) = (member for member in fleet if member.character == "slow")
    (deaf,) = (member for member in fleet if member.character == "deaf")
    assert any(member.site == slow.site and member.character == "steady" for member in fleet)
    assert sum(member.site == deaf.site for member in fleet) == 1


def test_a_service_that_does_not_come_up_is_the_hosts_fault_and_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_UP_WITHIN_S", 0.0)
    monkeypatch.setattr(subprocess, "Popen", NeverUp)
    with (
        pytest.raises(
            BackendUnavailable, match=r"^service \w+ did not come up .*: this host is very busy; run it again"
        ),
        with_services(Invocation(), tmp_path, "shop-eu"),
    ):
        pass


def test_a_demo_needs_one_of_each() -> None:
    with pytest.raises(ValueError, match="at least 3 workers and 2 sites"):
        members(2, 2)
    assert run("demo", "--workers", "2").code == 2


def test_sites_have_names_of_their_own_however_many_there_are() -> None:
    assert len(set(site_names(1_000))) == 1_000


# ---------------------------------------------------------------------------------------------------------- the workers
def test_a_worker_of_the_demo_imports_opsgate_and_nothing_else_of_ours() -> None:
    probe = "import json, sys; import opsconsole.demo.worker; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], env=environment(), capture_output=True, text=True, check=True)

    loaded = json.loads(done.stdout)
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"__main__"}
    assert {name for name in foreign if not name.startswith("_")} <= {"opsgate", "opsconsole", "sitecustomize"}
    assert [name for name in loaded if name.startswith("opsconsole")] == [
        "opsconsole",
        "opsconsole.demo",
        "opsconsole.demo.worker",
    ]


# --------------------------------------------------------------------------------------------------------- the incident
def test_without_a_terminal_an_incident_plays_and_each_stop_is_proved(home: Path) -> None:
    answer = run(
        "demo", "--workers", "5", "--sites", "3", "--seconds", "1", "-o", "json", TMPDIR=str(home), timeout_s=280
    )

    assert answer.code == 0, answer.out + answer.err
    first, second = answer.json["stops"]
    deaf = members(5, 3)[-1].worker
    assert (first["result"], first["missing"], first["acked"]) == ("verified", [], first["of"])
    assert (second["result"], second["missing"], second["of"]) == ("partial", [deaf], 5 + len(MEMBERS))
    assert (first["steps_of_stopped"], second["steps_of_stopped"]) == (0, 0)
    assert first["again_after_s"] is not None
    assert f"not known to have stopped: {deaf}" in answer.err
    fired = answer.json["trigger"]
    assert (fired["result"], fired["services"]) == ("verified", ["behavioralEngine", "sessionManager"])
    assert fired["value"].startswith("healthScore 22")
    assert fired["back_after_s"] is not None
    assert len(pids_in(answer.err)) == 5 + SERVICES
    assert not any(map(alive, pids_in(answer.err)))
    assert not list(home.glob("opsconsole-demo-*"))
    left = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert left == []


def test_ended_from_outside_it_takes_its_processes_and_its_folder_along(home: Path) -> None:
    with started("demo", "--workers", "3", "--sites", "2", "--seconds", "60", TMPDIR=str(home)) as process:
        told = _until(process.stderr.readline, "up:")

        process.send_signal(signal.SIGTERM)

        assert process.wait(PATIENCE_S) == 143
    assert len(pids_in(told)) == 3 + SERVICES
    assert not any(map(alive, pids_in(told)))
    assert not list(home.glob("opsconsole-demo-*"))


def test_workers_and_services_do_not_outlive_a_demo_that_is_killed(home: Path) -> None:
    with started("demo", "--workers", "3", "--sites", "2", "--seconds", "60", TMPDIR=str(home)) as process:
        pids = pids_in(_until(process.stderr.readline, "up:"))
        process.kill()

    eventually(lambda: not any(map(alive, pids)), within_s=PATIENCE_S)


def test_over_a_database_of_ones_own_the_fleet_stays_and_only_the_workers_go(ops: Shell, home: Path) -> None:
    url = f"sqlite:///{home}/mine.db"
    ops.ok("sites", "add", "mine", "-b", url)
    with keeper_of(url) as keeper:
        with started(
            "-b", url, "demo", "--workers", "3", "--sites", "2", "--seconds", "60", TMPDIR=str(home)
        ) as process:
            pids = pids_in(_until(process.stderr.readline, "up:"))
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 143

        assert alive(keeper)
    assert len(pids) == 3, "services would be left behind in a database that stays"
    assert not any(map(alive, pids))
    assert "mine" in ops.ok("sites", "list", "-b", url).out


def test_with_a_terminal_the_console_is_over_the_fleet_and_all_of_it_ends_with_it(home: Path) -> None:
    ours, theirs = pty.openpty()
    process = warm.start(
        "opsconsole",
        *("demo", "--workers", "3", "--sites", "2"),
        streams=[theirs] * 3,
        environment=environment(TERM="xterm-256color", TMPDIR=str(home)),
        hangup="SIG_DFL",
    )
    os.close(theirs)
    shown = b""
    try:
        while b"[ RUN]" not in shown:
            shown += os.read(ours, 65_536)
        os.write(ours, b"q")
        while chunk := _read(ours):
            shown += chunk
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    pids = pids_in(shown.decode("utf-8", "replace"))
    assert len(pids) == 3 + SERVICES
    assert not any(map(alive, pids))
    assert not list(home.glob("opsconsole-demo-*"))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed: that is how a terminal says end of file
        return b""


def _until(readline: Callable[[], str], word: str) -> str:
    """The lines of a process up to the one that has this word."""
    told = ""
    while word not in told:
        line = readline()
        assert line, f"it ended before {word!r}: {told}"
        told += line
    return told
