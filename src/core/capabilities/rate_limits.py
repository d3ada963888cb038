"""Rate limits (S0): at most so much cost within any window, reserved before the work and refunded if it never started.

A used-up limit is not a pause: nobody is notified and no hold is placed; the refusal says when to try again. A limit
of zero is a stop of the operation that it charges. What is used is an observation, kept in rows beside the journal;
here are the definitions and the arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from pydantic import Field

from core.capabilities.holds import require_unmoved
from core.capabilities.names import require_known
from core.engine import Draft, decides, evolves, only_people
from core.errors import CommandRejected, UnknownName
from core.messages import Command, Header, Identifier, LimitEvent, command, event
from core.state import Limit, State
from opsgate.selector import Selector

Units = Annotated[int, Field(ge=0, le=1_000_000_000)]
Window = Annotated[float, Field(gt=0, le=31 * 86_400, allow_inf_nan=False)]

HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0

_OWNED: Final = "@"
"""Stands between the id of a reservation and the worker that took it, and in no name."""

SEED_LIMITS: Final = (
    ("sites", 10, HOUR_S, "site_creation", "maxSitesPerHour"),
    ("content_pages", 100, HOUR_S, "content_generation", "maxContentPagesPerHour"),
    ("gsc_requests", 200, HOUR_S, "gsc_verification", "maxGSCRequestsPerHour"),
    ("opportunity_scans", 50, DAY_S, "opportunity_scan", "maxOpportunityScansPerDay"),
)
"""S0's four: name, units, window in seconds, the operation it charges, S0's own name."""


def owned_by(reservation_id: str, worker_id: str | None) -> str:
    """The id of a reservation that this worker took; nobody else's, where there is none to name."""
    return f"{reservation_id}{_OWNED}{worker_id}" if worker_id else reservation_id


def owner_of(reservation_id: str) -> str:
    """Which worker took a reservation; empty where none is named."""
    return reservation_id.partition(_OWNED)[2]


@command
class AddLimit(Command):
    """Define a custom limit of ``limit`` units of cost in any ``window_s`` seconds, charging ``operation``.

    With ``create`` an unknown operation is registered instead of refused.
    """

    kind: Literal["add-limit"] = "add-limit"
    name: Identifier
    limit: Units
    window_s: Window = HOUR_S
    operation: Identifier | None = None
    create: bool = False


@command
class SetLimit(Command):
    """Change a limit. A lowered one acts at once; 0 stops the operation it charges."""

    kind: Literal["set-limit"] = "set-limit"
    name: Identifier
    limit: Units
    window_s: Window | None = None

    @property
    def lets_run(self) -> bool:
        """Any but 0 may be more than there was."""
        return self.limit > 0


@command
class ResetLimit(Command):
    """Forget what has been used of a limit."""

    kind: Literal["reset-limit"] = "reset-limit"
    name: Identifier

    @property
    def lets_run(self) -> bool:
        """Whatever waited for units goes on."""
        return True


@event
class LimitDefined(LimitEvent):
    """A limit was defined."""

    kind: Literal["limit.defined"] = "limit.defined"
    limit: int
    window_s: float
    operation: str | None = None
    alias: str | None = None


@event
class LimitChanged(LimitEvent):
    """A limit has another allowance or window, or charges another operation."""

    kind: Literal["limit.changed"] = "limit.changed"
    limit: int
    window_s: float
    operation: str | None = None


@event
class LimitReset(LimitEvent):
    """What was used of a limit before this event no longer counts."""

    kind: Literal["limit.reset"] = "limit.reset"


@decides(AddLimit)
def add_limit(draft: Draft, wanted: AddLimit) -> None:
    """Define a limit under a new name; the same definition again changes nothing."""
    operation = charged(draft, wanted.operation, create=wanted.create)
    known = find_limit(draft.state, wanted.name)
    if known is None:
        draft.emit(LimitDefined(name=wanted.name, limit=wanted.limit, window_s=wanted.window_s, operation=operation))
    elif (known.limit, known.window_s, known.operation) != (wanted.limit, wanted.window_s, operation):
        raise CommandRejected(
            "limit-exists", f"limit {known.name} exists with other numbers", f"change it: limits set {known.name} UNITS"
        )
    else:
        draft.notes.append(f"limit {known.name} is defined so already")


