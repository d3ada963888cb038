"""The sites, worst first: what holds each, since when, by whom, and whether its workers have acknowledged.

Only sites with something of their own to tell are looked at one by one; the others follow in alphabetical order and
become rows when they are scrolled into view. So a hundred thousand sites cost what their few holds cost.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from opsconsole.lines import Style
from opsconsole.table import Cell, Column, Row, Table
from opsconsole.text import clean
from opsconsole.views.holding import whose, why
from opsconsole.views.picture import Facts, Picture
from opsconsole.views.verdict import Verdict, together
from opsconsole.views.words import age, counted
from opsgate.hold import Hold

COLUMNS = (
    Column("SITE", 18, 28, rank=0),
    Column("STATE", 6, 6, rank=1),
    Column("WHY", 12, 60, rank=4),
    Column("BY", 5, 12, rank=5),
    Column("AGE", 4, 4, rank=2, right=True),
    Column("ACKS", 5, 7, rank=3, right=True),
)


@dataclass(frozen=True, slots=True)
class Acks:
    """The workers of one site that are listed by a stop of it: how many stopped, how many there are."""

    stopped: int = 0
    of: int = 0

    def cell(self, verdict: Verdict | None) -> Cell:
        """``9/12!``; as bad as the verdict on all the stops where somebody is missing."""
        if verdict is None or not self.of:
            return Cell("-")
        if self.stopped == self.of:
            return Cell(f"{self.stopped}/{self.of}")
        return Cell(f"{self.stopped}/{self.of}!", verdict.style)


class SiteRows:
    """The rows of all sites, made one by one."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._names = picture.facts.names.of("site")
        self._held = _held_sites(picture.facts)
        self._worst = sorted(self._held, key=self._severity)
        self._places = sorted(bisect_left(self._names, site) for site in self._held)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int, /) -> Row:
        if index < len(self._worst):
            return self._row(self._worst[index])
        return self._row(self._names[self._skip(index - len(self._worst))])

    def find(self, key: str) -> int | None:
        """Where `key` stands now."""
        if key in self._held:
            return self._worst.index(key)
        at = bisect_left(self._names, key)
        if at == len(self._names) or self._names[at] != key:
            return None
        return len(self._worst) + at - bisect_left(self._places, at)

    @property
    def held(self) -> int:
        """How many sites have a hold of their own."""
        return len(self._held)

    def _skip(self, rank: int) -> int:
        """The place in all names of the `rank`-th one that has nothing of its own."""
        low, high = 0, len(self._places)
        while low < high:
            middle = (low + high) // 2
            if self._places[middle] - middle <= rank:
                low = middle + 1
            else:
                high = middle
        return rank + low

    def _severity(self, site: str) -> tuple[int, float, str]:
        hold = self._held[site][0]
        order = 0 if hold.source == "emergency" else 1 if len(hold.selector.items) == 1 else 2
        return order, hold.placed_at.timestamp(), site

    def _row(self, site: str) -> Row:
        return _row(self._picture, site, self._held.get(site, ()), self._acks.get(site, Acks()))

    @cached_property
    def _acks(self) -> dict[str, Acks]:
        return acks_by_site(self._picture.facts)


def sites(picture: Picture) -> Table:
    """The table of sites."""
    rows = SiteRows(picture)
    return Table(
        columns=COLUMNS,
        rows=rows,
        alarm=f"!{rows.held}" if rows.held else "",
        note=counted(len(rows), "site"),
        empty="no site is registered: opsconsole sites add NAME",
    )


def acks_by_site(facts: Facts) -> dict[str, Acks]:
    """Site → acknowledgements of the workers that declared it, over all stops in force."""
    stopped: dict[str, int] = {}
    listed: dict[str, int] = {}
    missing = {worker for each in facts.progress for worker in each.missing}
    for worker in dict.fromkeys(worker for each in facts.progress for worker in each.stop.of):
        row = facts.workers.get(worker)
        for site in row.scope.get("site", ()) if row else ():
            listed[site] = listed.get(site, 0) + 1
            stopped[site] = stopped.get(site, 0) + (worker not in missing)
    return {site: Acks(stopped[site], of) for site, of in listed.items()}


def _held_sites(facts: Facts) -> dict[str, tuple[Hold, ...]]:
    known = facts.names.of("site")
    found = facts.holds.by_name.items()
    return {name: holds for (dimension, name), holds in found if dimension == "site" and _is_in(known, name)}


def _is_in(names: Sequence[str], name: str) -> bool:
    at = bisect_left(names, name)
    return at < len(names) and names[at] == name


def _row(picture: Picture, site: str, holds: Sequence[Hold], acks: Acks) -> Row:
    state, reason, hold = _standing(picture, holds)
    return Row(
        site,
        (
            Cell(clean(site, 64), Style.STRONG if holds else Style.PLAIN),
            state,
            reason,
            Cell(whose(picture, hold) if hold else "-"),
            Cell(age(hold.placed_at, picture.now) if hold else "-"),
            acks.cell(together(picture.facts.progress, picture.now)),
        ),
    )


def _standing(picture: Picture, holds: Sequence[Hold]) -> tuple[Cell, Cell, Hold | None]:
    """The state of one site, why it is so, and the hold that says so. ``stop*`` is held by a wider hold only."""
    if holds and len(holds[0].selector.items) == 1:
        hold = holds[0]
        word = "STOP" if hold.source == "emergency" else "PAUSED"
        return Cell(word, Style.STOPPED), Cell(why(hold)), hold
    if picture.facts.holds.everywhere:
        hold = picture.facts.holds.everywhere[0]
        said = why(hold) if hold.source == "emergency" else f"GLOBAL {why(hold)}"
        return Cell("stop*", Style.WARN), Cell(said), hold
    if holds:
        hold = holds[0]
        return Cell("partly", Style.WARN), Cell(clean(str(hold.selector), 60)), hold
    return Cell("runs", Style.GOOD), Cell(""), None
