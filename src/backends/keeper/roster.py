"""The roster: which workers there are, which of them are live, and what each has acknowledged.

Pure but for one lock: time is an argument. Readers take ``entries``, an immutable map, without waiting for anybody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from immutables import Map

from backends.keeper.beats import Ack, Beat
from backends.keeper.outbox import HTTP, is_http
from backends.keeper.peers import Peer
from backends.keeper.starts import NO_STARTS, Replaced, Starts
from core.ports import WorkerRow
from core.state import Stop
from opsgate.wire import LOST_AFTER_S

_LATELY: Final = timedelta(seconds=LOST_AFTER_S / 2)
"""How old a heartbeat in the database may be that makes its worker live beyond doubt."""

_JUMP: Final = timedelta(seconds=1)
"""By how much the two clocks must disagree on an interval before it counts as a jump."""


class Instant(NamedTuple):
    """One moment by both clocks: the time of day, and the seconds that never jump."""

    at: datetime
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One worker: what it last said, when by the clock that never jumps, and where to reach it.

    ``observed`` is False for one that an earlier keeper wrote down and this one has not met yet.
    """

    row: WorkerRow
    heard_s: float
    address: bytes | str = ""
    observed: bool = True
    starts: Starts = NO_STARTS
    """Which of its processes this is, where it speaks HTTP."""
    awaited: frozenset[str] = frozenset()
    """The starts before this one whose goodbye is missing, where it has said its own: until then the worker has not
    left."""

    def is_live(self, elapsed_s: float) -> bool:
        """Whether it was heard of lately and has not left."""
        return self.row.state == "live" and elapsed_s - self.heard_s < LOST_AFTER_S


class Heard(NamedTuple):
    """What a beat changed. ``refused`` says why it was not believed, ``replaced`` that a later start of its worker is
    here; ``fresh`` that its sender is new here; ``acknowledged`` that it says something new about stops."""

    refused: str = ""
    replaced: bool = False
    fresh: bool = False
    acknowledged: bool = False


