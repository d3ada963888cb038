"""What a decision costs in the worker's own process: against a bare lookup, against peers, and as the fleet grows.

The floor is the least that answers at all: a method, one lookup with a tuple as key, one look at the clock. The gate is
a real one, on a database, with its threads running. The peers answer one flag that is on for everybody, from memory,
with their context built beforehand and their events switched off, which is the least that they can be asked.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import growthbook
import ldclient
from ldclient.integrations.test_data import TestData
from openfeature import api as openfeature
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider
from sqlalchemy import create_engine
from UnleashClient import UnleashClient  # type: ignore[attr-defined]  # as its own documentation says
from UnleashClient.cache import FileCache

from backends.local import schema
from bench.measure import SHORT, Row, compare, interleaved
from opsgate import Gate
from opsgate.hold import Hold
from opsgate.selector import Selector
from opsgate.snapshot import FORMAT

ROUNDS = 2 if SHORT else 15
OPERATIONS = tuple(f"operation_{number}" for number in range(20))
QUESTION = "ask(site='s5', operation='operation_3')"
BARE = "method, tuple lookup, staleness"


def rows() -> list[Row]:
    """Three groups: against the floor, against the peers, and as sites and holds grow."""
    logging.getLogger("opsgate").setLevel(logging.ERROR)  # a peer turns everybody's DEBUG on, which traces each check
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        os.environ.update(
            HOME=folder, XDG_STATE_HOME=folder, XDG_RUNTIME_DIR=folder, OPSGATE_LATCH_DIR=f"{folder}/latch"
        )
        return [*against_the_floor(), *against_peers(), *as_it_grows()]


class Bare:
    """The floor. ``check`` is True where the work may run."""

    def __init__(self) -> None:
        self.table = {(f"s{site}", operation): True for site in range(1000) for operation in OPERATIONS}
        self.until_s = time.monotonic() + 1e6

    def check(self, site: str, operation: str) -> bool:
        """Look it up, and look whether it is stale."""
        return self.table[site, operation] and time.monotonic() < self.until_s


def against_the_floor() -> list[Row]:
    """Each kind of question, with a thousand sites and, where it says so, as many held ones."""
    with gate_on(sites=1000) as gate, gate_on(sites=1000, holds=1000) as held:
        sides = {
            BARE: _side(QUESTION, Bare().check),
            "gate.check, allowed": _side(QUESTION, gate.check),
            "gate.check, allowed while 1,000 others are held": _side(QUESTION, held.check),
            "gate.check and its truth value": _side(f"bool({QUESTION})", gate.check),
            "gate.allowed": _side(QUESTION, gate.allowed),
            "gate.check of a workflow": _side("ask(workflow='xml-import')", gate.check),
            "gate.check, blocked": _side("ask(site='held-7', operation='operation_3')", held.check),
            "a piece of work, entered and left": _side(f"with {QUESTION}: pass", gate.work),
        }
        taken = interleaved(sides, ROUNDS)
    return compare("a decision", "ns", BARE, taken, dict.fromkeys(list(sides)[1:4], "<= 3"))


def against_peers() -> list[Row]:
    """The same question to those who decide in the process too."""
    with gate_on(sites=1000) as gate, peers() as others:
        taken = interleaved({"gate.check": _side(QUESTION, gate.check), **others}, ROUNDS)
    return compare("a decision of others", "ns", "gate.check", taken, {"LaunchDarkly variation": ">= 20"})


def as_it_grows() -> list[Row]:
    """The same question to larger and larger fleets."""
    sizes = [(sites, 0) for sites in (10, 1000, 100_000)] + [(10_000, holds) for holds in (10, 1000, 10_000)]
    with ExitStack() as stack:
        gates = {
            f"{sites:,} sites, {holds:,} held": stack.enter_context(gate_on(sites=sites, holds=holds))
            for sites, holds in sizes
        }
        taken = interleaved({name: _side(QUESTION, gate.check) for name, gate in gates.items()}, ROUNDS)
    smallest, *larger = gates
    return compare("a decision as the fleet grows", "ns", smallest, taken, dict.fromkeys(larger, "<= 1.3"))


@contextmanager
def gate_on(*, sites: int, holds: int = 0) -> Iterator[Gate]:
    """A gate on a new database of so many sites, and as many more that are held."""
    folder = Path(tempfile.mkdtemp(prefix="fleet-", dir=os.environ["HOME"]))
    names = [("site", f"s{number}") for number in range(sites)] + [
        ("site", f"held-{number}") for number in range(holds)
    ]
    names += [("operation", name) for name in OPERATIONS] + [("workflow", "xml-import")]
    held = [Hold(f"H-{number}", Selector.of(site=f"held-{number}"), "operator", "bench") for number in range(holds)]
    engine = create_engine(f"sqlite:///{folder / 'fleet.db'}")
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
        head = {"id": 1, "format": FORMAT, "fleet": folder.name, "revision": 1, "chain": "", "names_revision": 1}
        connection.execute(schema.gate_head.insert(), head | {"written_at": ""})
        connection.execute(schema.gate_name.insert(), [{"dimension": d, "name": name} for d, name in names])
        if held:
            documents = [{"hold_id": hold.hold_id, "document": json.dumps(hold.as_dict())} for hold in held]
            connection.execute(schema.gate_hold.insert(), documents)
    engine.dispose()
    with Gate.open(f"sqlite:///{folder / 'fleet.db'}") as gate:
        decision = gate.wait_until_allowed(timeout_s=30, site="s5", operation="operation_3")
        assert decision.decided_by == "live"
        assert gate.allowed(site="held-0") == (not holds)
        yield gate


@contextmanager
def peers() -> Iterator[Mapping[str, Callable[[], float]]]:
    """The peers, each ready to answer for one flag that is on for everybody."""
    logging.getLogger("ldclient").setLevel(logging.ERROR)
    data = TestData.data_source()
    data.update(data.flag("flag").variation_for_all(True))
    dark = ldclient.LDClient(ldclient.Config("no-key", update_processor_class=data, send_events=False))
    context = ldclient.Context.builder("s5").set("operation", "operation_3").build()

    openfeature.set_provider_and_wait(InMemoryProvider({"flag": InMemoryFlag("on", {"on": True, "off": False})}))
    feature = openfeature.get_client()

    book = growthbook.GrowthBook(attributes={"id": "s5"}, features={"flag": {"defaultValue": True}})

    cache = FileCache("bench", directory=tempfile.mkdtemp(prefix="unleash-", dir=os.environ["HOME"]))
    on = {"name": "flag", "enabled": True, "strategies": [{"name": "default", "parameters": {}}]}
    cache.bootstrap_from_dict({"version": 1, "features": [on]})
    leash = UnleashClient(
        "http://127.0.0.1:1/api", "bench", disable_metrics=True, disable_registration=True, cache=cache
    )
    leash.initialize_client(fetch_toggles=False)
    asked = {
        "LaunchDarkly variation": _side("ask('flag', context, False)", dark.variation, context=context),
        "UnleashClient is_enabled": _side("ask('flag', context)", leash.is_enabled, context={"userId": "s5"}),
        "OpenFeature in memory": _side("ask('flag', False)", feature.get_boolean_value),
        "GrowthBook is_on": _side("ask('flag')", book.is_on),
    }
    assert dark.variation("flag", context, False)
    assert leash.is_enabled("flag", {"userId": "s5"})
    assert feature.get_boolean_value("flag", False)
    assert book.is_on("flag")
    try:
        yield asked
    finally:
        dark.close()
        leash.destroy()
        book.destroy()


def _side(statement: str, ask: Callable[..., object], **names: object) -> Callable[[], float]:
    """Nanoseconds per run of a statement that calls ``ask``, without the cost of a call around it."""
    namespace: dict[str, Any] = {"ask": ask, **names}
    timer = timeit.Timer(statement, globals=namespace)
    runs = max(100, timer.autorange()[0] // 20)  # about 10 ms a turn, so that turns are many
    return lambda: timer.timeit(runs) / runs * 1e9


if __name__ == "__main__":
    for row in rows():
        ratio = "" if row.ratio is None else f"{row.ratio:8.2f}"
        print(f"{row.group:30} {row.name:50} {row.median:10,.0f} {row.best:10,.0f} {row.unit} {ratio} {row.goal}")
