"""Everything a view may look at, at one moment: what the journal says, what was observed, and how old both are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from opsconsole.views.books import HoldBook, NameBook, SiteIndex
from opsgate.order import Order
from opsgate.paths import without_password
from opsgate.run_state import RunState
from opsgate.selector import EVERYTHING
from opsgate.wire import LOST_AFTER_S

if TYPE_CHECKING:
    from core.authority import Identity
    from core.messages import Role
    from core.ports import AskingClient, LimitUsage, Observations, WorkerRow
    from core.state import State, Stop
    from core.triggers.sample import Input, Sample

REPLAY_S = 3600.0
"""Seconds of kept samples that a trigger is rehearsed with."""

FRESH_S = 5.0
"""Data younger than this is live; older data is stale, and a stale state is unknown."""

SILENT_AFTER = timedelta(seconds=LOST_AFTER_S)
"""Without a heartbeat for this long a worker is lost, whether or not a keeper runs that says so in the journal."""


_SEEING: Final = ("operator", "responder", "admin")
"""The roles that see the fleet and change something, the weakest first."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who looks at what. `profile` is a word such as ``PROD``; `backend` is given as a URL and kept without secrets."""

    operator: str
    backend: str
    profile: str = ""
    read_only: bool = False
    role: Role | Literal[""] = ""
    """What a server lets them do; empty where there is none, for whoever can write a database may do everything."""

    @property
    def is_remote(self) -> bool:
        """Whether a server says who they are: until it has, nobody knows."""
        return self.backend.startswith(("http://", "https://"))

    def known_as(self, identity: Identity | None) -> Who:
        """The same as a server knows them: whoever may place no hold there has no use for keys that do."""
        if identity is None or (identity.name, identity.role) == (self.operator, self.role):
            return self
        from core.authority import commands_of  # whoever has come through a server has loaded it

        may_hold = "place-hold" in commands_of(identity.role)
        return replace(self, operator=identity.name, role=identity.role, read_only=self.read_only or not may_hold)

    def why_not(self, kind: str) -> str:
        """Why they may not give commands of this kind, as a sentence; empty where nothing is known to be against it."""
        return self.forbidden(kind) or ("this console is read-only" if self.read_only else "")

    def recovers(self, what: str) -> str:
        """How it comes back: ``R recovers E-44``; by whom, where this role may not: ``a responder recovers E-44``."""
        who = f"a {self.forbidden('recover').rpartition(' ')[2]}" if self.forbidden("recover") else "R"
        return f"{who} recovers {what}".rstrip()

    def forbidden(self, kind: str) -> str:
        """The same of their role alone, which a read-only console has too: that one stops all the same."""
        if not self.role:
            return ""
        from core.authority import commands_of  # whoever has come through a server has loaded it

        if kind in commands_of(self.role):
            return ""
        return f"the role {self.role} may not: it takes {next(role for role in _SEEING if kind in commands_of(role))}"

    def __post_init__(self) -> None:
        """Nothing that shows or tells of it may show a password."""
        object.__setattr__(self, "backend", without_password(self.backend))


class Link(NamedTuple):
    """How the state is known: seconds since the backend last answered (None: never), and what it said instead."""

    age_s: float | None = None
    trouble: str = ""
    slow_s: float = 0.0
    """How long its last answer took, when that was long enough to be worth a word."""
    tries: int = 0
    """How often in a row it has been asked in vain."""
    retry_s: float | None = None
    """Seconds until it is asked again; None while it is being asked."""
    round_trip_ms: int | None = None
    """How far away the server is; None where nothing lies between."""
    broken: bool = False
    """Whether the backend is known not to answer now, however short a while ago it did."""
    replaced: bool = False
    """Whether another fleet lives at this address now: what is shown is of the one before."""
    newer: bool = False
    """Whether the server is of a later version, of which not all can be shown."""
    refused: bool = False
    """Whether the server answers, and lets nobody in by this credential."""

    @property
    def live(self) -> bool:
        """Whether what is shown is what is."""
        return self.age_s is not None and self.age_s < FRESH_S and not self.broken