class Roster:
    """The workers of one fleet, as far as this keeper has heard of them."""

    def __init__(self, is_running: Callable[[int, str], bool], started: Callable[[int], str]) -> None:
        """``is_running(pid, start)`` and ``started(pid)`` look at the processes of this host."""
        self.entries: Map[str, Entry] = Map()
        self._changed: set[str] = set()
        self._in_database: dict[str, WorkerRow] = {}
        """What the database has of each worker, as far as that is certain."""
        self._elsewhere: dict[str, tuple[WorkerRow, float]] = {}
        """The workers that are known to other servers alone, as those wrote them down, and since when that is known."""
        self._offset: datetime | None = None
        """What the time of day was when the other clock began, by the last look at both."""
        self._lock = threading.Lock()
        self._is_running = is_running
        self._started = started

    def seed(self, rows: Iterable[WorkerRow], now: Instant) -> None:
        """Take over what an earlier keeper wrote down.

        A worker whose process runs on this host counts as heard of now: nobody could hear it while no keeper ran, and
        a stop must not leave it out. Each other one has the full time to be heard of before it counts as lost.
        """
        with self._lock:
            for row in rows:
                if row.worker_id in self.entries:
                    continue
                runs = row.state == "live" and self._is_running(row.pid, row.started)
                seen = replace(row, heartbeat_at=now.at) if runs else row
                starts = Starts.of(row, now.elapsed_s)
                self.entries = self.entries.set(row.worker_id, Entry(seen, now.elapsed_s, observed=runs, starts=starts))
                if runs:
                    self._changed.add(row.worker_id)

    def learn(self, rows: Iterable[WorkerRow], now: Instant) -> None:
        """Take in what other servers wrote down of workers that speak HTTP: of two starts of one worker that came to
        two servers, each server has to know which one has its name."""
        with self._lock:
            before, self._elsewhere = self._elsewhere, {}
            for row in rows:
                known = self.entries.get(row.worker_id)
                if known is None and row.boots:
                    told = before.get(row.worker_id, (row, now.elapsed_s))
                    is_news = told[0].heartbeat_at != row.heartbeat_at
                    self._elsewhere[row.worker_id] = (row, now.elapsed_s) if is_news else told
                elif known is not None and row.boots and row.boots != known.row.boots:
                    self._compare(known, row, now)

    def _compare(self, known: Entry, row: WorkerRow, now: Instant) -> None:
        """Of two starts by one credential that know nothing of each other, the later one has the worker's name."""
        mine, theirs = known.starts, Starts.of(row, now.elapsed_s)
        if theirs.boot in mine.replaced:
            self._changed.add(row.worker_id)  # another server does not know that it is over
        if not mine.boot or not theirs.boot or theirs.boot in mine.replaced:
            return
        if mine.boot == theirs.boot:
            self._join(known, theirs, now)
            return
        strangers = mine.boot not in theirs.replaced
        if strangers and mine.credential != theirs.credential:
            return
        if strangers and (known.row.registered_at, mine.boot) > (row.registered_at, theirs.boot):
            starts = replace(mine, replaced=mine.after(theirs.boot, row, now.elapsed_s))
            heard = replace(known.row, boots=starts.text(*now))
            entry = replace(known, row=_uncertain(heard, starts.replaced, now), starts=starts)
            self._changed.add(row.worker_id)
        else:
            starts = replace(theirs, replaced=theirs.after(mine.boot, known.row, known.heard_s))
            told = replace(row, boots=starts.text(*now))
            entry = Entry(told, now.elapsed_s, observed=False, starts=starts)
            self._changed.discard(row.worker_id)
            if strangers:
                self._changed.add(row.worker_id)  # the other server has to hear of this start too
        self.entries = self.entries.set(row.worker_id, entry)

    def _join(self, known: Entry, theirs: Starts, now: Instant) -> None:
        """Take in which starts before this one another server knows of; what it does not know is written once more, for
        as long as that matters."""
        mine = known.starts.replaced
        news = {boot: each for boot, each in theirs.replaced.items() if boot not in mine}
        if news:
            starts = replace(known.starts, replaced=mine.update(news))
            row = replace(known.row, boots=starts.text(*now))
            entry = replace(known, row=_uncertain(row, starts.replaced, now), starts=starts)
            self.entries = self.entries.set(row.worker_id, entry)
        untold = (each for boot, each in mine.items() if boot not in theirs.replaced)
        if news or any(each.is_uncertain(now.elapsed_s) for each in untold):
            self._changed.add(known.row.worker_id)

    def _known(self, worker_id: str) -> Entry | None:
        """What is known of a worker, here or elsewhere."""
        known, told = self.entries.get(worker_id), self._elsewhere.get(worker_id)
        if known is not None or told is None:
            return known
        row, since_s = told
        return Entry(row, since_s, observed=False, starts=Starts.of(row, since_s))

    def beat(self, beat: Beat, peer: Peer, now: Instant) -> Heard:
        """Hear one beat. The id belongs to the process that first used it, for as long as that process runs or was
        heard of lately; whoever else uses it is refused."""
        with self._lock:
            known = self._known(beat.worker_id)
            pid = peer.pid or beat.pid
            boot = beat.boot if is_http(peer.address) else ""
            before = known.starts if known is not None else NO_STARTS
            if boot and boot in before.replaced:
                why = f"a later start of worker {beat.worker_id} has taken its place"
                return Heard(refused=why, replaced=True)
            follows = before.boot != boot and bool(before.boot and boot)
            same = known is not None and known.address == peer.address and known.row.pid == pid and not follows
            start = known.row.started if known and same else self._start_of(beat, peer)
            may_follow = follows and before.credential == peer.credential != ""
            if known is not None and not (same or may_follow) and self._belongs_to_another(known, pid, start, now):
                return Heard(refused=f"worker {beat.worker_id} is process {known.row.pid}, not {pid}")
            starts = replace(before, boot=boot, credential=peer.credential)
            if known is not None and follows and not known.awaited:
                starts = replace(starts, replaced=before.after(before.boot, known.row, known.heard_s))
            boots = known.row.boots if known is not None and starts == before else starts.text(*now)
            row = _uncertain(_row(beat, peer, start, None if follows else known, now, boots), starts.replaced, now)
            entry = Entry(row, now.elapsed_s, peer.address, True, starts)
            self.entries = self.entries.set(beat.worker_id, entry)
            self._changed.add(beat.worker_id)
        told = (row.stops, row.draining) != ((known.row.stops, known.row.draining) if known else ((), {}))
        return Heard(fresh=known is None or known.address != peer.address, acknowledged=told)

    def acknowledge(self, acks: Iterable[tuple[Ack, Peer]], now: Instant) -> set[str]:
        """Hear that workers obey one more stop each; the stops of which somebody said something new. Whoever is not the
        one it says it is counts for nothing: its beat will tell who it is."""
        news = set()
        with self._lock:
            entries = self.entries.mutate()
            for ack, peer in acks:
                known = entries.get(ack.worker_id)
                if known is None or known.address != peer.address or peer.pid not in (0, known.row.pid):
                    continue
                if known.row.state == "live" and ack.stop_id not in known.row.stops:
                    row = _obeying(known.row, ack, now)
                    entries[ack.worker_id] = Entry(row, now.elapsed_s, peer.address, True, known.starts)
                    self._changed.add(ack.worker_id)
                    news.add(ack.stop_id)
            self.entries = entries.finish()
        return news

    def leave(self, worker_id: str, peer: Peer, now: Instant, boot: str = "") -> bool:
        """Hear that a worker ends on purpose; False when it is unknown, or said by somebody else: of a start that was
        replaced it is known from then on that nothing runs in it."""
        with self._lock:
            known = self.entries.get(worker_id)
            if known is None or known.row.state == "left":
                return False
            if known.starts.boot and boot != known.starts.boot:
                if boot in known.starts.replaced and known.starts.credential == peer.credential:
                    self.entries = self.entries.set(worker_id, _without(known, boot, now))
                    self._changed.add(worker_id)
                return False
            if known.address != peer.address and known.row.pid != peer.pid and not _both_by_http(known, peer):
                return False
            if not known.awaited:  # said twice, it is no more
                self.entries = self.entries.set(worker_id, _left(known, now))
            self._changed.add(worker_id)
        return True

    def forget(self, worker_ids: Iterable[str]) -> None:
        """Drop workers that left long ago, or that a person forgot."""
        with self._lock:
            for worker_id in worker_ids:
                if worker_id in self.entries:
                    self.entries = self.entries.delete(worker_id)
                self._changed.discard(worker_id)
                self._in_database.pop(worker_id, None)

    @property
    def backlog(self) -> int:
        """How many rows are in no database yet."""
        return len(self._changed)

    def unwritten(self) -> list[WorkerRow]:
        """What was heard and is in no database yet."""
        with self._lock:
            return [self.entries[worker_id].row for worker_id in sorted(self._changed)]

    def owed_to_a_stop(self, now: Instant) -> list[WorkerRow]:
        """Those of the unwritten rows from which a stop would take another list than from what the database has. One
        more heartbeat of somebody who was heard of lately changes nothing, nor does it that a thousand obey the stop
        before it is recorded, and to write them all delays it."""
        return [row for row in self.unwritten() if self._is_owed(row, now)]

    def _is_owed(self, row: WorkerRow, now: Instant) -> bool:
        stands = self._in_database.get(row.worker_id)
        if stands is None or not timedelta(0) <= now.at - stands.heartbeat_at < _LATELY:
            return True
        return _said_of_itself(stands) != _said_of_itself(row)

    def written(self, rows: Iterable[WorkerRow]) -> None:
        """These rows are in the database now. Of whom more was heard since they were taken is written once more: two
        parts of the keeper write, and the older row may have come last."""
        with self._lock:
            for row in rows:
                self._in_database.pop(row.worker_id, None)
                if self._stands(row):
                    self._changed.discard(row.worker_id)
                    self._in_database[row.worker_id] = row
                elif row.worker_id in self.entries:
                    self._changed.add(row.worker_id)

    def correct(self, now: Instant) -> None:
        """After the time of day has jumped, say in that time when each worker was last heard of, so that none of them
        looks lost who is live."""
        offset = now.at - timedelta(seconds=now.elapsed_s)
        with self._lock:
            before, self._offset = self._offset, offset
            if before is not None and abs(offset - before) < _JUMP / 10:
                return
            for worker_id, entry in self.entries.items():
                at = now.at - timedelta(seconds=now.elapsed_s - entry.heard_s)
                if entry.observed and entry.row.state == "live" and abs(at - entry.row.heartbeat_at) > _JUMP:
                    self.entries = self.entries.set(worker_id, replace(entry, row=replace(entry.row, heartbeat_at=at)))
                    self._changed.add(worker_id)

    def live(self, elapsed_s: float) -> list[Entry]:
        """The workers heard of lately."""
        return [entry for entry in self.entries.values() if entry.is_live(elapsed_s)]

    def _stands(self, row: WorkerRow) -> bool:
        entry = self.entries.get(row.worker_id)
        return entry is not None and entry.row is row

    def _start_of(self, beat: Beat, peer: Peer) -> str:
        """When the process of a worker started: the kernel's word, or its own where it speaks HTTP."""
        return HTTP + beat.started if is_http(peer.address) else self._started(peer.pid)

    def _belongs_to_another(self, known: Entry, pid: int, start: str, now: Instant) -> bool:
        mine = known.row
        if mine.state == "left" or known.awaited or ((mine.pid, mine.started) == (pid, start) and start):
            return False
        if (
            mine.pid and mine.started and not mine.started.startswith(HTTP)
        ):  # a process of this host: it keeps its name while it runs
            return self._is_running(mine.pid, mine.started)
        return known.is_live(now.elapsed_s)


