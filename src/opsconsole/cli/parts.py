"""Why a fleet is neither running nor stopped, in one sentence: who is missing, and what is held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from opsconsole.views.words import counted
from opsgate.evaluate import rank
from opsgate.hold import Hold
from opsgate.status import FleetStatus, StopStatus

_NAMED = 3

_VERBS = {"emergency": "held by an emergency", "operator": "paused", "flag": "off", "workflow": "off", "limit": "at 0"}
_NOUNS = {"operation": "flag", "env": "environment"}


def in_parts(found: FleetStatus) -> str:
    """One sentence such as ``stop S-1 partial: 11/12, missing w-12; 1 flag off, 2 sites paused``."""
    missing = [_missing(stop) for stop in found.stops if stop.missing]
    return "; ".join([*missing, ", ".join(_counts(found.known.table().by_id.values()))]).strip("; ")


def _missing(stop: StopStatus) -> str:
    result = "still counting" if stop.result == "pending" else stop.result
    more = f" and {len(stop.missing) - _NAMED} more" if len(stop.missing) > _NAMED else ""
    names = ", ".join(stop.missing[:_NAMED])
    return f"stop {stop.stop_id} {result}: {len(stop.of) - len(stop.missing)}/{len(stop.of)}, missing {names}{more}"


def _counts(holds: Iterable[Hold]) -> Iterator[str]:
    """How many of each kind are held, in the order in which holds are shown."""
    for (noun, verb), number in Counter(map(_kind, sorted(holds, key=rank))).items():
        yield f"{counted(number, noun) if noun else 'everything'} {verb}"


def _kind(hold: Hold) -> tuple[str, str]:
    """What is held, empty for everything, and how that is said."""
    verb = _VERBS.get(hold.source, "held")
    if hold.admit > 0.0:
        verb = f"{verb}, {hold.admit:.0%} let through"
    if hold.source == "limit":
        return "limit", verb
    match hold.selector.dimensions:
        case ():
            return "", verb
        case ("operation",) if hold.source != "flag":
            return "operation", verb
        case (dimension,):
            return _NOUNS.get(dimension, dimension), verb
        case _:
            return "combination", verb
