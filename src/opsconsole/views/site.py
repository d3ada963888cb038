"""One site as a row: what holds it, since when, by whom, whether its workers have acknowledged, and what runs there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


def site_row(picture: Picture, site: str, holds: Sequence[Hold]) -> Row:
    """A site that `holds` are on, its own or a part of it. Holds on everything are looked up here."""
    state, reason, hold = _standing(picture, holds)
    return Row(
        site,
        (
            Cell(clean(site, 128), Style.STRONG if holds else Style.PLAIN),
            state,
            reason,
            Cell(whose(picture, hold) if hold else "-"),
            Cell(age(since(picture, hold), picture.now) if hold else "-"),
            _acks(picture, site, hold),
            _in_flight(picture.facts, site, hold),
        ),
    )


def _standing(picture: Picture, holds: Sequence[Hold]) -> tuple[Cell, Cell, Hold | None]:
    """The state of one site, why it is so, and the hold that says so. ``stop*`` is held by a wider hold only."""
    own = [hold for hold in holds if len(hold.selector.items) == 1]
    wide = picture.facts.holds.everywhere[:1]
    stopped, paused = _stopped_and_paused(holds, wide)
    if stopped and paused:
        said = f"{why(stopped[0])}; {paused[0].source} {whose(picture, paused[0])} {clean(paused[0].reason, 60)}"
        return Cell(BOTH, Style.STOPPED), Cell(said.rstrip()), stopped[0]
    if own:
        word = "STOP" if own[0].source == "emergency" else "PAUSED"
        return Cell(word, Style.STOPPED), Cell(why(own[0])), own[0]
    if wide:
        said = why(wide[0]) if wide[0].source == "emergency" else f"GLOBAL {why(wide[0])}"
        return Cell("stop*", Style.WARN), Cell(said), wide[0]
    if holds:
        return Cell("partly", Style.WARN), Cell(clean(str(holds[0].selector), 120)), holds[0]
    return runs(picture, "runs"), Cell(""), None


def _stopped_and_paused(holds: Sequence[Hold], wide: Sequence[Hold]) -> tuple[list[Hold], list[Hold]]:
    """The emergencies' holds on all of a site, and the others' on exactly it."""
    own = [hold for hold in holds if len(hold.selector.items) == 1]
    stopped = [hold for hold in (*own, *wide) if hold.source == "emergency"]
    return stopped, [hold for hold in own if hold.source != "emergency"]


def _acks(picture: Picture, site: str, hold: Hold | None) -> Cell:
    """Of a stop: who of this site is on its list and has acknowledged. Of a pause: who of this site has seen it."""
    if hold is None:
        return Cell("-")
    rows = _serving(picture.facts, site)
    if hold.source == "emergency":
        stops = [each for each in picture.facts.progress if hold.hold_id in each.stop.hold_ids]
        listed = {row.worker_id for row in rows if any(row.worker_id in each.listed for each in stops)}
        missing = sum(any(name in each.listed and name not in each.acked for each in stops) for name in listed)
        verdict = together(stops, picture.now) if missing else None
        return Acks(len(listed) - missing, len(listed)).cell(verdict.style if verdict else Style.BAD)
    lost = set(picture.facts.lost)
    seen = sum(row.revision >= hold.revision and row.worker_id not in lost for row in rows)
    return Acks(seen, len(rows)).cell(Style.WARN)


def _in_flight(facts: Facts, site: str, hold: Hold | None) -> Cell:
    """Work of this site that runs now, by heartbeats. Of workers that serve other sites too it is known only that it
    is at most so much; of lost ones nothing is known."""
    rows = _serving(facts, site)
    if not rows:
        return Cell("-" if facts.seen is not None else "?")
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
    return tuple(row for row in rows if row.worker_id in facts.state.workers)
