"""Processes that do not want to end, and processes that are none of ours."""

import ctypes
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from backends.drivers import driver_of, procs
from backends.drivers.base import Driver, DriverConfigError, Host, Outcome, perform
from backends.drivers.contract import ORDER
from tests.support.services import PYTHON, agent, alive, ended_afterwards, is_alive, noted
from tests.support.waiting import eventually

PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def nobody_is_left(tmp_path: Path) -> Iterator[None]:
    """Whatever a test started here ends with it."""
    with ended_afterwards(tmp_path):
        yield


def process(folder: Path, *patterns: str, **config: object) -> Driver:
    """The driver of an agent with these patterns, whose file lies in the folder."""
    document = {"pidfile": f"{folder}/pid", "command": agent(folder, *patterns), "restart_s": 0.01} | config
    return driver_of("billing", "process", json.dumps(document), Host())


def started(driver: Driver, folder: Path, count: int) -> None:
    """Start it and wait until so many processes live."""
    assert perform(driver, "start", ORDER, PATIENCE_S).result == "done"
    eventually(lambda: (folder / "status").exists() and len(alive(folder)) >= count)


def other(folder: Path, *patterns: str) -> subprocess.Popen[bytes]:
    """An agent that no driver started."""
    child = subprocess.Popen(agent(folder, *patterns), start_new_session=True)
    eventually((folder / "status").exists)
    return child


def kill(driver: Driver) -> Outcome:
    return perform(driver, "kill", ORDER, PATIENCE_S)


def standing(driver: Driver) -> str:
    return driver.observe(PATIENCE_S).standing


# ------------------------------------------------------------------------------------------------ never a false stopped
@pytest.mark.parametrize(
    ("patterns", "count"),
    [(("deaf",), 1), (("deaf", "forks"), 3), (("deaf", "orphans"), 2), (("deaf", "forks", "orphans", "breeds"), 4)],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else "",
)
def test_a_kill_ends_whatever_came_of_a_process(tmp_path: Path, patterns: tuple[str, ...], count: int) -> None:
    """What ignores signals, forks, double-forks into a session of its own, and forks faster than anybody looks."""
    driver = process(tmp_path, *patterns)
    started(driver, tmp_path, count)
    assert perform(driver, "stop", ORDER, 0.1).result == "timed-out"
    assert standing(driver) == "running"
    assert kill(driver).result == "done"
    assert alive(tmp_path) == []
    assert standing(driver) == "stopped"


def test_what_a_process_leaves_behind_runs_and_is_stopped_too(tmp_path: Path) -> None:
    """Its file names a process that is gone, and something that came of it lives on."""
    driver = process(tmp_path, "leaves")
    assert perform(driver, "start", ORDER, PATIENCE_S).result == "done"
    eventually(lambda: len(noted(tmp_path)) == 2 and len(alive(tmp_path)) == 1)
    seen = driver.observe(PATIENCE_S)
    assert (seen.standing, "not its main process" in seen.detail) == ("running", True)
    assert perform(driver, "stop", ORDER, PATIENCE_S).result == "done"
    assert alive(tmp_path) == []


def test_who_runs_is_said_once(tmp_path: Path) -> None:
    """The numbers are there for what came of the process, which has no other name."""
    driver = process(tmp_path)
    started(driver, tmp_path, 1)
    [pid] = alive(tmp_path)
    assert driver.observe(PATIENCE_S).detail == f"process {pid}"
    assert perform(driver, "stop", ORDER, PATIENCE_S).result == "done"


def test_a_frozen_process_is_not_one_that_has_stopped(tmp_path: Path) -> None:
    """Somebody may let it go on."""
    driver = process(tmp_path)
    started(driver, tmp_path, 1)
    [pid] = alive(tmp_path)
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: "frozen" in driver.observe(PATIENCE_S).detail)
    assert standing(driver) == "running"
    assert perform(driver, "stop", ORDER, PATIENCE_S).result == "done", "it is woken to hear that it should end"


@contextmanager
def held_at_its_exit(pid: int) -> Iterator[None]:
    """What is killed meanwhile waits in the kernel, as it does where its disk is frozen: whoever traces it holds it."""
    trace = ctypes.CDLL(None, use_errno=True).ptrace
    trace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    seize, detach, at_exit = 0x4206, 17, 0x40
    assert trace(seize, pid, None, at_exit) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        trace(detach, pid, None, None)


def test_a_process_that_waits_in_the_kernel_has_not_stopped_before_it_is_gone(tmp_path: Path) -> None:
    """No signal ends it any more; it is said to run, however often it is killed, and to have stopped once it has."""
    child = other(tmp_path)
    (tmp_path / "pid").write_text(str(child.pid))
    driver = driver_of("billing", "process", json.dumps({"pidfile": f"{tmp_path}/pid", "restart_s": 0.01}), Host())
    with held_at_its_exit(child.pid):
        for _ in range(2):
            assert perform(driver, "kill", ORDER, 0.3).result != "done"
            assert standing(driver) not in {"stopped", "unknown"}
    eventually(lambda: standing(driver) == "stopped")
    child.wait()


