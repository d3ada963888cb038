"""What the loops share: the runtime, the roster, the lease, and how the keeper says something to the engine."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final, Protocol

from backends.keeper.leader import Leader
from backends.keeper.outbox import is_http
from backends.keeper.roster import Entry, Instant, Roster
from backends.runtime import Runtime
from core.messages import Actor, Command, Envelope
from core.ports import WorkerRow
from core.state import State

KEEPER_ACTOR: Final = Actor(name="keeper", kind="system")

TRY_S: Final = 1.0
"""Seconds that one write of the loops may wait."""

STALL_S: Final = 5.0
"""A turn that comes so late found this whole process frozen, or not in charge: it saw nothing of the time before."""

_OTHERS_S: Final = 5.0
_OTHERS_URGENT_S: Final = 0.5


class Duty(Protocol):
    """One thing that has to happen by itself. Raises `OpsError` where the database does not take it."""

    def turn(self, now: Instant, state: State) -> None:
        """Look, and do what is due."""


@dataclass(slots=True)
class Office:
    """The shared desk of all duties. For use by the thread of the loops."""

    runtime: Runtime
    roster: Roster
    leader: Leader
    _others: dict[str, WorkerRow] | None = None
    _others_at_s: float = 0.0

    def submit(self, command: Command, *, fenced: bool = True, looked_at: int | None = None) -> None:
        """Have the engine decide one observation, under the lease, or without it where anybody may say it; and where a
        revision is given, only while nothing has changed what may run since. Raises `OpsError`."""
        envelope = Envelope(
            command_id=f"keeper-{uuid.uuid4().hex}",
            actor=KEEPER_ACTOR,
            door="keeper",
            command=command,
            expected_revision=looked_at,
        )
        self.runtime.submit(envelope, timeout_s=TRY_S, fence=self.leader.lease if fenced else None)

    def row(self, worker_id: str, now: Instant) -> WorkerRow | None:
        """What a worker said last, here or, a moment ago, to another keeper of this fleet."""
        entry = self.roster.entries.get(worker_id)
        if entry is not None and entry.observed and not is_http(entry.address):
            return entry.row
        return self.others(now, urgent=True).get(worker_id) or (entry.row if entry else None)

    def others(self, now: Instant, *, urgent: bool = False) -> dict[str, WorkerRow]:
        """The rows of workers that speak to other keepers, read now and then. By them the roster learns which start of
        a worker has its name."""
        every_s = _OTHERS_URGENT_S if urgent else _OTHERS_S
        if self._others is None or now.elapsed_s - self._others_at_s >= every_s:
            mine = self.roster.entries
            rows = self.runtime.store.workers()
            self.roster.learn(rows, now)
            self._others = {row.worker_id: row for row in rows if _is_elsewhere(row, mine.get(row.worker_id))}
            self._others_at_s = now.elapsed_s
        return self._others


def _is_elsewhere(row: WorkerRow, mine: Entry | None) -> bool:
    """Whether a worker spoke to another keeper last. One that has a socket speaks to the keeper of its host alone; one
    that speaks HTTP may speak to any server."""
    if mine is None or not mine.observed:
        return True
    return is_http(mine.address) and row.heartbeat_at > mine.row.heartbeat_at
