"""Where each site stands in the list: first those whose workers are known not to obey what holds them, then the other
held ones, then all the rest in alphabetical order.

Who just has not seen a hold yet counts for nothing here, or rows would jump for a second after every pause. Only the
sites of workers that are out of reach, or missing when a stop was over, are looked at one by one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from functools import cached_property

from opsconsole.views.books import is_in, severity
from opsconsole.views.picture import Picture
from opsconsole.views.site import telling
from opsconsole.views.verdict import result_of
from opsgate.hold import Hold


class SiteOrder:
    """The order of all sites at one moment."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._index = picture.facts.sites

    def __len__(self) -> int:
        return len(self._index.all)

    def name(self, place: int) -> str:
        """The site that stands at a place."""
        first, worst = self.first, self._index.worst
        if place < len(first):
            return first[place]
        place -= len(first)
        if place < len(worst) - len(self._first_held):
            return worst[_skip(self._first_held, place)][-1]
        return self._index.all[_skip(self._apart, place - len(worst) + len(self._first_held))]

    def place(self, site: str) -> int | None:
        """Where a site stands; None if there is none of this name."""
        index, first = self._index, self._places
        if site in first:
            return first[site]
        if site in index.held:
            at = index.place(site)
            return len(first) + at - bisect_left(self._first_held, at)
        at = bisect_left(index.all, site)
        if at == len(index.all) or index.all[at] != site:
            return None
        return len(first) + len(index.worst) - len(self._first_held) + at - bisect_left(self._apart, at)

    @property
    def told_apart(self) -> Iterator[str]:
        """The sites that do not stand among the rest, in their order."""
        yield from self.first
        yield from (key[-1] for key in self._index.worst if key[-1] not in self._places)

    @cached_property
    def first(self) -> list[str]:
        """The sites of which somebody is known to be missing, worst first."""
        held, wide = self._index.held, self._picture.facts.holds.everywhere[:1]
        found: dict[str, bool] = {}
        for worker, sites in self._suspects():
            for site in sites:
                hold = telling(held.get(site, ()), wide)
                if hold is not None and not found.get(site) and is_in(self._index.all, site):
                    found[site] = self._lacks(worker, hold)
        return sorted((site for site, lacks in found.items() if lacks), key=lambda s: severity(s, held.get(s, ())))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {site: place for place, site in enumerate(self.first)}

    @cached_property
    def _first_held(self) -> list[int]:
        """Where the held ones of the first stand among all held ones."""
        return sorted(self._index.place(site) for site in self.first if site in self._index.held)

    @cached_property
    def _apart(self) -> list[int]:
        """Where the sites that do not stand among the rest have their places in the alphabet."""
        others = [site for site in self.first if site not in self._index.held]
        if not others:
            return self._index.places
        apart = list(self._index.places)
        for site in others:
            insort(apart, bisect_left(self._index.all, site))
        return apart

    def _suspects(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Workers that do not obey something, with their sites. Those that serve all sites tell none apart."""
        facts = self._picture.facts
        missing = (each.missing for each in facts.progress if each.stop.stop_id in self._over)
        for worker in dict.fromkeys((*facts.lost, *facts.cut_off, *(name for names in missing for name in names))):
            row = facts.workers.get(worker)
            if row is not None and row.state != "left" and worker in facts.state.workers:
                yield worker, row.scope.get("site", ())

    def _lacks(self, worker: str, hold: Hold) -> bool:
        """Whether a worker is known not to obey a hold, and not only not known to."""
        facts = self._picture.facts
        lost = worker in self._lost
        unreachable = lost or worker in self._cut_off
        if hold.source != "emergency":
            return lost or (unreachable and facts.workers[worker].revision < hold.revision)
        return any(
            hold.hold_id in each.stop.hold_ids
            and worker in each.listed
            and worker not in each.acked
            and (unreachable or each.stop.stop_id in self._over)
            for each in facts.progress
        )

    @cached_property
    def _over(self) -> frozenset[str]:
        """The stops that nobody is waited for any more."""
        now = self._picture.now
        return frozenset(
            each.stop.stop_id for each in self._picture.facts.progress if result_of(each, now) != "pending"
        )

    @cached_property
    def _lost(self) -> frozenset[str]:
        return frozenset(self._picture.facts.lost)

    @cached_property
    def _cut_off(self) -> frozenset[str]:
        return frozenset(self._picture.facts.cut_off)


def _skip(places: Sequence[int], rank: int) -> int:
    """The `rank`-th number, from 0, that is not among `places`, which are sorted."""
    low, high = 0, len(places)
    while low < high:
        middle = (low + high) // 2
        if places[middle] - middle <= rank:
            low = middle + 1
        else:
            high = middle
    return rank + low
