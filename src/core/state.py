"""The state of one fleet: the fold of its journal. Immutable and structurally shared, so a reader never locks.

Entities are small frozen values; the maps are persistent (`immutables.Map`), so a change of one site among a hundred
thousand costs microseconds and the state before it stays as it was. The state itself is a named tuple, because it is
replaced at every event and a frozen dataclass takes four times as long for that.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from immutables import Map

from core.ack_times import AckTimes
from core.reach import Pairs, Reach, reached, with_selector, without_selector
from core.recoveries import Recovery
from core.scope import Scope
from core.services import MISSING_PREFIX, Service, ServiceStep
from opsgate.evaluate import Table
from opsgate.hold import LIMIT_SOURCE, Hold
from opsgate.names import FLAG_OF_OPERATION
from opsgate.order import Level
from opsgate.selector import Selector
from opsgate.snapshot import Notice, Snapshot

if TYPE_CHECKING:
    from core.messages import Role, StopResult
    from core.procedures import Procedure
    from core.triggers.definition import Definition

ENDED_KEPT: Final = 50
"""How many ended emergencies stay in the state; older ones are in the journal."""


@dataclass(frozen=True, slots=True)
class Name:
    """A registered site, operation, workflow, service, dependency or campaign."""

    dimension: str
    name: str
    title: str
    added_at: datetime
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate limit: at most ``limit`` units of cost within any ``window_s`` seconds; 0 means stopped.

    ``operation`` is the work that the limit charges: at a limit of 0 that operation is held.
    """

    name: str
    limit: int
    window_s: float
    operation: str | None
    alias: str | None
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that registered. What it last said is an observation beside the journal; that it is lost is here."""

    worker_id: str
    registered_at: datetime
    lost_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop: its frozen list, its deadline and what has been verified. Times are the engine's.

    The list has two parts: ``of`` are workers, who acknowledge, and ``services`` are driven and observed. ``trigger``
    is the name of what fired it, "" for a person.
    """

    stop_id: str
    emergency_id: str
    level: Level
    selectors: tuple[Selector, ...]
    hold_ids: tuple[str, ...]
    of: tuple[str, ...]
    ordered_at: datetime
    ordered_by: str
    deadline_at: datetime
    reason: str = ""
    result: StopResult = "pending"
    acked: tuple[str, ...] = ()
    concluded_at: datetime | None = None
    ack_times: AckTimes | None = None
    services: tuple[ServiceStep, ...] = ()
    trigger: str = ""
    auto_recover: bool = False
    """Whether what fired it may also begin to recover from it, as its administrator said in advance."""
    recounted_revision: int = 0
    """Where a recovery that had let work through was turned back. What was acknowledged before says nothing of that
    work."""

    @property
    def unacked(self) -> tuple[str, ...]:
        """The workers of the frozen list that have not acknowledged, as far as was recorded."""
        acked = frozenset(self.acked)
        return tuple(worker for worker in self.of if worker not in acked)

    @property
    def listed(self) -> tuple[str, ...]:
        """The whole frozen list; a service is on it as ``service:NAME``."""
        return (*self.of, *(MISSING_PREFIX + step.service for step in self.services))

    @property
    def missing(self) -> tuple[str, ...]:
        """Who of the list is not known to have stopped: workers by their acknowledgement, services by observation."""
        running = (MISSING_PREFIX + step.service for step in self.services if not step.has_stopped)
        return (*self.unacked, *running)

    @property
    def took_ms(self) -> int | None:
        """S1's ``executionDuration``: from the order to its conclusion. None too of one that was counted anew, long
        after its order: that says nothing of how fast it stopped."""
        if self.concluded_at is None or self.recounted_revision:
            return None
        return round((self.concluded_at - self.ordered_at).total_seconds() * 1000)

    def notice(self) -> Notice:
        """What workers acknowledge."""
        return Notice(self.stop_id, self.selectors)


