"""One site as a row: what holds it, since when, by whom, whether its workers have acknowledged, and what runs there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from opsconsole.lines import Style
from opsconsole.table import Cell, Row
from opsconsole.text import clean
from opsconsole.views.holding import since, whose, why
from opsconsole.views.last_known import runs
from opsconsole.views.picture import Facts, Picture
from opsconsole.views.verdict import together
from opsconsole.views.words import age
from opsgate.hold import Hold

if TYPE_CHECKING:
    from core.ports import WorkerRow

BOTH = "STOP PAUSED"
"""Under an emergency, and paused by somebody too: recovering the one leaves the other."""

NOBODY, UNSEEN = Cell("-"), Cell("?")
"""Said of the workers of a site that has none, and of what nobody has looked at yet."""


@dataclass(frozen=True, slots=True)
class Acks:
    """The workers of one site: how many are known to obey what holds it, of how many."""

    stopped: int = 0
    of: int = 0

    def cell(self, style: Style) -> Cell:
        """``9/12!``, in `style` where somebody is missing."""
        if not self.of:
            return Cell("-")
        if self.stopped == self.of:
            return Cell(f"{self.stopped}/{self.of}")
        return Cell(f"{self.stopped}/{self.of}!", style)


class Basis(NamedTuple):
    """All that a row is made from. It is found much sooner than a row is made, and most rows stay as they are."""

    holds: tuple[Hold, ...]
    """Its own, or on a part of it."""
    wide: tuple[Hold, ...]
    """The first of those on everything."""
    hold: Hold | None
    """The one that says what the site's state is."""
    known: bool
    share: float
    """What the holds on everything let through."""
    by: str
    age: str
    acks: Cell
    in_flight: Cell


def basis_of(picture: Picture, site: str, holds: tuple[Hold, ...]) -> Basis:
    """What the row of a site that `holds` are on is made from. Holds on everything are looked up here."""
    wide = picture.facts.holds.everywhere[:1]
    hold = telling(holds, wide)
    rows = _serving(picture.facts, site)
    return Basis(
        holds,
        wide,
        hold,
        picture.word != "unknown",
        picture.admitted,
        whose(picture, hold) if hold else "-",
        age(since(picture, hold), picture.now) if hold else "-",
        _acks(picture, rows, hold),
        _in_flight(picture.facts, rows, site, hold),
    )


def site_row(picture: Picture, site: str, holds: tuple[Hold, ...]) -> Row:
    """The row of a site that `holds` are on, its own or on a part of it."""
    return row_from(picture, site, basis_of(picture, site, holds))


def row_from(picture: Picture, site: str, basis: Basis) -> Row:
    """The row of a site, of what `basis_of` has found."""
    state, reason = _standing(picture, basis)
    name = Cell(clean(site, 128), Style.STRONG if basis.holds else Style.PLAIN)
    return Row(site, (name, state, reason, Cell(basis.by), Cell(basis.age), basis.acks, basis.in_flight))


def telling(holds: Sequence[Hold], wide: Sequence[Hold]) -> Hold | None:
    """Of the holds on a site and the first one on everything, the one that says what state it is in."""
    own = [hold for hold in holds if len(hold.selector.items) == 1]
    if not own:
        return next(iter((*wide, *holds)), None)
    stopped, paused = _stopped_and_paused(own, wide)
    return stopped[0] if stopped and paused else own[0]


def _standing(picture: Picture, basis: Basis) -> tuple[Cell, Cell]:
    """The state of one site, and why it is so. ``stop*`` is held by a wider hold only."""
    own = [hold for hold in basis.holds if len(hold.selector.items) == 1]
    hold, wide = basis.hold, basis.wide
    stopped, paused = _stopped_and_paused(own, wide)
    if stopped and paused:
        said = f"{why(stopped[0])}; {paused[0].source} {whose(picture, paused[0])} {clean(paused[0].reason, 60)}"
        return Cell(BOTH, Style.STOPPED), Cell(said.rstrip())
    if hold is None and basis.share < 1.0:
        return _in_part(basis.share), Cell("as much of everything is admitted")
    if hold is None:
        return runs(picture, "runs"), Cell("")
    if own and hold.admit > 0.0:
        return _in_part(hold.admit), Cell(why(hold))
    if own:
        return Cell("STOP" if hold.source == "emergency" else "PAUSED", Style.STOPPED), Cell(why(hold))
    if wide:
        said = why(hold) if hold.source == "emergency" else f"GLOBAL {why(hold)}"
        return Cell("stop*", Style.WARN), Cell(said)
    return Cell("partly", Style.WARN), Cell(clean(str(hold.selector), 120))


def _in_part(share: float) -> Cell:
    """What a hold lets through of work that runs under it."""
    return Cell(f"part {share:.0%}", Style.WARN)


def _stopped_and_paused(own: Sequence[Hold], wide: Sequence[Hold]) -> tuple[list[Hold], list[Hold]]:
    """The emergencies' holds on all of a site, and the others' on exactly it."""
    stopped = [hold for hold in (*own, *wide) if hold.source == "emergency"]
    return stopped, [hold for hold in own if hold.source != "emergency"]


def _acks(picture: Picture, rows: Sequence[WorkerRow], hold: Hold | None) -> Cell:
    """Of a stop: who of this site is on its list and has acknowledged. Of a pause: who of this site has seen it."""
    if hold is None or not rows:
        return NOBODY
    if hold.source == "emergency":
        stops = [each for each in picture.facts.progress if hold.hold_id in each.stop.hold_ids]
        listed = {row.worker_id for row in rows if any(row.worker_id in each.listed for each in stops)}
        missing = sum(any(name in each.listed and name not in each.acked for each in stops) for name in listed)
        verdict = together(stops, picture.now) if missing else None
        return Acks(len(listed) - missing, len(listed)).cell(verdict.style if verdict else Style.BAD)
    lost = set(picture.facts.lost)
    seen = sum(row.revision >= hold.revision and row.worker_id not in lost for row in rows)
    return Acks(seen, len(rows)).cell(Style.WARN)


def _in_flight(facts: Facts, rows: Sequence[WorkerRow], site: str, hold: Hold | None) -> Cell:
    """Work of this site that runs now, by heartbeats. Of workers that serve other sites too it is known only that it
    is at most so much; of lost ones nothing is known."""
    if not rows:
        return NOBODY if facts.seen is not None else UNSEEN
    lost = set(facts.lost)
    heard = [row for row in rows if row.worker_id not in lost]
    if not heard:
        return Cell("?", Style.WARN)
    count = sum(row.in_flight for row in heard)
    shared = any(row.in_flight and row.scope.get("site", []) != [site] for row in heard)
    unsure = "+?" if len(heard) < len(rows) else ""
    return Cell(f"{'<=' if shared else ''}{count}{unsure}", Style.WARN if hold and count else Style.PLAIN)


def _serving(facts: Facts, site: str) -> tuple[WorkerRow, ...]:
    rows = (*facts.serving.get(site, ()), *facts.serving.get("", ()))
    return rows and tuple(row for row in rows if row.worker_id in facts.state.workers)
