"""What a worker pays for the import, and what it gets with it."""

import json
import time

import opsgate
from tests.hygiene.tree import run_python


def run(code: str) -> str:
    return run_python("-S", "-c", code).stdout


def cold_s(code: str) -> float:
    begin = time.perf_counter()
    run(code)
    return time.perf_counter() - begin


def test_the_import_costs_at_most_half_more_than_json_and_dataclasses() -> None:
    turns = [(cold_s("import json, dataclasses"), cold_s("import opsgate")) for _ in range(9)]

    ours, theirs = min(turn[1] for turn in turns), min(turn[0] for turn in turns)
    assert ours <= 1.5 * theirs


def test_nothing_of_the_package_is_loaded_before_it_is_named() -> None:
    loaded = json.loads(
        run("import json, sys, opsgate; print(json.dumps([name for name in sys.modules if name.startswith('opsg')]))")
    )

    assert loaded == ["opsgate"]


def test_a_gate_loads_database_and_sockets_only_when_it_is_opened() -> None:
    loaded = set(json.loads(run("import json, sys; from opsgate import Gate; print(json.dumps(list(sys.modules)))")))

    assert loaded.isdisjoint({"sqlite3", "socket", "ctypes", "asyncio", "opsgate.watcher", "uuid"})


def test_every_name_that_it_offers_is_there() -> None:
    assert all(getattr(opsgate, name) is not None for name in opsgate.__all__)
    assert set(opsgate.__all__) <= set(dir(opsgate))
    assert not hasattr(opsgate, "no_such_name")