class Routes(NamedTuple):
    """The ways by which a stop would leave this host, as last looked at; None where nobody has looked yet."""

    latch: bool | None = None
    keeper: bool | None = None


class Replay(NamedTuple):
    """Samples of the last `REPLAY_S` seconds that the engine has kept, by their metric, oldest first; or why they could
    not be read."""

    samples: Mapping[str, tuple[Sample, ...]] = MappingProxyType({})
    trouble: str = ""


@dataclass(frozen=True)
class Progress:
    """A stop and who has acknowledged it: the journal's record, and the heartbeats that are ahead of it."""

    stop: Stop
    acked: frozenset[str]
    lost: frozenset[str]

    @cached_property
    def listed(self) -> frozenset[str]:
        """The frozen list, to look workers up in."""
        return frozenset(self.stop.of)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Which workers are on the frozen list and have not been seen to stop."""
        return tuple(worker for worker in self.stop.of if worker not in self.acked)

    @cached_property
    def running(self) -> tuple[str, ...]:
        """Which services are on it and have not been seen to stop, in the order in which they do."""
        return tuple(step.service for step in self.stop.services if not step.has_stopped)


@dataclass(frozen=True)
class Facts:
    """One state and one observation, with what several views need worked out once.

    What is as long as the list of names or of holds is in the books, which are kept from picture to picture.
    """

    state: State
    names: NameBook
    holds: HoldBook
    sites: SiteIndex
    seen: Observations | None = None

    @classmethod
    def of(cls, state: State, seen: Observations | None = None, before: Facts | None = None) -> Facts:
        """Facts about `state`, with the books of the facts `before` where they still hold."""
        names = before.names if before and before.names.is_of(state) else NameBook(state)
        holds = before.holds if before and before.holds.source is state.holds else None
        if before and names is before.names and holds:
            return cls(state, names, holds, before.sites, seen)
        holds = holds or HoldBook(state, before.holds if before else None, seen.at if seen else None)
        return cls(state, names, holds, SiteIndex(names, holds, before.sites if before else None), seen)

    @cached_property
    def workers(self) -> dict[str, WorkerRow]:
        """What each worker last said; those that ended on purpose included."""
        return {row.worker_id: row for row in self.seen.workers} if self.seen else {}

    @cached_property
    def clients(self) -> dict[str, AskingClient]:
        """Who asks for flags by a protocol of others, under a name that no worker can have."""
        return {f"{one.app}/{one.instance}": one for one in self.seen.clients} if self.seen else {}

    @cached_property
    def lost(self) -> tuple[str, ...]:
        """Workers that went silent without a word: shown apart, counted as not stopped."""
        return tuple(sorted(name for name in self.state.workers if self._is_silent(name)))

    @cached_property
    def cut_off(self) -> tuple[str, ...]:
        """Workers that send heartbeats and have long not seen what holds: what is ordered now does not reach them."""
        if self.seen is None:
            return ()
        settled, lost = self.holds.settled(self.seen.at), set(self.lost)
        behind = (row for row in self.seen.workers if row.state != "left" and row.revision < settled)
        return tuple(sorted(row.worker_id for row in behind if row.worker_id not in lost))

    @cached_property
    def serving(self) -> Mapping[str, tuple[WorkerRow, ...]]:
        """Site → the workers that declared it. Under the empty name those that declared no site, and serve them all."""
        found: dict[str, list[WorkerRow]] = {}
        for row in self.workers.values():
            if row.state != "left":
                for site in row.scope.get("site", ()) or ("",):
                    found.setdefault(site, []).append(row)
        return {site: tuple(rows) for site, rows in found.items()}

    @cached_property
    def ordered(self) -> Mapping[str, Stop]:
        """Hold → the first stop that placed it. A hold is as old as its stop's order, and whose that was; its emergency
        may be somebody else's, which that stop has joined."""
        found: dict[str, Stop] = {}
        for stop in self.state.active_stops():
            for hold_id in stop.hold_ids:
                found[hold_id] = min(stop, found.get(hold_id, stop), key=lambda one: one.ordered_at)
        return found

    @cached_property
    def live(self) -> int:
        """Workers that are known and not lost."""
        return len(self.state.workers) - len(self.lost)

    @cached_property
    def in_flight(self) -> int:
        """Pieces of work running now, as far as live workers said."""
        lost = set(self.lost)
        return sum(row.in_flight for row in self.workers.values() if row.state != "left" and row.worker_id not in lost)

    @cached_property
    def admitted(self) -> float:
        """The share of all work that the holds on everything let through; 1 where nothing holds everything."""
        return min((hold.admit for hold in self.state.holds_on(EVERYTHING)), default=1.0)

    @cached_property
    def word(self) -> RunState:
        """What `status` says of this state, but that everything which is held is ``stopped`` here: how far it has
        stopped is said beside that."""
        from core.policy import run_state  # whoever has a state has loaded it

        return "stopped" if self.holds.everywhere else run_state(self.state)

    @cached_property
    def progress(self) -> tuple[Progress, ...]:
        """The stops in force, oldest first, each with its acknowledgements."""
        return tuple(self._progress_of(stop) for stop in self.state.active_stops())

    @cached_property
    def global_progress(self) -> tuple[Progress, ...]:
        """The stops in force that cover everything."""
        return tuple(each for each in self.progress if EVERYTHING in each.stop.selectors)

    @cached_property
    def usage(self) -> dict[str, LimitUsage]:
        """What is used of each limit."""
        return {usage.name: usage for usage in self.seen.usage} if self.seen else {}

    def _is_silent(self, worker: str) -> bool:
        if self.state.workers[worker].lost_at is not None:
            return True
        row = self.workers.get(worker)
        if row is None or self.seen is None:
            return False
        return row.state != "left" and self.seen.at - row.heartbeat_at > SILENT_AFTER

    def _progress_of(self, stop: Stop) -> Progress:
        rows, since = self.workers, stop.recounted_revision
        heard = (worker for worker in stop.of if worker in rows and rows[worker].has_stopped(stop.stop_id, since))
        return Progress(stop, frozenset(stop.acked).union(heard), frozenset(self.lost).intersection(stop.of))


