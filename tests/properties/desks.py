"""Where commands are carried out: the engine alone, or a runtime over a real database with a real gate's source."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from backends.local.sqlite import SqliteStore, make_file
from backends.runtime import Runtime
from core.audit import GENESIS, Row, seal
from core.capabilities.fleet import CreateFleet
from core.engine import Facts, Outcome, WorkerFact, refusal, step
from core.errors import OpsError
from core.messages import Envelope, Receipt
from core.policy import gate_change
from core.ports import WorkerRow
from core.state import State
from opsgate.snapshot import Delta, Snapshot
from opsgate.sources import SqliteSource
from opsgate.wire import LOST_AFTER_S
from tests.support.fleets import Clock, say, worker

FLEET = "f-0123456789ab"


class Desk(Protocol):
    """One fleet that takes commands, and the gate that follows it."""

    clock: Clock

    def send(self, envelope: Envelope) -> Receipt:
        """Carry a command out; raises its refusal, which is recorded."""

    def state(self) -> State:
        """The state now."""

    def rows(self, after: int) -> Sequence[Row]:
        """The journal behind a revision."""

    def gate(self) -> Snapshot:
        """What a gate knows that has followed from the beginning."""

    def beat(self, workers: set[str]) -> None:
        """These workers were heard of just now."""

    def keeper_starts(self) -> datetime:
        """From now on a keeper watches; since when."""

    def close(self) -> None:
        """Look once more at what was left behind, and clear it away."""


class EngineDesk:
    """The pure engine, with a gate that hears of every commit by one datagram and reads nothing but names."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._state = State()
        self._rows: list[Row] = []
        self._salts = (f"{number:032x}" for number in itertools.count())
        self._heard: dict[str, datetime] = {}
        self._keeper_since: datetime | None = None
        self._snapshot = self._state.snapshot()
        self.send(say(CreateFleet(fleet=FLEET)))

    def send(self, envelope: Envelope) -> Receipt:
        since = self.clock.now - timedelta(seconds=LOST_AFTER_S)
        live = tuple(WorkerFact(worker_id) for worker_id, at in self._heard.items() if at > since)
        try:
            outcome = step(self._state, envelope, self.clock.now, Facts(live, self._keeper_since))
        except OpsError as error:
            self._commit(refusal(self._state, envelope, self.clock.now, error))
            raise
        self._commit(outcome)
        return outcome.receipt

    def state(self) -> State:
        return self._state

    def rows(self, after: int) -> Sequence[Row]:
        return self._rows[after:]

    def gate(self) -> Snapshot:
        return self._snapshot

    def beat(self, workers: set[str]) -> None:
        self._heard |= dict.fromkeys(workers, self.clock.now)

    def keeper_starts(self) -> datetime:
        self._keeper_since = self.clock.now
        return self.clock.now

    def close(self) -> None:
        pass  # it leaves nothing behind

    def _commit(self, outcome: Outcome) -> None:
        change = gate_change(self._state, outcome.state, outcome.events)
        chain = self._rows[-1].chain if self._rows else GENESIS
        self._rows += seal(outcome.events, chain, itertools.islice(self._salts, len(outcome.events)))
        self._state = outcome.state
        if not outcome.events:
            return
        heard = Delta.from_dict(json.loads(json.dumps(change.delta.as_dict())))
        followed = self._snapshot.changed(heard)
        assert followed is not None, "every delta follows on from the one before"
        names = self._state.snapshot()
        self._snapshot = Snapshot(
            fleet=names.fleet,
            revision=followed.revision,
            holds=followed.holds,
            stops=followed.stops,
            names=names.names,
            names_revision=names.names_revision,
        )


class SqliteDesk:
    """A runtime over a new SQLite file, with a gate's own source on the same file."""

    _template: bytes | None = None

    def __init__(self) -> None:
        self.clock = Clock()
        self._folder = Path(tempfile.mkdtemp(prefix="ops-machine-"))
        self._path = self._folder / "fleet.db"
        self._path.write_bytes(self._prepared())
        self._opened = ExitStack()
        self._opened.callback(shutil.rmtree, self._folder)
        self._runtime = self._opening()
        self._source = SqliteSource(self._path)
        self._opened.callback(self._source.close)
        self._snapshot: Snapshot | None = None

    def send(self, envelope: Envelope) -> Receipt:
        return self._runtime.submit(envelope)

    def state(self) -> State:
        return self._runtime.state()

    def rows(self, after: int) -> Sequence[Row]:
        return self._runtime.journal(after=after)

    def gate(self) -> Snapshot:
        self._snapshot = self._source.read(self._snapshot)
        return self._snapshot

    def beat(self, workers: set[str]) -> None:
        self._runtime.put_workers([self._row(worker_id) for worker_id in workers])

    def keeper_starts(self) -> datetime:
        self._runtime.keeper_since = self.clock.now
        return self.clock.now

    def close(self) -> None:
        """Whoever opens the file after us finds the same state, and a whole chain."""
        with self._opened:
            another = self._opening()
            assert another.latest() == self._runtime.state()
            assert another.verify().fault is None

    def _opening(self) -> Runtime:
        runtime = Runtime(SqliteStore(self._path), clock=self.clock)
        self._opened.callback(runtime.close)
        return runtime

    def _row(self, worker_id: str) -> WorkerRow:
        row = worker(worker_id, self.clock.now)
        return replace(row, env="", scope={})

    @classmethod
    def _prepared(cls) -> bytes:
        """A file with the tables of a fleet that has not begun; made once, because migrations take their time."""
        if cls._template is None:
            with tempfile.TemporaryDirectory(prefix="ops-machine-") as folder:
                path = Path(folder) / "template.db"
                make_file(path)
                store = SqliteStore(path)
                store.prepare(new_fleet=FLEET)
                store.close()
                cls._template = path.read_bytes()
        return cls._template