def test_a_process_that_somebody_starts_again_is_seen_to_run(tmp_path: Path) -> None:
    """A supervisor outside of its tree writes a new file as soon as the process is gone."""
    line = " ".join(agent(tmp_path))
    script = f"while test -e {tmp_path}/again; do {line} & echo $! > {tmp_path}/pid; wait $!; done"
    (tmp_path / "again").touch()
    supervisor = subprocess.Popen(["/bin/sh", "-c", script], start_new_session=True)
    driver = driver_of("billing", "process", json.dumps({"pidfile": f"{tmp_path}/pid", "restart_s": 0.2}), Host())
    eventually(lambda: bool(alive(tmp_path)) and standing(driver) == "running")
    kill(driver)
    eventually(lambda: standing(driver) == "running")
    assert driver.settle_s == pytest.approx(0.6), "for so long it must be seen stopped before that is believed"
    (tmp_path / "again").unlink()
    supervisor.kill()
    supervisor.wait()


def test_a_file_that_is_not_there_says_nothing_of_what_runs(tmp_path: Path) -> None:
    """Its path may be wrong. That nobody runs the program is another matter."""
    where = {"pidfile": f"{tmp_path}/wrong"}
    assert standing(driver_of("billing", "process", json.dumps(where), Host())) == "unknown"
    program = tmp_path / "program"
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    driver = driver_of("billing", "process", json.dumps(where | {"exe": str(program)}), Host())
    assert standing(driver) == "stopped"
    child = subprocess.Popen([program, "60"])
    try:
        eventually(lambda: standing(driver) == "unknown")
        assert kill(driver).detail == "nothing of it was running", "no file names it, so it is not touched"
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


# ------------------------------------------------------------------------------------------------- never a wrong kill
def test_a_number_that_was_given_to_somebody_else_is_not_touched(tmp_path: Path) -> None:
    """The file was written before the process that has its number now was started, and that runs another program: the
    one that it meant is gone."""
    child = other(tmp_path)
    (tmp_path / "pid").write_text(f"{child.pid}\n")
    long_ago = time.time() - 60
    os.utime(tmp_path / "pid", (long_ago, long_ago))
    driver = process(tmp_path, exe="/bin/sleep")
    assert standing(driver) == "stopped"
    assert (kill(driver).detail, child.poll()) == ("nothing of it was running", None)
    child.kill()
    child.wait()


@pytest.mark.parametrize("exe", ["", PYTHON])
def test_a_clock_that_was_put_forward_makes_nothing_stopped(tmp_path: Path, exe: str) -> None:
    """A host whose clock is set after its services have begun: each seems younger than the file that names it."""
    child = other(tmp_path)
    (tmp_path / "pid").write_text(f"{child.pid}\n")
    before = time.time() - 3600
    os.utime(tmp_path / "pid", (before, before))
    driver = process(tmp_path, exe=exe)
    seen = driver.observe(PATIENCE_S)
    assert (seen.standing, kill(driver).result, child.poll()) == ("unknown", "refused", None)
    assert "younger than the file" in seen.detail
    child.kill()
    child.wait()


def test_a_group_that_is_not_there_says_nothing_of_what_runs(tmp_path: Path) -> None:
    """Its path may be wrong, or this host may have none of that version."""
    assert standing(process(tmp_path, cgroup=f"{tmp_path}/wrong")) == "unknown"


def test_a_number_with_another_start_is_not_touched(tmp_path: Path) -> None:
    """Our own file says when the process started, to the tick."""
    child = other(tmp_path)
    (tmp_path / "pid").write_text(f"{child.pid} 17\n")
    driver = process(tmp_path)
    assert (standing(driver), kill(driver).detail) == ("stopped", "nothing of it was running")
    assert child.poll() is None
    child.kill()
    child.wait()


def test_a_signal_goes_to_the_process_that_was_seen_or_to_nobody(tmp_path: Path) -> None:
    """The number of one that has ended meanwhile may be somebody else's."""
    child = other(tmp_path)
    was = procs.seen(child.pid)
    assert was is not None
    assert not procs.send(was._replace(started=was.started + 1), signal.SIGKILL)
    assert child.poll() is None
    assert procs.send(was, signal.SIGKILL)
    child.wait()
    assert not procs.send(was, signal.SIGKILL)


@pytest.mark.parametrize("named", [1, 0, os.getpid(), os.getppid()], ids=["first", "nobody", "ourselves", "our parent"])
def test_some_processes_are_never_touched(tmp_path: Path, named: int) -> None:
    """Whatever a file says."""
    (tmp_path / "pid").write_text(f"{named}\n")
    driver = process(tmp_path)
    assert standing(driver) in ("unknown", "stopped")
    assert kill(driver).result == "refused" or kill(driver).detail == "nothing of it was running"
    assert is_alive(os.getppid())


