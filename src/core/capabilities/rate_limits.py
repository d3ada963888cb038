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

from core.capabilities.names import stored_name
from core.engine import Draft, decides, evolves
from core.errors import CommandRejected, UnknownName
from core.messages import Command, Event, Header, Identifier, command, event
from core.state import Limit, State

Units = Annotated[int, Field(ge=0, le=1_000_000_000)]
Window = Annotated[float, Field(gt=0, le=31 * 86_400, allow_inf_nan=False)]

HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0

SEED_LIMITS: Final = (
    ("sites", 10, HOUR_S, "site_creation", "maxSitesPerHour"),
    ("content_pages", 100, HOUR_S, "content_generation", "maxContentPagesPerHour"),
    ("gsc_requests", 200, HOUR_S, "gsc_verification", "maxGSCRequestsPerHour"),
    ("opportunity_scans", 50, DAY_S, "opportunity_scan", "maxOpportunityScansPerDay"),
)
"""S0's four: name, units, window in seconds, the operation it charges, S0's own name."""


@command
class AddLimit(Command):
    """Define a custom limit of ``limit`` units of cost in any ``window_s`` seconds."""

    kind: Literal["add-limit"] = "add-limit"
    name: Identifier
    limit: Units
    window_s: Window = HOUR_S
    operation: Identifier | None = None


@command
class SetLimit(Command):
    """Change a limit. A lowered one acts at once; 0 stops the operation it charges."""

    kind: Literal["set-limit"] = "set-limit"
    name: Identifier
    limit: Units
    window_s: Window | None = None


@command
class ResetLimit(Command):
    """Forget what has been used of a limit."""

    kind: Literal["reset-limit"] = "reset-limit"
    name: Identifier


@event
class LimitDefined(Event):
    """A limit was defined."""

    kind: Literal["limit.defined"] = "limit.defined"
    name: str
    limit: int
    window_s: float
    operation: str | None = None
    alias: str | None = None


@event
class LimitChanged(Event):
    """A limit has another allowance or window."""

    kind: Literal["limit.changed"] = "limit.changed"
    name: str
    limit: int
    window_s: float


@event
class LimitReset(Event):
    """What was used of a limit before this event no longer counts."""

    kind: Literal["limit.reset"] = "limit.reset"
    name: str


@decides(AddLimit)
def add_limit(draft: Draft, wanted: AddLimit) -> None:
    """Define a limit under a new name; the same definition again changes nothing."""
    operation = None if wanted.operation is None else stored_name("operation", wanted.operation)
    known = draft.state.limits.get(wanted.name)
    if known is None:
        draft.emit(LimitDefined(name=wanted.name, limit=wanted.limit, window_s=wanted.window_s, operation=operation))
    elif (known.limit, known.window_s, known.operation) != (wanted.limit, wanted.window_s, operation):
        raise CommandRejected(
            "limit-exists", f"limit {wanted.name} exists with other numbers", f"change it: limits set {wanted.name} …"
        )
    else:
        draft.notes.append(f"limit {wanted.name} is defined so already")


@decides(SetLimit)
def set_limit(draft: Draft, wanted: SetLimit) -> None:
    """Change a limit that is there."""
    known = limit_named(draft.state, wanted.name)
    window_s = known.window_s if wanted.window_s is None else wanted.window_s
    if (known.limit, known.window_s) == (wanted.limit, window_s):
        draft.notes.append(f"limit {known.name} is {known.limit} already")
        return
    draft.emit(LimitChanged(name=known.name, limit=wanted.limit, window_s=window_s))


@decides(ResetLimit)
def reset_limit(draft: Draft, wanted: ResetLimit) -> None:
    """Forget the usage of a limit that is there."""
    draft.emit(LimitReset(name=limit_named(draft.state, wanted.name).name))


@evolves(LimitDefined)
def limit_defined(state: State, happened: LimitDefined, header: Header) -> State:
    """Fold."""
    limit = Limit(
        happened.name,
        happened.limit,
        happened.window_s,
        happened.operation,
        happened.alias,
        changed_at=header.at,
        changed_by=header.actor.name,
    )
    return replace(state, limits=state.limits.set(limit.name, limit))


@evolves(LimitChanged)
def limit_changed(state: State, happened: LimitChanged, header: Header) -> State:
    """Fold; a limit that becomes zero, or leaves it, changes what may run."""
    known = state.limits[happened.name]
    limit = replace(
        known,
        limit=happened.limit,
        window_s=happened.window_s,
        changed_at=header.at,
        changed_by=header.actor.name,
    )
    control = header.revision if 0 in (known.limit, limit.limit) else state.control_revision
    return replace(state, limits=state.limits.set(limit.name, limit), control_revision=control)


@evolves(LimitReset)
def limit_reset(state: State, happened: LimitReset, header: Header) -> State:
    """Fold: the usage rows go in the same transaction; the definition stays."""
    known = state.limits[happened.name]
    limit = replace(known, changed_at=header.at, changed_by=header.actor.name)
    return replace(state, limits=state.limits.set(limit.name, limit))


def limit_named(state: State, name: str) -> Limit:
    """The limit called ``name``, by its own name or S0's; `UnknownName` when there is none."""
    if name in state.limits:
        return state.limits[name]
    for limit in state.limits.values():
        if limit.alias == name:
            return limit
    raise UnknownName("unknown-limit", f"no limit is called {name}", "see the list with 'opsconsole limits list'")


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer to a reservation. ``retry_after_s`` is when it could succeed at the earliest, None for never."""

    granted: bool
    used: int
    limit: int
    retry_after_s: float | None = None


def reserve(limit: Limit, cost: int, usage: Iterable[tuple[float, int]], now_s: float) -> Grant:
    """Decide a reservation of ``cost`` against the ``usage`` rows ``(at_s, cost)``, oldest first.

    A row counts while it is younger than the window; one from the future (the clock went back) counts too, so a
    clock that jumps never gives more than the limit.
    """
    counted = [(at_s, used) for at_s, used in usage if at_s > now_s - limit.window_s]
    total = sum(used for _, used in counted)
    if total + cost <= limit.limit:
        return Grant(granted=True, used=total + cost, limit=limit.limit)
    if cost > limit.limit:
        return Grant(granted=False, used=total, limit=limit.limit)
    excess = total + cost - limit.limit
    for at_s, used in counted:
        excess -= used
        if excess <= 0:
            return Grant(False, total, limit.limit, retry_after_s=max(0.0, at_s + limit.window_s - now_s))
    raise AssertionError("the counted rows add up to the total")
