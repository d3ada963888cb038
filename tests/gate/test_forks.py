"""A forked child is a worker of its own, and touches nothing of its parent's."""

import subprocess
import sys
from pathlib import Path

import pytest

from opsgate.order import Order
from tests.gate.world import AT, Fleet, Keeper, hold

# Each runs in a fresh interpreter, because a fork of the test runner would carry its threads' locks along.
PREAMBLE = """
import os, sys, warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads, which is what is tested here
from opsgate import Gate, gate
gate._FIRST_READING_S = 60.0  # the machine may be busy

def in_child(body):
    child = os.fork()
    if child == 0:
        try:
            body()
            sys.stdout.flush()
        except BaseException as error:
            print("the child failed:", repr(error), flush=True)
        finally:
            os._exit(0)
    os.waitpid(child, 0)

gate = Gate.open(sys.argv[1], worker="w1")
assert gate.check(site="s1").decided_by == "live"
"""


def run(fleet: Fleet, script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + script, fleet.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    return out.splitlines()


def test_a_child_goes_on_with_what_its_parent_knew(fleet: Fleet) -> None:
    fleet.commit(placed=[hold(site="s2")])

    lines = finished(
        run(
            fleet,
            """
import logging
logging.disable()  # that the file is missing is known
os.rename(sys.argv[1].removeprefix("sqlite:///"), sys.argv[1].removeprefix("sqlite:///") + ".away")
in_child(lambda: print(gate.check(site="s1").outcome, gate.check(site="s2").outcome, gate.check().decided_by))
""",
        )
    )

    assert lines == ["allowed blocked live"]


def test_a_child_that_asks_late_asks_the_tables_first(fleet: Fleet) -> None:
    """What its parent knew when it forked may be hours old by then."""
    process = run(
        fleet,
        """
def work():
    print("forked", flush=True)
    sys.stdin.readline()
    print(gate.check(site="s2").outcome)
in_child(work)
""",
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "forked\n"

    fleet.commit(placed=[hold(site="s2")])
    process.stdin.write("\n")

    assert finished(process) == ["blocked"]


def test_a_child_acknowledges_under_a_name_of_its_own(fleet: Fleet, keeper: Keeper) -> None:
    process = run(
        fleet,
        """
def work():
    gate.check(site="s1")
    print(gate.worker == f"w1.{os.getpid()}", flush=True)
    while gate.check(site="s1"):
        pass
    gate.close()
in_child(work)
print(gate.worker, bool(gate.check(site="s1")), flush=True)
gate.close()
""",
    )
    parent = keeper.hear("beat", worker="w1", revision=1)
    while (child := keeper.hear("beat", revision=1))["worker"] == "w1":
        pass

    keeper.say("order", order=Order("S-1", AT).as_dict())
    acknowledged = keeper.hear("beat", stops=["S-1"])

    assert acknowledged["worker"] == child["worker"] == f"w1.{child['pid']}"
    assert child["pid"] != parent["pid"]
    assert child["started"] != ""
    assert keeper.hear("bye")["worker"] == child["worker"]
    assert finished(process) == ["True", "w1 True"]


def test_a_child_that_asks_nothing_is_no_worker(fleet: Fleet, keeper: Keeper) -> None:
    process = run(
        fleet,
        """
import threading
in_child(lambda: print(threading.active_count()))
gate.close()
""",
    )

    assert finished(process) == ["1"]
    assert keeper.hear("bye")["worker"] == "w1"


def test_a_child_never_closes_its_parents_connection(fleet: Fleet) -> None:
    """Closing the inherited descriptor is what SQLite forbids; the child ends without having touched it."""
    lines = finished(
        run(
            fleet,
            """
def files():
    there = [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
    return sum(path.endswith("fleet.db") for path in there)

def work():
    inherited = files()
    gate.check(site="s1")
    import gc
    gc.collect()
    print(inherited, files() >= inherited)

in_child(work)
print(files())
""",
        )
    )

    assert lines == ["1 True", "1"]


def test_only_what_the_forking_thread_was_doing_runs_in_the_child(fleet: Fleet) -> None:
    lines = finished(
        run(
            fleet,
            """
import threading
begun, over = threading.Event(), threading.Event()
def elsewhere():
    with gate.work(site="s1"):
        begun.set()
        over.wait()
thread = threading.Thread(target=elsewhere)
thread.start()
begun.wait()
with gate.work(site="s2") as here:
    def work():
        print(len(gate.in_flight), here.checkpoint())
    in_child(work)
    print(len(gate.in_flight))
over.set()
thread.join()
""",
        )
    )

    assert lines == ["1 True", "2"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_worker_pools_of_the_standard_library_ask_their_own_gate(fleet: Fleet, method: str, tmp_path: Path) -> None:
    fleet.commit(placed=[hold(site="s2")])
    script = tmp_path / "pool.py"
    script.write_text(
        """
import multiprocessing, os, sys, warnings
warnings.simplefilter("ignore")
import opsgate.gate
opsgate.gate._FIRST_READING_S = 60.0  # the machine may be busy

def ask(site):
    return opsgate.default_gate().check(site=site).outcome

if __name__ == "__main__":
    os.environ["OPSGATE_URL"] = sys.argv[1]
    with multiprocessing.get_context(sys.argv[2]).Pool(2) as pool:
        print(pool.map(ask, ["s1", "s2"] * 5) == ["allowed", "blocked"] * 5)
"""
    )

    found = subprocess.run(
        [sys.executable, script, fleet.url, method], capture_output=True, text=True, timeout=120, check=False
    )

    assert (found.stdout, found.stderr) == ("True\n", "")
