"""The state of a fleet for those who look on: `status`, `check` and `stop` of the command line, without an engine.

Reads the same tables as a gate, and the workers' rows, once; no thread, no socket, nothing outside the standard
library.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from opsgate import latch
from opsgate.clock import elapsed_s
from opsgate.decision import Decision
from opsgate.evaluate import Work, evaluate
from opsgate.failsafe import Policy, judge
from opsgate.hold import LIMIT_SOURCE, timestamp
from opsgate.known import Known
from opsgate.lastknown import Illegible, LastKnown, Remembered
from opsgate.paths import fleet_of_url, sqlite_path
from opsgate.run_state import RunState, run_state_of
from opsgate.sources import SourceError, SqliteSource
from opsgate.tables import ChannelRow, StopRow, WorkerRow
from opsgate.view import View


@dataclass(frozen=True, slots=True)
class StopStatus:
    """One stop in force and who of its frozen list has stopped. The times are None where nobody has recorded it yet."""

    stop_id: str
    emergency_id: str
    level: str
    result: str
    of: tuple[str, ...]
    missing: tuple[str, ...]
    ordered_at: datetime | None = None
    deadline_at: datetime | None = None

    @property
    def budget_s(self) -> float | None:
        """Seconds that it has to be verified in, from its order."""
        if self.ordered_at is None or self.deadline_at is None:
            return None
        return (self.deadline_at - self.ordered_at).total_seconds()

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of one stop."""
        return {
            "stop_id": self.stop_id,
            "emergency_id": self.emergency_id,
            "level": self.level,
            "result": self.result,
            "acked": len(self.of) - len(self.missing),
            "of": len(self.of),
            "missing": list(self.missing),
            "deadline_at": None if self.deadline_at is None else timestamp(self.deadline_at),
        }


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """What can be said of a fleet now. ``fault`` is the sentence for people where its state could not be read; what is
    shown then is the last known state."""

    state: RunState
    revision: int = 0
    age_s: float | None = None
    holds: int = 0
    live: int = 0
    lost: int = 0
    stops: tuple[StopStatus, ...] = ()
    fault: str = ""
    fleet: str = ""
    failing: tuple[ChannelRow, ...] = ()
    """The channels of notifications that do not take what they are told."""
    known: Known = field(default_factory=Known, compare=False, repr=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """The workers of any frozen list that have not stopped."""
        return tuple(sorted({worker for stop in self.stops for worker in stop.missing}))

    @property
    def acked(self) -> int:
        """How many workers of the frozen lists have stopped for every stop that lists them."""
        return len({worker for stop in self.stops for worker in stop.of} - set(self.missing))

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of ``status``."""
        return {
            "state": self.state,
            "revision": self.revision,
            "age_s": None if self.age_s is None else round(self.age_s, 3),
            "holds": self.holds,
            "workers": {"live": self.live, "lost": self.lost, "acked": self.acked, "missing": list(self.missing)},
            "stops": [stop.as_dict() for stop in self.stops],
            "failing_channels": [channel.as_dict() for channel in self.failing],
        }


@dataclass(frozen=True, slots=True)
class Found:
    """What one look at a fleet found. ``confirmed_at_s`` is None where nothing is known at all."""

    known: Known
    confirmed_at_s: float | None
    from_disk: bool = False
    stops: tuple[StopRow, ...] = ()
    workers: tuple[WorkerRow, ...] = ()
    failing: tuple[ChannelRow, ...] = ()
    fault: str = ""
    illegible: bool = False
    """Whether something was known of it that cannot be read any more."""

    def view(self) -> View:
        """The same for decisions."""
        return View(
            self.known.table(),
            fleet=self.known.fleet,
            revision=self.known.revision,
            confirmed_at_s=self.confirmed_at_s,
            from_disk=self.from_disk,
            illegible=self.illegible,
            settled=True,
            stops=self.known.stops(),
        )


def look(url: str) -> Found:
    """Read a fleet's tables and latches once; the last known state where the tables cannot be read.

    Raises ValueError for a URL that names no SQLite file: the caller's fault.
    """
    source, key = SqliteSource(sqlite_path(url)), fleet_of_url(url)
    began_s = elapsed_s()
    try:
        snapshot, stops, workers, failing = source.survey()
        found = Found(Known().read(snapshot), began_s, stops=stops, workers=workers, failing=failing)
    except SourceError as error:
        match LastKnown(key).load():
            case Remembered() as last:
                found = Found(last.known, last.confirmed_at_s, from_disk=True, fault=str(error))
            case Illegible(why):
                found = Found(Known(), None, fault=f"{error}; {why}", illegible=True)
            case None:
                found = Found(Known(), None, fault=str(error))
    finally:
        source.close()
    lying = latch.look(tuple(filter(None, (found.known.fleet, key))), found.known.latched)
    return replace(found, known=found.known.found(lying))


def read_status(url: str, now: datetime | None = None) -> FleetStatus:
    """The status of the fleet at ``url``. ``now`` (aware, default the host's time) decides which workers are lost.

    A latch that the journal does not know yet counts as a stop in force whose result is pending. Raises ValueError for
    a URL that names no SQLite file.
    """
    found = look(url)
    at = now or datetime.now(UTC)
    live = [worker for worker in found.workers if worker.is_live(at)]
    lost = [worker for worker in found.workers if worker.state == "live" and not worker.is_live(at)]
    stops = (*_recorded(found), *_unrecorded(found, live))
    table = found.known.table()
    held = [hold for hold in table.by_id.values() if hold.source != LIMIT_SOURCE]  # a limit of zero holds, and is none
    missing = any(stop.missing for stop in stops)
    state = run_state_of(table.everywhere, held=bool(table.by_id), missing=missing)
    return FleetStatus(
        state="unknown" if found.fault else state,
        revision=found.known.revision,
        age_s=None if found.confirmed_at_s is None else max(0.0, elapsed_s() - found.confirmed_at_s),
        holds=len(held),
        live=len(live),
        lost=len(lost),
        stops=stops,
        fault=found.fault,
        fleet=found.known.fleet,
        failing=found.failing,
        known=found.known,
    )


def decide_once(url: str, work: Work, *, strict: bool = False, key: str | None = None) -> Decision:
    """One decision, as a routine worker that has just been started would get it, but unknown where the state cannot
    be read and no history decides. Raises ValueError for a URL that names no SQLite file."""
    view, at_s = look(url).view(), elapsed_s()
    age_s = view.age_s(at_s)
    verdict = evaluate(view.table, work, key=key, strict=strict and age_s is not None)
    judged = judge(verdict, Policy().of(None), age_s, view.emergencies, illegible=view.illegible)
    return Decision(judged.verdict, view, at_s, judged.allowed, judged.note)


def _recorded(found: Found) -> Iterable[StopStatus]:
    workers = {worker.worker_id: worker for worker in found.workers}
    for stop in found.stops:
        since = stop.recounted
        seen = (name for name in stop.of if name not in workers or not workers[name].has_stopped(stop.stop_id, since))
        missing = () if stop.result == "verified" else tuple(seen)  # rows may lag behind what was recorded
        running = tuple(f"service:{name}" for name, has_stopped in stop.services.items() if not has_stopped)
        listed = (*stop.of, *(f"service:{name}" for name in stop.services))
        yield StopStatus(
            stop.stop_id,
            stop.emergency_id,
            stop.level,
            stop.result,
            listed,
            (*missing, *running),
            stop.ordered_at,
            stop.deadline_at,
        )


def _unrecorded(found: Found, live: Iterable[WorkerRow]) -> Iterable[StopStatus]:
    recorded = {stop.stop_id for stop in found.stops}
    latched = {order.stop_id: order for order in found.known.latched.values()}
    orders = {**found.known.orders, **latched}
    for stop_id, order in sorted(orders.items()):
        if stop_id not in recorded:
            of = [worker for worker in live if any(map(worker.serves, order.selectors))]
            missing = tuple(worker.worker_id for worker in of if not worker.has_stopped(stop_id))
            yield StopStatus(stop_id, "", order.level, "pending", tuple(w.worker_id for w in of), missing)