def test_a_process_of_another_user_is_not_touched(tmp_path: Path) -> None:
    """Even where its number stands in a file of ours."""
    child = other(tmp_path)
    (tmp_path / "pid").write_text(f"{child.pid}\n")
    driver = process(tmp_path, user=os.geteuid() + 1)
    seen = driver.observe(PATIENCE_S)
    assert (seen.standing, kill(driver).result, child.poll()) == ("unknown", "refused", None)
    child.kill()
    child.wait()


def test_a_process_that_runs_another_program_is_not_touched(tmp_path: Path) -> None:
    child = other(tmp_path)
    (tmp_path / "pid").write_text(f"{child.pid}\n")
    driver = process(tmp_path, exe="/bin/sleep")
    assert (standing(driver), kill(driver).result, child.poll()) == ("unknown", "refused", None)
    assert standing(process(tmp_path, exe=PYTHON)) == "running"
    child.kill()
    child.wait()


@pytest.mark.parametrize("how", ["symlink", "writable", "words", "folder", "pipe"])
def test_a_file_that_others_could_have_planted_is_not_believed(tmp_path: Path, how: str) -> None:
    child = other(tmp_path)
    path = tmp_path / "pid"
    match how:
        case "symlink":
            (tmp_path / "real").write_text(str(child.pid))
            path.symlink_to(tmp_path / "real")
        case "writable":
            path.write_text(str(child.pid))
            path.chmod(0o666)
        case "words":
            path.write_text(f"{child.pid}; rm -rf /")
            path.write_text(f"-{child.pid}")
        case "folder":
            path.mkdir()
        case _:
            os.mkfifo(path)
    driver = process(tmp_path)
    assert (standing(driver), kill(driver).result, child.poll()) == ("unknown", "refused", None)
    child.kill()
    child.wait()


def test_a_signal_that_would_be_a_death_is_not_sent_as_a_message(tmp_path: Path) -> None:
    """The default of SIGUSR1 is to end whoever does not listen for it."""
    config = {"drain_signal": "USR1"}
    driver = process(tmp_path, "silent", **config)
    started(driver, tmp_path, 1)
    assert perform(driver, "drain", ORDER, PATIENCE_S).result == "refused"
    assert len(alive(tmp_path)) == 1
    kill(driver)
    listening = process(tmp_path, **config)
    started(listening, tmp_path, 1)
    assert perform(listening, "drain", ORDER, PATIENCE_S).result == "done"
    eventually(lambda: (tmp_path / "status").read_text() == "paused")


# ------------------------------------------------------------------------------------------------------------- cgroups
def test_a_group_of_the_kernel_ends_all_at_once(tmp_path: Path, cgroup: Path | None) -> None:
    """Where this user may make one; elsewhere such a driver says that it cannot start anything."""
    folder = cgroup or tmp_path / "no-cgroup"
    driver = process(tmp_path, "deaf", "forks", "orphans", cgroup=str(folder))
    if cgroup is None:
        folder.write_text("")
        assert perform(driver, "start", ORDER, PATIENCE_S).result == "failed"
        return
    started(driver, tmp_path, 4)
    assert set(alive(tmp_path)) <= {int(pid) for pid in (cgroup / "cgroup.procs").read_text().split()}
    assert kill(driver).result == "done"
    assert (alive(tmp_path), standing(driver)) == ([], "stopped")
    assert perform(driver, "start", ORDER, PATIENCE_S).result == "done", "and what is started in it is not frozen"


def _is_empty(folder: Path) -> bool:
    return "populated 0" in (folder / "cgroup.events").read_text()


@pytest.fixture
def cgroup() -> Iterator[Path | None]:
    """A folder in which a control group can be made, where this user may."""
    roots = [Path(line.split()[1]) for line in Path("/proc/mounts").read_text().splitlines() if " cgroup2 " in line]
    for root in roots:
        folder = root / f"opsconsole-test-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        if (folder / "cgroup.kill").exists():
            folder.rmdir()
            yield folder
            with suppress(OSError):
                (folder / "cgroup.kill").write_text("1")
                eventually(partial(_is_empty, folder))
                folder.rmdir()
            return
    yield None


@pytest.mark.parametrize(
    "config", [{"pidfile": "relative"}, {"pidfile": "/x", "stop_signal": "KILL"}, {}, {"pidfil": 1}]
)
def test_a_wrong_configuration_is_refused(config: object) -> None:
    with pytest.raises(DriverConfigError):
        driver_of("billing", "process", json.dumps(config), Host())


def test_what_this_host_does_not_let_be_started_is_stopped_all_the_same(tmp_path: Path) -> None:
    started(process(tmp_path), tmp_path, 1)
    document = json.dumps({"pidfile": f"{tmp_path}/pid", "command": agent(tmp_path)})
    guarded = driver_of("billing", "process", document, Host((), ()))

    refused = perform(guarded, "start", ORDER, PATIENCE_S)
    kill(guarded)

    assert (refused.result, "this host allows no programs" in refused.detail) == ("refused", True)
    assert standing(guarded) == "stopped"
