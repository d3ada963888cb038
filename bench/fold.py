"""What an event costs to read back and to fold, against parsing the JSON of the very same rows."""

from __future__ import annotations

import gc
import itertools
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import core.capabilities  # noqa: F401 - registers events
from bench.measure import SHORT, compare, interleaved
from bench.measure import Row as Figure
from core import checkpoint
from core.audit import GENESIS, event_of, seal, verify
from core.capabilities.holds import HoldPlaced, HoldReleased
from core.capabilities.names import NameAdded, NameRetitled
from core.capabilities.workers import WorkerLost, WorkerRegistered, WorkerReturned
from core.engine import fold
from core.messages import Actor, Event, Header, Recorded
from core.state import State
from opsgate.selector import Selector

EVENTS, SITES, ROUNDS = (1_000, 10, 1) if SHORT else (100_000, 1_000, 5)

FLOOR = "json.loads of the bodies"
GOALS = {"fold": "<= 3", "read back": "<= 3", "read back and fold": "<= 6"}


def rows() -> list[Figure]:
    """Microseconds per event over a journal of `EVENTS` events, and the start from a checkpoint of it."""
    journal = list(_recorded())
    sealed = seal(journal, GENESIS, itertools.repeat("00" * 16, len(journal)))
    state = fold(State(), journal)
    stored = checkpoint.dump(state)
    sides: dict[str, Callable[[], object]] = {
        FLOOR: lambda: _drain(map(json.loads, (row.body for row in sealed))),
        "fold": lambda: fold(State(), journal),
        "read back": lambda: _drain(map(event_of, sealed)),
        "read back and fold": lambda: fold(State(), map(event_of, sealed)),
        "verify the chain": lambda: verify(sealed),
        "load a checkpoint of it (per event)": lambda: checkpoint.load(stored),
    }
    taken = interleaved({name: _per_event(side) for name, side in sides.items()}, rounds=ROUNDS)
    return compare(f"{EVENTS:,} events over {SITES:,} sites", "µs per event", FLOOR, taken, GOALS)


def _per_event(side: Callable[[], object]) -> Callable[[], float]:
    def measured() -> float:
        gc.collect()
        begin = time.process_time()
        side()
        return (time.process_time() - begin) / EVENTS * 1e6

    return measured


def _drain(things: Iterator[object]) -> None:
    for _ in things:
        pass


def _recorded() -> Iterator[Recorded]:
    """Sites are registered, then paused and resumed; now and then a title changes or a worker is lost and is back."""
    at, actors = datetime(2026, 1, 1, tzinfo=UTC), [Actor(name=name) for name in ("ana", "ben", "cleo")]
    for revision, happened in enumerate(itertools.islice(_story(), EVENTS), 1):
        command_id = f"c-{revision:08d}"
        actor = actors[revision % len(actors)]
        yield Recorded(
            Header(revision, at + timedelta(seconds=revision), actor, "cli", command_id, command_id), happened
        )


def _story() -> Iterator[Event]:
    for number in range(SITES):
        yield NameAdded(dimension="site", name=f"site-{number}", title=f"Shop {number}")
    yield WorkerRegistered(worker_id="w-1")
    for turn in itertools.count():
        site, hold_id = f"site-{turn % SITES}", f"H-{turn + 1}"
        selector = Selector.of(site=site) if turn % 3 else Selector.of(site=site, operation="content_generation")
        yield HoldPlaced(hold_id=hold_id, selector=selector, source="operator", owner="ana", reason="bad deploy")
        if turn % 7 == 0:
            yield NameRetitled(dimension="site", name=site, title=f"Shop {turn}")
        if turn % 11 == 0:
            yield WorkerLost(worker_id="w-1")
            yield WorkerReturned(worker_id="w-1")
        yield HoldReleased(hold_id=hold_id, reason="mended")


if __name__ == "__main__":
    for figure in rows():
        print(f"{figure.name:38} {figure.median:8.2f} {figure.unit}, {figure.ratio:5.2f} of the floor  {figure.goal}")
