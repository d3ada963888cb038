"""Who is there: what workers say is written down in batches; that one is new, lost, back or gone becomes an event."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from backends.keeper.office import STALL_S, TRY_S, Office
from backends.keeper.roster import Entry, Instant
from core.capabilities.workers import ReportWorkers
from core.ports import WorkerRow
from core.state import State
from opsgate.wire import LOST_AFTER_S

NEWS_S: Final = 0.1
"""Seconds between two writings when one of the rows is news: ten a second at most."""

_BEATS_S: Final = 1.0
"""The same, when all of them are plain heartbeats."""

_ROW_S: Final = 0.001
"""For how long each row that waits lets news wait, so that what a large fleet says at once is written at once."""

_WRITING_S: Final = 2 * _BEATS_S
"""By how much the row of another keeper's worker may lag behind its heartbeat."""


class Register:
    """The duty of every keeper: write down what its own workers said."""

    def __init__(self, office: Office) -> None:
        self.news = False
        """Whether somebody waits for what was said last: a new worker, an acknowledgement."""
        self._office = office
        self._written_s = 0.0

    def turn(self, now: Instant, _state: State) -> None:
        """Write, if there is something and the last time was long enough ago."""
        gathering_s = min(_BEATS_S, max(NEWS_S, _ROW_S * self._office.roster.backlog)) if self.news else _BEATS_S
        if now.elapsed_s - self._written_s >= gathering_s:
            self.write(now)
        self._office.others(now)

    def write(self, now: Instant) -> None:
        """Write what is unwritten, however little time has passed: the last word of a keeper that ends."""
        self.news = False
        roster = self._office.roster
        roster.correct(now)
        if any(row.boots for row in roster.unwritten()):
            self._office.others(now, urgent=True)  # or what another server wrote of a later start would be lost
        if rows := roster.unwritten():
            self._office.runtime.put_workers(rows, timeout_s=TRY_S)
            roster.written(rows)
            self._written_s = now.elapsed_s


class Attendance:
    """The duty of the leader: report who came, who went, and who has not been heard of for too long."""

    def __init__(self, office: Office, began: Instant) -> None:
        self._office = office
        self._listening_since_s = self._turned_s = began.elapsed_s
        self._reported_s = 0.0

    def turn(self, now: Instant, state: State) -> None:
        """Compare what was heard with what the journal says; only differences are reported."""
        if now.elapsed_s - self._turned_s > STALL_S:  # nobody was heard: silence proves nothing
            self._listening_since_s = now.elapsed_s
        self._turned_s = now.elapsed_s
        if now.elapsed_s - self._reported_s < NEWS_S:
            return  # who comes together is reported together
        ended = self._ended_elsewhere(now)
        live, left = self._live(now, ended), self._left(ended)
        known = state.workers
        report = ReportWorkers(
            heard=tuple(worker for worker in sorted(live) if worker not in known or known[worker].lost_at),
            lost=tuple(sorted(self._silent(now, state, left) - live)),
            left=tuple(worker for worker in sorted(left - live) if worker in known),
        )
        if report.heard or report.lost or report.left:
            self._reported_s = now.elapsed_s
            self._office.submit(report)

    def _live(self, now: Instant, ended: AbstractSet[str]) -> set[str]:
        mine = {entry.row.worker_id for entry in self._office.roster.live(now.elapsed_s) if entry.observed}
        oldest_s = LOST_AFTER_S + _WRITING_S
        others = self._office.others(now).values()
        return (mine - ended) | {
            row.worker_id
            for row in others
            if row.state == "live" and (now.at - row.heartbeat_at).total_seconds() < oldest_s
        }

    def _left(self, ended: AbstractSet[str]) -> set[str]:
        """Those that ended on purpose and said so here, or at another server of the fleet."""
        here = {worker for worker, entry in self._office.roster.entries.items() if entry.row.state == "left"}
        return here | ended

    def _ended_elsewhere(self, now: Instant) -> set[str]:
        entries, others = self._office.roster.entries, self._office.others(now).values()
        return {row.worker_id for row in others if row.state == "left" and _is_last_word(row, entries)}

    def _silent(self, now: Instant, state: State, left: AbstractSet[str]) -> set[str]:
        """Workers that the journal takes for live; nobody, until this keeper has listened for long enough."""
        if now.elapsed_s - self._listening_since_s < LOST_AFTER_S:
            return set()
        return {worker for worker, known in state.workers.items() if known.lost_at is None and worker not in left}


def _is_last_word(row: WorkerRow, entries: Mapping[str, Entry]) -> bool:
    """Whether nothing was heard here of a worker since it said this elsewhere: rows are read now and then only."""
    mine = entries.get(row.worker_id)
    return mine is None or not mine.observed or mine.row.heartbeat_at < row.heartbeat_at