class Picture(NamedTuple):
    """Facts, and the moment at which they are looked at. `now` is the engine's clock, aware UTC."""

    facts: Facts
    now: datetime
    link: Link
    who: Who
    sent: tuple[Order, ...] = ()
    """Stops that have left from here and that the journal does not have yet."""
    refusal: str = ""
    """Why all of them were refused by whoever would record them: they are latched on this host, and nowhere else."""
    taken: bool = False
    """Whether whoever recorded the last of them has said so; what came of it has not been seen here."""
    routes: Routes = Routes()
    samples: tuple[Input, ...] = ()
    """Samples that triggers were evaluated by, as far as the latest events have them, oldest first."""
    replay: Replay = Replay()

    @property
    def state(self) -> State:
        """The state, for short."""
        return self.facts.state

    @property
    def known(self) -> bool:
        """Whether anything has been read at all: every fleet begins with an event."""
        return self.facts.state.revision > 0

    @property
    def admitted(self) -> float:
        """The share of all work that the holds on everything let through; 1 where nothing holds everything."""
        return self.facts.admitted

    @property
    def word(self) -> RunState:
        """running, partly (some of it is held), stopped (nothing new is admitted anywhere) or unknown. Never better
        than what was observed, nor than what `status` says."""
        if not self.link.live:
            return "unknown"
        if self.sent and not self.facts.holds.everywhere:
            return "unknown"  # somebody may have stopped already, and nobody has said so
        return self.facts.word
