"""The decision. Pure: a table of holds and a piece of work in, a verdict with every blocker out.

Any blocker wins and nothing forces "allowed" past a hold. The order below only chooses the headline; it is the one
documented order: emergency, global, flag, site or account, dependency or service, workflow, campaign, a limit of
zero, and last the local agent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from opsgate.hold import LIMIT_SOURCE, Hold
from opsgate.names import FLAG_OF_OPERATION, REGISTERED, operation_named
from opsgate.selector import EVERYTHING

Outcome = Literal["allowed", "blocked", "unknown"]
Work = Mapping[str, str | None]
"""Dimension → value of one piece of work; None and absent mean the same."""

_NOWHERE: Final = 99
_RANK_OF_DIMENSION: Final = {
    "env": 1,
    "operation": 2,
    "site": 3,
    "account": 3,
    "dependency": 4,
    "service": 4,
    "workflow": 5,
    "campaign": 6,
    "agent": 8,
}
_RANK_OF_LIMIT: Final = 7


def rank(hold: Hold) -> tuple[int, int, str]:
    """Where a blocker stands in the documented order; equal ranks go by age, then by id."""
    if hold.source == "emergency":
        place = 0
    elif hold.source == LIMIT_SOURCE:
        place = _RANK_OF_LIMIT
    elif hold.selector == EVERYTHING:
        place = 1
    else:
        place = min((_RANK_OF_DIMENSION[dimension] for dimension in hold.selector.dimensions), default=_NOWHERE)
    return place, hold.revision, hold.hold_id


def admitted(hold: Hold, work: Work, key: str | None) -> bool:
    """Whether a ramping hold lets this work through: a stable hash of its key falls below the admitted share.

    Raising ``admit`` only ever adds work to what was admitted before, and every gate agrees on which.
    """
    if hold.admit <= 0.0:
        return False
    text = key if key is not None else ",".join(f"{name}={work[name]}" for name in sorted(work) if work[name])
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 < hold.admit


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of one piece of work: ``blockers`` in documented order, and the names nobody registered."""

    outcome: Outcome
    blockers: tuple[Hold, ...] = ()
    unknown_names: tuple[str, ...] = ()


ALLOWED: Final = Verdict("allowed")


class Table:
    """Holds compiled for lookup by the shape of their selectors, so that a decision costs the same for ten holds as
    for ten thousand and for one site as for a hundred thousand.

    Immutable after construction: publish it by one assignment and read it without a lock.
    """

    __slots__ = ("combined", "everywhere", "holds", "names", "single")

    def __init__(self, holds: Iterable[Hold] = (), names: Mapping[str, frozenset[str]] | None = None) -> None:
        self.holds = tuple(sorted(holds, key=rank))
        self.names: Mapping[str, frozenset[str]] = names or {}
        self.everywhere = tuple(hold for hold in self.holds if hold.is_global)
        single: dict[str, dict[str, tuple[Hold, ...]]] = {}
        combined: dict[tuple[str, ...], dict[tuple[str, ...], tuple[Hold, ...]]] = {}
        for hold in self.holds:
            shape = hold.selector.dimensions
            values = tuple(value for _, value in hold.selector.items)
            if len(shape) == 1:
                index = single.setdefault(shape[0], {})
                for value in _spellings(shape[0], values[0]):
                    index[value] = (*index.get(value, ()), hold)
            elif shape:
                by_values = combined.setdefault(shape, {})
                by_values[values] = (*by_values.get(values, ()), hold)
        self.single = tuple(single.items())
        self.combined = tuple(combined.items())

    def covering(self, work: Work) -> list[Hold]:
        """Every hold whose selector matches ``work``, whatever share it admits, in no particular order."""
        found = list(self.everywhere)
        for dimension, index in self.single:
            value = work.get(dimension)
            if value is not None:
                found += index.get(value, ())
        for shape, by_values in self.combined:
            found += by_values.get(tuple(_stored(dimension, work.get(dimension)) for dimension in shape), ())
        return found

    def unknown(self, work: Work) -> tuple[str, ...]:
        """The ``dimension=value`` pairs of registered dimensions that nobody registered."""
        return tuple(
            f"{dimension}={value}"
            for dimension, value in work.items()
            if value is not None
            and dimension in REGISTERED
            and _stored(dimension, value) not in self.names.get(dimension, ())
        )


def evaluate(table: Table, work: Work, *, key: str | None = None, strict: bool = False) -> Verdict:
    """Decide one piece of work against a table.

    ``key`` chooses which work a ramping hold admits; by default the work's own dimensions do. With ``strict`` an
    unknown name refuses; otherwise it is only named in the verdict. Never raises for any work.
    """
    blockers = [hold for hold in table.covering(work) if not admitted(hold, work, key)]
    unknown = table.unknown(work)
    if blockers:
        return Verdict("blocked", tuple(sorted(blockers, key=rank)), unknown)
    if unknown:
        return Verdict("blocked" if strict else "allowed", (), unknown)
    return ALLOWED


def headline(verdict: Verdict) -> str:
    """One line for a person: the first blocker in documented order, or why there is none."""
    if verdict.blockers:
        return describe(verdict.blockers[0])
    if verdict.outcome == "blocked":
        return f"unknown name {', '.join(verdict.unknown_names)} (strict mode refuses it)"
    return "allowed" if verdict.outcome == "allowed" else "the state could not be read"


def describe(hold: Hold) -> str:
    """A hold as a person would say it: what is held, by whom and why."""
    what = "everything" if hold.is_global else str(hold.selector)
    why = f": {hold.reason}" if hold.reason else ""
    match hold.source:
        case "emergency":
            return f"{what} is stopped by emergency {hold.owner}{why}"
        case "flag":
            return f"operation {hold.selector.get('operation')} is switched off{why}"
        case "workflow":
            return f"workflow {hold.selector.get('workflow')} is disabled{why}"
        case "limit":
            return f"limit {hold.owner} is 0, so {what} is stopped"
        case "operator":
            return f"{what} is paused by {hold.owner}{why}"
        case _:
            return f"{what} is held by {hold.source} {hold.owner}{why}"


def _spellings(dimension: str, value: str) -> tuple[str, ...]:
    """An operation answers to its flag's name too."""
    if dimension == "operation" and value in FLAG_OF_OPERATION:
        return value, FLAG_OF_OPERATION[value]
    return (value,)


def _stored(dimension: str, value: str | None) -> str:
    """A value of work as holds and registries spell it; the empty string, which no hold names, where it is absent."""
    return operation_named(value or "") if dimension == "operation" else value or ""