def acknowledged(stop: Stop, rows: Mapping[str, WorkerRow]) -> tuple[str, ...]:
    """Those of a stop's frozen list who say that nothing it covers runs in them any more, or who have left."""
    since = stop.recounted_revision
    return tuple(worker for worker in stop.of if worker in rows and rows[worker].has_stopped(stop.stop_id, since))


def _uncertain(row: WorkerRow, replaced: Map[str, Replaced], now: Instant) -> WorkerRow:
    """The row without the stops under which something may run in the starts of its worker that were replaced a moment
    ago."""
    stops = row.stops
    for each in replaced.values():
        if each.is_uncertain(now.elapsed_s):
            stops = tuple(stop_id for stop_id in stops if stop_id in each.done)
    return row if len(stops) == len(row.stops) else replace(row, stops=stops)


def _left(known: Entry, now: Instant) -> Entry:
    """A worker whose last start has said goodbye. Where something may run in one before it, it is silent from now on
    instead, and lost in time."""
    uncertain = {boot: each for boot, each in known.starts.replaced.items() if each.is_uncertain(now.elapsed_s)}
    if not uncertain:
        starts = Starts(replaced=known.starts.replaced)
        row = replace(known.row, state="left", heartbeat_at=now.at, in_flight=0, boots=starts.text(*now))
        return Entry(row, now.elapsed_s, starts=starts)
    row = replace(
        known.row,
        heartbeat_at=now.at,
        in_flight=sum(each.in_flight for each in uncertain.values()),
        stops=tuple(stop for stop in known.row.stops if all(stop in each.done for each in uncertain.values())),
        draining={},
    )
    return replace(known, row=row, heard_s=now.elapsed_s, address="", awaited=frozenset(uncertain))


