"""Processes that stop against processes that release: a stop is never lost, whoever was first."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from backends import open_backend, spool
from core.audit import event_of
from core.capabilities.course import EmergencyEnded
from core.capabilities.emergencies import StopOrdered
from opsgate import latch
from tests.simulation.harness import require_whole, rounds, tell
from tests.simulation.nursery import Child, Nursery

pytestmark = pytest.mark.timeout(1800)


def said_by(child: Child) -> tuple[threading.Thread, list[dict[str, object]]]:
    """What a child says until it ends, read on a thread so that no child waits for its reader."""
    said: list[dict[str, object]] = []
    reader = threading.Thread(target=lambda: said.extend(child.lines()))
    reader.start()
    return reader, said


def test_a_stop_ends_only_by_a_release_that_had_seen_it(tmp_path: Path, seed: int) -> None:
    """Half of the stops go straight into the journal, half are latched and recorded by whoever comes first."""
    url = f"sqlite:///{tmp_path / 'fleet.db'}"
    backend = open_backend(url)
    ordered: set[str] = set()
    looked_at: dict[str, int] = {}
    with Nursery.open() as nursery:
        for number in rounds(quick=12, full=400):
            stoppers = [nursery.bear("stop", url=url, seed=seed + 4 * number + k, rounds=10) for k in range(2)]
            releasers = [nursery.bear("release", url=url, seed=seed + 4 * number + k) for k in range(2)]
            releases = [said_by(child) for child in releasers]
            for child in stoppers:
                ordered.update(str(said["stop_id"]) for said in child.lines() if "stop_id" in said)
            for child, (reader, said) in zip(releasers, releases, strict=True):
                child.kill()
                reader.join()
                looked_at.update((str(s["command_id"]), int(str(s["expected"]))) for s in said if "expected" in s)
            for child in (*stoppers, *releasers):
                child.close()

    spool.replay(backend)
    state = backend.state()
    events = [event_of(row) for row in backend.journal(limit=1_000_000)]
    backend.close()
    recorded = {e.event.stop_id: e.revision for e in events if isinstance(e.event, StopOrdered)}
    emergency_of = {e.event.stop_id: e.event.emergency_id for e in events if isinstance(e.event, StopOrdered)}
    ends = {e.event.emergency_id: e for e in events if isinstance(e.event, EmergencyEnded)}
    assert ordered <= recorded.keys(), f"never recorded: {ordered - recorded.keys()}"
    unseen = {
        stop_id
        for stop_id, revision in recorded.items()
        if emergency_of[stop_id] in ends and looked_at[ends[emergency_of[stop_id]].header.command_id] < revision
    }
    assert not unseen, f"released by somebody who had not seen them: {unseen}"
    in_force = {stop.stop_id for stop in state.active_stops()}
    assert in_force == {stop_id for stop_id in recorded if emergency_of[stop_id] not in ends}
    assert {order.stop_id for order in latch.in_force([state.fleet])} <= in_force
    require_whole(url)
    tell(f"{len(recorded)} stops, {len(ends)} recoveries, {len(in_force)} still in force, none lost; seed {seed}")
    assert ends, "the releasers got to work"
