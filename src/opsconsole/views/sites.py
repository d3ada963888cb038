"""The sites, worst first: what holds each, since when, by whom, and whether its workers have acknowledged.

Only sites with something of their own to tell are looked at one by one; the others follow in alphabetical order and
become rows when they are scrolled into view. So a hundred thousand sites cost what their few holds cost.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property

from opsconsole.arrange import Arrangement, Spliced, is_alarmed, ordered, said_by
from opsconsole.table import Column, Row, Rows, Table
from opsconsole.views.books import Kept, is_in
from opsconsole.views.picture import Picture
from opsconsole.views.site import BOTH, basis_of, row_from, site_row
from opsconsole.views.site_order import SiteOrder
from opsconsole.views.words import counted

COLUMNS = (
    Column("SITE", 12, 28, rank=0),
    Column("STATE", 6, 6, rank=1),
    Column("WHY", 12, 60, rank=4),
    Column("BY", 5, 12, rank=6),
    Column("AGE", 4, 4, rank=2, right=True),
    Column("ACK", 5, 7, rank=3, right=True),
    Column("IN-FLIGHT", 9, 9, rank=5, right=True),
)

NO_SITE = " "
"""No site has such a name."""


class SiteRows:
    """The rows of all sites, made one by one."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._index = picture.facts.sites
        self._order = SiteOrder(picture)

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int, /) -> Row:
        return self._row(self.key(index))

    def key(self, index: int) -> str:
        """The name of one site."""
        return self._order.name(index)

    def find(self, key: str) -> int | None:
        """Where `key` stands now."""
        return self._order.place(key)

    @property
    def held(self) -> int:
        """How many sites have a hold of their own."""
        return len(self._index.held)

    @property
    def paused_under_a_stop(self) -> bool:
        """Whether any site is paused and under an emergency at once, which takes more room to say."""
        wide = self._picture.facts.holds.everywhere[:1]
        stopped = any(hold.source == "emergency" for hold in wide)
        return bool(self._index.paused) if stopped else not self._index.paused.isdisjoint(self._index.stopped)

    def arranged(self, columns: Sequence[Column], how: Arrangement) -> Rows:
        """These rows in another way. Those that nothing is known of differ in their names only, and stay together."""
        special = [kept.row for kept in self._special.values() if how.filter.passes(kept.said)]
        plain = self._plain(how)
        if not how.sort.title:
            apart = [row.key for row in special if row.key in self._apart]
            return Spliced(
                apart, _merged(plain, [row.key for row in special if row.key not in self._apart]), (), self._row
            )
        if how.sort.title == columns[0].title:
            merged = _merged(plain, [row.key for row in special])
            return Spliced((), merged, (), self._row, backwards=how.sort.backwards)
        keys = [row.key for row in ordered([*special, self._typical], columns, how.sort)]
        at = keys.index(NO_SITE)
        return Spliced(keys[:at], plain, keys[at + 1 :], self._row)

    def alarmed(self, how: Arrangement) -> tuple[int, int]:
        """How many sites are stopped or must be seen to, and how many of these `how` hides."""
        bad = [kept for kept in self._special.values() if kept.alarmed]
        found, hidden = len(bad), sum(not how.filter.passes(kept.said) for kept in bad)
        if is_alarmed(self._typical):
            plain = len(self._index.all) - len(self._special)
            found, hidden = found + plain, hidden + plain - len(self._plain(how))
        return found, hidden

    def _plain(self, how: Arrangement) -> list[str]:
        """The sites that look like every other, as far as the filter lets them through."""
        left = how.filter.beside(said_by(Row("", self._typical.cells[1:])))
        if left is None:
            return []
        return _without(self._picture.facts.names.matching("site", left), self._special)

    @cached_property
    def _special(self) -> dict[str, Kept]:
        """The rows of sites that have a hold or workers of their own, in the order of all rows.

        Those that have the same to say as in the last picture are not made again.
        """
        index = self._index
        served = (site for site in self._picture.facts.serving if site not in self._apart and is_in(index.all, site))
        index.kept = {site: self._kept(site) for site in (*self._apart, *sorted(served))}
        return index.kept

    @cached_property
    def _apart(self) -> dict[str, None]:
        """The sites that do not stand among the rest, in their order."""
        return dict.fromkeys(self._order.told_apart)

    def _kept(self, site: str) -> Kept:
        basis = basis_of(self._picture, site, self._index.held.get(site, ()))
        before = self._index.kept.get(site)
        if before is not None and before.basis == basis:
            return before
        row = row_from(self._picture, site, basis)
        return Kept(basis, row, said_by(row), is_alarmed(row))

    @cached_property
    def _typical(self) -> Row:
        """What the row of any other site looks like, beside its name."""
        return self._row(NO_SITE)

    def _row(self, site: str) -> Row:
        return site_row(self._picture, site, self._index.held.get(site, ()))


def sites(picture: Picture) -> Table:
    """The table of sites."""
    rows = SiteRows(picture)
    state = Column("STATE", len(BOTH), len(BOTH), rank=1) if rows.paused_under_a_stop else COLUMNS[1]
    return Table(
        columns=(COLUMNS[0], state, *COLUMNS[2:]),
        rows=rows,
        alarm=f"!{rows.held}" if rows.held else "",
        note=counted(len(rows), "site"),
        empty="no site is registered: opsconsole sites add NAME",
        things=picture.facts.names,
    )


def _merged(plain: list[str], others: Iterable[str]) -> list[str]:
    """Two lists of names in alphabetical order; `plain` is so already, and long."""
    merged: list[str] = []
    start = 0
    for name in sorted(others):
        at = bisect_left(plain, name, start)
        merged += plain[start:at]
        merged.append(name)
        start = at
    return merged + plain[start:]


def _without(plain: list[str], others: Iterable[str]) -> list[str]:
    """The names of a long alphabetical list but for a few."""
    left: list[str] = []
    start = 0
    for name in sorted(others):
        at = bisect_left(plain, name, start)
        left += plain[start:at]
        start = at + (at < len(plain) and plain[at] == name)
    return left + plain[start:]