@dataclass(frozen=True, slots=True)
class Emergency:
    """The case around one or more stops. Ends only by recovery.

    ``trigger`` and ``cause`` are what fired its first stop and the value that did, "" for a person. ``tries`` counts
    automatic recoveries, ``failed_recoveries`` those that failed or left something running, whoever began them;
    ``attention`` says why a person is needed, "" where nobody is.
    """

    emergency_id: str
    level: Level
    selectors: tuple[Selector, ...]
    stop_ids: tuple[str, ...]
    opened_at: datetime
    opened_by: str
    reason: str
    correlation_id: str
    status: Literal["active", "ended"] = "active"
    ended_at: datetime | None = None
    ended_by: str = ""
    trigger: str = ""
    cause: str = ""
    account: str | None = None
    owner: str = ""
    owned_at: datetime | None = None
    acked_by: str = ""
    acked_at: datetime | None = None
    recovery: Recovery | None = None
    tries: int = 0
    attention: str = ""
    failed_recoveries: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """A credential: who whoever shows its secret is. ``digest`` is all that is known of the secret: the SHA-256 of
    its text, in hexadecimal. No sites, or no environments, means all of them."""

    token_id: str
    name: str
    digest: str
    role: Role
    sites: tuple[str, ...]
    envs: tuple[str, ...]
    worker_id: str | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str = ""

    @property
    def scope(self) -> Scope:
        """How far it reaches."""
        return Scope(frozenset(self.sites), frozenset(self.envs))

    @property
    def ended_at(self) -> datetime | None:
        """When it stopped, or will stop, being good for anything; None for one that lasts."""
        return min(filter(None, (self.revoked_at, self.expires_at)), default=None)

    def is_valid(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired. A clock that went back revives no revoked one."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger and what has become of it: since when it has been crossed, and what it stopped last.

    ``came_back_at`` is when samples said that what it crossed for last is over; silence says nothing of the kind.
    """

    definition: Definition
    added_at: datetime
    changed_at: datetime
    changed_by: str
    crossed_since: datetime | None = None
    value: str = ""
    fired_at: datetime | None = None
    fired: int = 0
    stop_id: str = ""
    emergency_id: str = ""
    suppressed_at: datetime | None = None
    suppressed: int = 0
    why: str = ""
    came_back_at: datetime | None = None

    @property
    def has_to_come_back(self) -> bool:
        """Whether it has crossed, and no sample has said since that this is over."""
        return self.owes_since is not None

    @property
    def owes_since(self) -> datetime | None:
        """When it crossed, at the earliest, for what no sample has said is over; None where there is nothing."""
        crossed = [at for at in (self.fired_at, self.suppressed_at) if at is not None]
        return min(crossed) if crossed and self.came_back_at is None else None


class State(NamedTuple):
    """Everything that the journal says, at ``revision``.

    ``control_revision`` is the last event that changed what may run (a hold, a stop, an emergency); ``names_revision``
    the last that changed a registered name. ``names`` is keyed ``(dimension, name)``, ``by_selector`` by the pairs of
    the selector, because a tuple is hashed and compared without a line of Python; ``reach`` finds what overlaps.
    """

    fleet: str = ""
    revision: int = 0
    control_revision: int = 0
    names_revision: int = 0
    holds: Map[str, Hold] = Map()
    by_selector: Map[Pairs, tuple[str, ...]] = Map()
    reach: Reach = Map()
    names: Map[tuple[str, str], Name] = Map()
    limits: Map[str, Limit] = Map()
    workers: Map[str, Worker] = Map()
    stops: Map[str, Stop] = Map()
    emergencies: Map[str, Emergency] = Map()
    tokens: Map[str, Token] = Map()
    services: Map[str, Service] = Map()
    procedures: Map[str, Procedure] = Map()
    triggers: Map[str, Trigger] = Map()
    trigger_share: float = 1.0
    """The largest share of the sites that automatic stops may take."""
    active: tuple[str, ...] = ()
    """The emergencies that have not been recovered, oldest first. It follows from ``emergencies``."""

    def but(self, **changes: Any) -> State:
        """This state with other values of these fields: ``_replace`` in a third of its time, for what is done at every
        event. It knows no types: write them down there."""
        values = [*self]
        for name, value in changes.items():
            values[_PLACES[name]] = value
        return tuple.__new__(State, values)

    def with_hold(self, hold: Hold) -> State:
        """This state with one hold placed or replaced."""
        known, by_selector, reach = self.holds.get(hold.hold_id), self.by_selector, self.reach
        if known is None:
            pairs = hold.selector.items
            by_selector = by_selector.set(pairs, (*by_selector.get(pairs, ()), hold.hold_id))
            reach = with_selector(reach, hold.selector, hold.hold_id)
        holds = self.holds.set(hold.hold_id, hold)
        return self.but(holds=holds, by_selector=by_selector, reach=reach, control_revision=hold.revision)

    def without_hold(self, hold_id: str, revision: int) -> State:
        """This state with one hold gone."""
        selector = self.holds[hold_id].selector
        pairs = selector.items
        ids = tuple(other for other in self.by_selector[pairs] if other != hold_id)
        by_selector = self.by_selector.set(pairs, ids) if ids else self.by_selector.delete(pairs)
        return self.but(
            holds=self.holds.delete(hold_id),
            by_selector=by_selector,
            reach=without_selector(self.reach, selector, hold_id),
            control_revision=revision,
        )

    def holds_on(self, selector: Selector) -> tuple[Hold, ...]:
        """The holds with exactly this selector, oldest first."""
        return tuple(self.holds[hold_id] for hold_id in self.by_selector.get(selector.items, ()))

    def holds_touching(self, selectors: Iterable[Selector]) -> tuple[Hold, ...]:
        """Every hold that still holds some of the work that these selectors select, oldest first."""
        touching = (self.holds[hold_id] for hold_id in reached(self.reach, selectors))
        return tuple(sorted(touching, key=lambda hold: (hold.placed_at, hold.revision, hold.hold_id)))

    def names_of(self, dimension: str) -> tuple[Name, ...]:
        """The registered names of one dimension, by name."""
        return tuple(sorted((n for n in self.names.values() if n.dimension == dimension), key=lambda n: n.name))

    def emergencies_touching(self, selectors: Iterable[Selector]) -> tuple[Emergency, ...]:
        """The active emergencies whose scope overlaps any of these selectors, oldest first. Each holds all of its scope
        until it ends, so they are found by their holds, however many others there are."""
        owners = {hold.owner for hold in self.holds_touching(selectors) if hold.source == "emergency"}
        found = (self.emergencies[owner] for owner in owners if owner in self.emergencies)
        return tuple(sorted((each for each in found if each.status == "active"), key=_AGE))

    def active_emergencies(self) -> tuple[Emergency, ...]:
        """The emergencies that have not been recovered, oldest first."""
        return tuple(map(self.emergencies.__getitem__, self.active))

    def active_stops(self) -> tuple[Stop, ...]:
        """The stops of active emergencies, oldest first."""
        return tuple(map(self.stops.__getitem__, chain.from_iterable(map(_STOP_IDS, self.active_emergencies()))))

    def with_emergency(self, emergency: Emergency) -> State:
        """This state with one emergency opened, changed or ended."""
        emergencies, active = self.emergencies.set(emergency.emergency_id, emergency), self.active
        known = self.emergencies.get(emergency.emergency_id)
        was_active = known is not None and known.status == "active"
        if emergency.status == "active" and not was_active:
            at = bisect(active, _AGE(emergency), key=lambda other: _AGE(emergencies[other]))
            active = (*active[:at], emergency.emergency_id, *active[at:])
        elif was_active and emergency.status != "active":
            at = active.index(emergency.emergency_id)
            active = (*active[:at], *active[at + 1 :])
        return self.but(emergencies=emergencies, active=active)

    def snapshot(self) -> Snapshot:
        """The document that gates decide by."""
        names: dict[str, set[str]] = {}
        for dimension, name in self.names:
            names.setdefault(dimension, set()).add(name)
        return Snapshot(
            fleet=self.fleet,
            revision=self.revision,
            holds=(*self.holds.values(), *filter(None, map(hold_of_limit, self.limits.values()))),
            stops=tuple(stop.notice() for stop in self.active_stops()),
            names={dimension: frozenset(values) for dimension, values in names.items()},
            names_revision=self.names_revision,
        )

    def table(self) -> Table:
        """The holds compiled for decisions; compile once per revision."""
        return self.snapshot().table()


_AGE: Final = attrgetter("opened_at", "emergency_id")
_STOP_IDS: Final = attrgetter("stop_ids")


def active_of(emergencies: Mapping[str, Emergency]) -> tuple[str, ...]:
    """What `State.active` is where these are all the emergencies that a state has."""
    active = sorted((each for each in emergencies.values() if each.status == "active"), key=_AGE)
    return tuple(each.emergency_id for each in active)


_PLACES: Final = {name: place for place, name in enumerate(State._fields)}


def hold_of_limit(limit: Limit) -> Hold | None:
    """The blocker that a limit of zero is, or None while the limit lets anything through."""
    if limit.limit > 0 or limit.operation is None:
        return None
    return Hold(
        hold_id=f"limit:{limit.name}",
        selector=Selector.of(operation=limit.operation),
        source=LIMIT_SOURCE,
        owner=limit.alias or limit.name,
        reason=f"limit {limit.name} is 0",
        placed_at=limit.changed_at,
    )


def flag_name(operation: str) -> str:
    """How people call the switch of an operation: S0's spelling where it has one."""
    return FLAG_OF_OPERATION.get(operation, operation)