@decides(SetLimit)
def set_limit(draft: Draft, wanted: SetLimit) -> None:
    """Change a limit that is there. Raising it from 0 lets work start, so it is a release like any other."""
    known = limit_named(draft.state, wanted.name)
    window_s = known.window_s if wanted.window_s is None else wanted.window_s
    if (known.limit, known.window_s) == (wanted.limit, window_s):
        draft.notes.append(f"limit {known.name} is {known.limit} already")
        return
    if known.limit == 0 < wanted.limit:
        only_people(draft, "raising a limit from 0")
        require_unmoved(draft)
    draft.emit(LimitChanged(name=known.name, limit=wanted.limit, window_s=window_s, operation=known.operation))


@decides(ResetLimit)
def reset_limit(draft: Draft, wanted: ResetLimit) -> None:
    """Forget the usage of a limit that is there."""
    draft.emit(LimitReset(name=limit_named(draft.state, wanted.name).name))


@evolves(LimitDefined)
def limit_defined(state: State, happened: LimitDefined, header: Header) -> State:
    """Fold; one that is born as zero holds what it charges."""
    limit = Limit(
        happened.name,
        happened.limit,
        happened.window_s,
        happened.operation,
        happened.alias,
        changed_at=header.at,
        changed_by=header.actor.name,
    )
    return _with_limit(state, limit, header, was=None)


@evolves(LimitChanged)
def limit_changed(state: State, happened: LimitChanged, header: Header) -> State:
    """Fold; a limit that becomes zero, or leaves it, changes what may run."""
    known = state.limits[happened.name]
    limit = replace(
        known,
        limit=happened.limit,
        window_s=happened.window_s,
        operation=happened.operation,
        changed_at=header.at,
        changed_by=header.actor.name,
    )
    return _with_limit(state, limit, header, was=known)


@evolves(LimitReset)
def limit_reset(state: State, _happened: LimitReset, _header: Header) -> State:
    """Fold: the usage rows go in the same transaction; the definition stays as it was."""
    return state


def find_limit(state: State, name: str) -> Limit | None:
    """The limit called ``name``, by its own name or S0's, if there is one."""
    known = state.limits.get(name)
    return known or next((limit for limit in state.limits.values() if limit.alias == name), None)


def limit_named(state: State, name: str) -> Limit:
    """The limit called ``name``, by its own name or S0's; `UnknownName` when there is none."""
    known = find_limit(state, name)
    if known is None:
        raise UnknownName("unknown-limit", f"no limit is called {name}", "see the list with 'opsconsole limits list'")
    return known


def charged(draft: Draft, operation: str | None, *, create: bool = False) -> str | None:
    """The operation that a limit will charge, as it is stored; `UnknownName` when nobody registered it."""
    if operation is None:
        return None
    selector = Selector.of(operation=operation)
    require_known(draft, [selector], create=create)
    return selector.get("operation")


def _with_limit(state: State, limit: Limit, header: Header, was: Limit | None) -> State:
    stops_or_stopped = limit.limit == 0 or (was is not None and was.limit == 0)
    control_revision = header.revision if stops_or_stopped else state.control_revision
    return state.but(limits=state.limits.set(limit.name, limit), control_revision=control_revision)


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer to a reservation. ``retry_after_s`` is when it could succeed at the earliest, None for never."""

    granted: bool
    used: int
    limit: int
    retry_after_s: float | None = None


def reserve(limit: Limit, cost: int, usage: Iterable[tuple[float, int]], now_s: float) -> Grant:
    """Decide a reservation of ``cost``, at least 1, against the ``usage`` rows ``(at_s, cost)``, oldest first.

    A row counts until the moment at which it is as old as the window; one from the future (the clock went back)
    counts too, so a clock that jumps never gives more than the limit. Raises `CommandRejected` for a cost below 1,
    which would hand out what nobody had.
    """
    if cost < 1:
        raise CommandRejected("bad-cost", f"a reservation costs at least 1, not {cost}", "reserve what the work costs")
    counted = [(at_s + limit.window_s, used) for at_s, used in usage if at_s + limit.window_s > now_s]
    total = sum(used for _, used in counted)
    if total + cost <= limit.limit:
        return Grant(granted=True, used=total + cost, limit=limit.limit)
    retry_after_s = None
    excess = total + cost - limit.limit
    for free_at_s, used in sorted(counted) if cost <= limit.limit else ():
        excess -= used
        if excess <= 0:
            retry_after_s = free_at_s - now_s
            break
    return Grant(granted=False, used=total, limit=limit.limit, retry_after_s=retry_after_s)
