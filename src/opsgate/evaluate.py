"""The decision. Pure: a table of holds and a piece of work in, a verdict with every blocker out.

Any blocker wins and nothing forces "allowed" past a hold. The order below only chooses the headline; it is the one
documented order: emergency, global (or a whole environment), flag, site or account, dependency or service, workflow,
campaign, a limit of zero, and last the local agent. A hold on several dimensions stands where its first one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from opsgate.hold import LIMIT_SOURCE, LOCAL_SOURCES, Hold
from opsgate.names import DIMENSIONS, FLAG_OF_OPERATION, REGISTERED, operation_named
from opsgate.selector import EVERYTHING, Selector

Outcome = Literal["allowed", "blocked", "unknown"]
Work = Mapping[str, str | None]
"""Dimension → value of one piece of work; None and absent mean the same."""

Names = Mapping[str, frozenset[str]]
"""Registered dimension → the names registered in it."""

Within = Mapping[str, frozenset[str]]
"""Dimension → the only names of it about which anything is known here; a dimension that is absent has no bounds."""

Shape = tuple[str, ...]

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
_RANK_OF_AGENT: Final = _RANK_OF_DIMENSION["agent"]


def rank(hold: Hold) -> tuple[int, datetime, int, str]:
    """Where a blocker stands in the documented order; equal ranks go by age, oldest first."""
    if hold.source == "emergency":
        place = 0
    elif hold.source == LIMIT_SOURCE:
        place = _RANK_OF_LIMIT
    elif hold.source in LOCAL_SOURCES:
        place = _RANK_OF_AGENT
    elif hold.selector == EVERYTHING:
        place = 1
    else:
        place = min((_RANK_OF_DIMENSION.get(name, _NOWHERE) for name in hold.selector.dimensions), default=_NOWHERE)
    return place, hold.placed_at, hold.revision, hold.hold_id


def admitted(hold: Hold, work: Work, key: str | None) -> bool:
    """Whether a ramping hold lets this work through: a stable hash of its key falls below the admitted share.

    Raising ``admit`` only ever adds work to what was admitted before, and every gate agrees on which.
    """
    if hold.admit <= 0.0:
        return False
    if key is None:
        key = ",".join(f"{name}={_stored(name, work[name])}" for name in sorted(work) if work[name] is not None)
    from hashlib import blake2b  # only where something ramps: it loads OpenSSL

    digest = blake2b(str(key).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < hold.admit * 2**64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of one piece of work: ``blockers`` in documented order, the names nobody registered, and those
    that lie ``beyond`` what may be known here."""

    outcome: Outcome
    blockers: tuple[Hold, ...] = ()
    unknown_names: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()


ALLOWED: Final = Verdict("allowed")


