"""What is as long as the lists of names and of holds, kept from picture to picture by differences.

A fleet of a hundred thousand sites with ten thousand holds gets a new state several times a second. What one change
touches is looked at; the rest is taken over.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from opsconsole.arrange import Filter
from opsconsole.table import Row
from opsgate.evaluate import rank
from opsgate.hold import Hold
from opsgate.selector import EVERYTHING
from opsgate.wire import LOST_AFTER_S

if TYPE_CHECKING:
    from core.state import State

SEEN_WITHIN = timedelta(seconds=LOST_AFTER_S)
"""A worker that still sends heartbeats and has not seen a hold as old as this cannot be reached by its gate."""

Pair = tuple[str, str]
Stamp = tuple[int, datetime]
Key = TypeVar("Key", int, tuple[int, float, str], tuple[int, datetime])


class NameBook:
    """The registered names by dimension, each sorted. Made anew only when a name came or went."""

    def __init__(self, state: State) -> None:
        self.source = (state.fleet, state.names_revision)
        book: dict[str, list[str]] = {}
        for dimension, name in state.names:
            book.setdefault(dimension, []).append(name)
        self._names = {dimension: sorted(names) for dimension, names in book.items()}
        self._folded: dict[str, list[str]] = {}
        self._asked: tuple[str, Filter] | None = None
        self._answer: list[str] = []

    def is_of(self, state: State) -> bool:
        """Whether these are the names of `state`. Who last paused a name is part of its entry, and changes no book."""
        return self.source == (state.fleet, state.names_revision)

    def of(self, dimension: str) -> list[str]:
        """The names of one dimension in alphabetical order."""
        return self._names.get(dimension, [])

    def matching(self, dimension: str, wanted: Filter) -> list[str]:
        """Those of them that pass a filter. The last answer is kept: the same is asked with every picture."""
        names = self.of(dimension)
        if not wanted.active:
            return names
        if self._asked != (dimension, wanted):
            folded = self._folded.setdefault(dimension, "\n".join(names).casefold().split("\n"))
            found: list[int] | range = range(len(names))
            for word in wanted.wanted:
                found = [at for at in found if word in folded[at]]
            for word in wanted.unwanted:
                found = [at for at in found if word not in folded[at]]
            self._asked, self._answer = (dimension, wanted), [names[at] for at in found]
        return self._answer


class HoldBook:
    """The holds by what they name, with the differences to the book `before`. `now` is when a change was looked at,
    None while nobody was heard."""

    def __init__(self, state: State, before: HoldBook | None = None, now: datetime | None = None) -> None:
        self.source: object = state.holds
        self.since = before.source if before else None
        """The holds that `changed` is the difference to."""
        self.everywhere = tuple(sorted((h for h in state.holds_on(EVERYTHING) if h.admit <= 0.0), key=rank))
        """The holds on everything that let nothing through, in documented order."""
        self.all: dict[str, Hold] = dict(state.holds.items())
        known = before.all if before else {}
        old = [hold for hold_id, hold in known.items() if self.all.get(hold_id) is not hold]
        new = [hold for hold_id, hold in self.all.items() if known.get(hold_id) is not hold]
        self.by_name: dict[Pair, tuple[Hold, ...]] = dict(before.by_name) if before else {}
        """``(dimension, name)`` → the holds whose selector names it; those on it alone before those on a part of it."""
        self.changed = self._take_over(old, new)
        """The pairs that are named by other holds than before."""
        self.counts = Counter(dimension for dimension, _ in self.by_name)
        """How many names of each dimension are held."""
        changes: dict[str, tuple[Stamp, ...]] = before.changes if before else {}
        self.changes: dict[str, tuple[Stamp, ...]] = {
            hold_id: seen for hold_id, seen in changes.items() if hold_id in self.all
        }
        """Of the holds that have changed since this console looks: as which revision they were seen, and when."""
        for hold in new:
            if now and hold.hold_id in known:
                seen = changes.get(hold.hold_id) or (_placed(known[hold.hold_id]),)
                self.changes[hold.hold_id] = (*_from_settled(seen, now), (hold.revision, now))
        gone = (stamp for hold in old for stamp in changes.get(hold.hold_id) or (_placed(hold),))
        come = (stamp for hold in new for stamp in self.changes.get(hold.hold_id) or (_placed(hold),))
        self.latest: list[Stamp] = _changed(before.latest if before else [], gone, come)
        """Since when each hold is as it is, oldest first. One that changes keeps the time at which it was placed, and
        what a worker must have seen of it is what stood there some seconds ago."""

    def settled(self, now: datetime) -> int:
        """The revision that every reachable worker must have seen at `now`: that of the last hold which is not new."""
        return next((revision for revision, at in reversed(self.latest) if now - at > SEEN_WITHIN), 0)

    def _take_over(self, old: list[Hold], new: list[Hold]) -> tuple[Pair, ...]:
        gone = {hold.hold_id for hold in old}
        come: dict[Pair, list[Hold]] = {pair: [] for hold in old for pair in hold.selector.items}
        for hold in new:
            for pair in hold.selector.items:
                come.setdefault(pair, []).append(hold)
        for pair, holds in come.items():
            holds += [hold for hold in self.by_name.pop(pair, ()) if hold.hold_id not in gone]
            if holds:
                self.by_name[pair] = tuple(sorted(holds, key=lambda hold: (len(hold.selector.items), rank(hold))))
        return tuple(come)


class Kept(NamedTuple):
    """A row that was made, what it was made from, all that it says in lower case, and whether it is an alarm."""

    basis: object
    row: Row
    said: str
    alarmed: bool


class SiteIndex:
    """The sites that have a hold of their own or on a part of them, worst first, and where they stand among all."""

    def __init__(self, names: NameBook, holds: HoldBook, before: SiteIndex | None = None) -> None:
        follows = before is not None and before.all is names.of("site") and before.source is holds.since
        start = before if follows else None
        self.all: list[str] = names.of("site")
        self.held: dict[str, tuple[Hold, ...]] = dict(start.held) if start else {}
        """Site → its holds."""
        self.stopped: set[str] = set(start.stopped) if start else set()
        self.paused: set[str] = set(start.paused) if start else set()
        """Those under an emergency of their own, and those that somebody paused."""
        self.kept: dict[str, Kept] = before.kept if before else {}
        """The rows of sites that were made last, to be shown again by whatever picture has the same to say of them."""
        self.looked_at = 0
        """How many sites had to be looked at, which is how many changed."""
        self.source: object = holds.source
        changed = [name for dimension, name in (holds.changed if start else holds.by_name) if dimension == "site"]
        changed = [name for name in changed if is_in(self.all, name)]
        old = [site for site in changed if site in self.held]
        gone = [severity(site, self.held[site]) for site in old]
        for site in changed:
            self._look_at(site, holds.by_name.get(("site", site), ()))
        new = [site for site in changed if site in self.held]
        self.worst: list[tuple[int, float, str]] = _changed(
            start.worst if start else [], gone, (severity(site, self.held[site]) for site in new)
        )
        """``(…, site)`` of every held site, worst first."""
        places: list[int] = start.places if start else []
        self.places: list[int] = _changed(
            places, (bisect_left(self.all, s) for s in old), (bisect_left(self.all, s) for s in new)
        )
        """Where the held sites stand in `all`."""

    def place(self, site: str) -> int:
        """Where a held site stands among the worst."""
        return bisect_left(self.worst, severity(site, self.held[site]))

    def _look_at(self, site: str, holds: tuple[Hold, ...]) -> None:
        self.looked_at += 1
        own = [hold.source == "emergency" for hold in holds if len(hold.selector.items) == 1]
        for kept, belongs in ((self.stopped, any(own)), (self.paused, not all(own))):
            kept.add(site) if belongs else kept.discard(site)
        if holds:
            self.held[site] = holds
        else:
            self.held.pop(site, None)


def severity(site: str, holds: tuple[Hold, ...]) -> tuple[int, float, str]:
    """How bad it is for a site to be under these holds, the worst least."""
    if not holds:
        return 3, 0.0, site
    hold = holds[0]
    order = 0 if hold.source == "emergency" else 1 if len(hold.selector.items) == 1 else 2
    return order, hold.placed_at.timestamp(), site


def _placed(hold: Hold) -> Stamp:
    return hold.revision, hold.placed_at


def _from_settled(seen: tuple[Stamp, ...], now: datetime) -> tuple[Stamp, ...]:
    """What a worker must have seen by now, and what came later."""
    settled = sum(now - at > SEEN_WITHIN for _, at in seen)
    return seen[max(0, settled - 1) :]


def is_in(names: list[str], name: str) -> bool:
    """Whether an alphabetical list has a name."""
    at = bisect_left(names, name)
    return at < len(names) and names[at] == name


def _changed(kept: list[Key], gone: Iterable[Key], come: Iterable[Key]) -> list[Key]:
    """A sorted list without some of its members and with others."""
    now = list(kept)
    for key in gone:
        del now[bisect_left(now, key)]
    if not now:
        return sorted(come)
    for key in come:
        insort(now, key)
    return now