def _without(known: Entry, boot: str, now: Instant) -> Entry:
    """A worker of which a start that was replaced has said goodbye."""
    over = known.starts.replaced.set(boot, known.starts.replaced[boot].ended())
    starts = replace(known.starts, replaced=over)
    left, awaited = boot in known.awaited and known.awaited == {boot}, known.awaited - {boot}
    row = replace(known.row, boots=starts.text(*now))
    entry = replace(known, row=row, starts=starts, awaited=awaited)
    return _left(entry, now) if left else entry


def _both_by_http(known: Entry, peer: Peer) -> bool:
    """Whether a worker that speaks HTTP, to whichever server, is spoken for by HTTP: who may, its token says."""
    return is_http(peer.address) and known.row.started.startswith(HTTP)


def _said_of_itself(row: WorkerRow) -> tuple[object, ...]:
    """What of a row decides whether that worker is on a stop's list."""
    return row.state, row.env, row.scope


def _row(beat: Beat, peer: Peer, start: str, known: Entry | None, now: Instant, boots: str) -> WorkerRow:
    rejoined = known is None or known.row.state != "live" or known.row.started != start
    return WorkerRow(
        worker_id=beat.worker_id,
        env=beat.env,
        scope=beat.scope,
        pid=peer.pid or beat.pid,
        started=start,
        registered_at=now.at if known is None or rejoined else known.row.registered_at,
        heartbeat_at=now.at,
        revision=beat.revision,
        stops=beat.stops,
        draining=beat.draining,
        in_flight=beat.in_flight,
        boots=boots,
    )


def _obeying(row: WorkerRow, ack: Ack, now: Instant) -> WorkerRow:
    """The row with one more stop in it. Written out, because ``replace`` takes five times as long, and a thousand wait
    in the queue."""
    return WorkerRow(
        worker_id=row.worker_id,
        env=row.env,
        scope=row.scope,
        pid=row.pid,
        started=row.started,
        registered_at=row.registered_at,
        heartbeat_at=now.at,
        revision=row.revision,
        stops=(*row.stops, ack.stop_id),
        draining={**row.draining, ack.stop_id: ack.running} if ack.running else row.draining,
        in_flight=row.in_flight,
        boots=row.boots,
    )