class Table:
    """Holds compiled for lookup by the shape of their selectors, so that a decision costs the same for ten holds as
    for ten thousand and for one site as for a hundred thousand.

    Immutable after construction: publish it by one assignment and read it without a lock. `changed` makes the next
    one from it by difference, sharing what stayed.
    """

    __slots__ = ("_ordered", "by_id", "by_shape", "mentioned", "names", "recognised", "within")

    def __init__(
        self,
        holds: Iterable[Hold] = (),
        names: Names | None = None,
        *,
        base: Table | None = None,
        gone: Iterable[str] = (),
        within: Within | None = None,
    ) -> None:
        """The table of ``holds``; with ``base``, that one with ``gone`` taken out and ``holds`` placed or replaced.
        ``within`` are its bounds, where it does not hold all that the fleet has."""
        by_id = base.by_id if base else {}
        by_shape = base.by_shape if base else {}
        mentioned = base.mentioned if base else {}
        self.by_id: dict[str, Hold] = dict(by_id)
        self.by_shape: dict[Shape, dict[Shape, tuple[Hold, ...]]] = {s: dict(index) for s, index in by_shape.items()}
        self.mentioned: dict[str, dict[str, int]] = {d: dict(values) for d, values in mentioned.items()}
        """Dimension → value → how many selectors name it. Work none of whose values is here is covered by no hold
        but those on everything."""
        same_names = base is not None and (names is None or names is base.names)
        self.names: Names = base.names if base and same_names else names or {}
        self.recognised: Names = base.recognised if base and same_names else _with_flags(self.names)
        """The registered names in every spelling that work may use."""
        self.within: Within = (base.within if base else {}) if within is None else within
        self._ordered: tuple[Hold, ...] | None = None
        for hold_id in gone:
            self._drop(hold_id)
        for hold in holds:
            self._add(hold)

    @property
    def holds(self) -> tuple[Hold, ...]:
        """All holds in documented order."""
        if self._ordered is None:
            self._ordered = tuple(sorted(self.by_id.values(), key=rank))
        return self._ordered

    @property
    def everywhere(self) -> tuple[Hold, ...]:
        """The holds on everything."""
        return self.by_shape.get((), {}).get((), ())

    def changed(
        self,
        placed: Iterable[Hold] = (),
        gone: Iterable[str] = (),
        names: Names | None = None,
        within: Within | None = None,
    ) -> Table:
        """The table with holds placed (or replaced, by id) and gone, and with other names and bounds where they are
        given; this very one where that changes nothing."""
        placed, gone = tuple(placed), tuple(gone)
        is_same = (names is None or names is self.names) and (within is None or within == self.within)
        if not placed and not gone and is_same:
            return self
        return Table(placed, names, base=self, gone=gone, within=within)

    def covering(self, work: Work) -> list[Hold]:
        """Every hold whose selector matches ``work``, whatever share it admits, in no particular order."""
        found: list[Hold] = []
        for shape, index in self.by_shape.items():
            found += index.get(tuple([_stored(dimension, work.get(dimension)) for dimension in shape]), ())
        return found

    def lets_through(self, selectors: Iterable[Selector]) -> bool:
        """Whether a stop of exactly one of these scopes lets some of its work through, as a recovery has it do."""
        for selector in selectors:
            shape, values = tuple(d for d, _ in selector.items), tuple(value for _, value in selector.items)
            holds = self.by_shape.get(shape, {}).get(values, ())
            if any(hold.source == "emergency" and hold.admit > 0.0 for hold in holds):
                return True
        return False

    def unknown(self, work: Work) -> tuple[str, ...]:
        """The ``dimension=value`` pairs that nobody registered, those of a misspelt dimension among them."""
        return tuple(
            [
                f"{dimension}={value}"
                for dimension, value in work.items()
                if value is not None and self._is_unknown(dimension, _stored(dimension, value))
            ]
        )

    def beyond(self, work: Work) -> tuple[str, ...]:
        """The ``dimension=value`` pairs of which nothing may be known here: no hold on them would be found."""
        return tuple(
            [
                f"{dimension}={work[dimension]}"
                for dimension, names in self.within.items()
                if work.get(dimension) is not None and _stored(dimension, work[dimension]) not in names
            ]
        )

    def _is_unknown(self, dimension: str, value: str) -> bool:
        if dimension in REGISTERED:
            return value not in self.names.get(dimension, ())
        return dimension not in DIMENSIONS

    def _add(self, hold: Hold) -> None:
        self._drop(hold.hold_id)
        self.by_id[hold.hold_id] = hold
        shape, values = _split(hold)
        index = self.by_shape.setdefault(shape, {})
        index[values] = (*index.get(values, ()), hold)
        self._mention(hold, 1)

    def _drop(self, hold_id: str) -> None:
        hold = self.by_id.pop(hold_id, None)
        if hold is None:
            return
        shape, values = _split(hold)
        index = self.by_shape[shape]
        index[values] = tuple(other for other in index[values] if other.hold_id != hold_id)
        if not index[values]:
            del index[values]
        if not index:
            del self.by_shape[shape]
        self._mention(hold, -1)

    def _mention(self, hold: Hold, times: int) -> None:
        for dimension, value in hold.selector.items:
            values = self.mentioned.setdefault(dimension, {})
            for spelling in _spellings(dimension, value):
                values[spelling] = values.get(spelling, 0) + times
                if not values[spelling]:
                    del values[spelling]


def evaluate(table: Table, work: Work, *, key: str | None = None, strict: bool = False) -> Verdict:
    """Decide one piece of work against a table.

    ``key`` chooses which work a ramping hold admits; by default the work's own dimensions do. With ``strict`` an
    unknown name refuses; otherwise it is only named in the verdict. Work beyond the bounds of the table is refused,
    because what holds it would not be in there. Never raises for any work.
    """
    blockers = [hold for hold in table.covering(work) if not admitted(hold, work, key)]
    unknown = table.unknown(work)
    beyond = table.beyond(work) if table.within else ()
    if blockers:
        if len(blockers) > 1:
            blockers.sort(key=rank)
        return Verdict("blocked", tuple(blockers), unknown, beyond)
    if beyond:
        return Verdict("blocked", (), unknown, beyond)
    if unknown:
        return Verdict("blocked" if strict else "allowed", (), unknown)
    return ALLOWED


def headline(verdict: Verdict) -> str:
    """One line for a person: the first blocker in documented order, or why there is none."""
    if verdict.blockers:
        return describe(verdict.blockers[0])
    if verdict.beyond:
        return f"{', '.join(verdict.beyond)} is beyond the scope of this credential, so nothing is known of it"
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


def _split(hold: Hold) -> tuple[Shape, Shape]:
    """A hold's selector as its shape (the dimensions) and its values."""
    items = hold.selector.items
    return tuple(dimension for dimension, _ in items), tuple(value for _, value in items)


def _with_flags(names: Names) -> Names:
    """The names, each operation under its flag's name too. What needs no other spelling is shared, not copied."""
    operations = names.get("operation", frozenset())
    return {
        **names,
        "operation": operations | {FLAG_OF_OPERATION[name] for name in operations & set(FLAG_OF_OPERATION)},
    }


def _spellings(dimension: str, value: str) -> tuple[str, ...]:
    """An operation answers to its flag's name too."""
    if dimension == "operation" and value in FLAG_OF_OPERATION:
        return value, FLAG_OF_OPERATION[value]
    return (value,)


def _stored(dimension: str, value: object) -> str:
    """A value of work as holds and registries spell it: an untyped worker may pass the number of a row or an enum
    member; the empty string, which no hold names, where it is absent."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    return operation_named(text) if dimension == "operation" else text
