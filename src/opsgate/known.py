"""What a gate knows of its fleet, merged from all its channels: tables, datagrams, orders, latches.

Pure: each method returns the next state of knowledge. Stops merge as a union, so the order in which the channels
speak does not matter. Only three things end a stop here: the tables, which had it, no longer have it; the keeper says
so; or its latch, which no table has taken over, is removed from a folder that is still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from opsgate.evaluate import Table
from opsgate.hold import Hold
from opsgate.order import Lying, Order
from opsgate.snapshot import Delta, Notice, Snapshot

_REMEMBERED_ENDS = 1000

RESTORED: Final = "restored-backup"
"""Owner of the safety hold that the engine places on a database that was put back. Whoever releases it has looked."""


@dataclass(frozen=True, slots=True)
class Known:
    """``snapshot`` is what the tables said last (None: nothing yet). ``orders`` were heard and are not recorded yet,
    ``latched`` lie on disk. ``kept`` and ``kept_stops`` were in force in a state that the database has since lost
    (an older copy was put back): they stay until the tables have had them again, and no longer.
    """

    snapshot: Snapshot | None = None
    orders: Mapping[str, Order] = field(default_factory=dict)
    latched: Mapping[Path, Order] = field(default_factory=dict)
    kept: tuple[Hold, ...] = ()
    kept_stops: tuple[Notice, ...] = ()
    ended: tuple[str, ...] = ()
    """Stops seen recorded and ended: an order that arrives late must not start them again."""
    line: int = 0
    """How often this database went back, as far as that is settled. A higher one is the later history, whatever the
    revisions say."""
    compiled: Table = field(default_factory=Table, compare=False, repr=False)
    """The snapshot's table, carried along so that a delta need not compile all of it again."""

    @property
    def revision(self) -> int:
        """The revision of the tables as last seen; 0 before."""
        return self.snapshot.revision if self.snapshot else 0

    @property
    def fleet(self) -> str:
        """The id of the fleet; empty before the tables were read."""
        return self.snapshot.fleet if self.snapshot else ""

    def is_at(self, revision: int, chain: str) -> bool:
        """Whether the tables are known as they are there."""
        return self.snapshot.is_at(revision, chain) if self.snapshot else revision == 0

    def read(self, snapshot: Snapshot, *, asked_at: int = 0) -> Known:
        """The tables were read. ``asked_at`` is the revision that was known when the reading began: a lower one that
        is not below it was merely overtaken by datagrams, a lower one below it means that the database went back. So
        does the same one of another chain: the database has come as far again since."""
        before = self.snapshot
        if before is snapshot:
            return self
        if before is None:
            return self._with(snapshot, snapshot.table())
        if snapshot.fleet == before.fleet and asked_at <= snapshot.revision < before.revision:
            return self
        compiled = _followed(self.compiled, snapshot)
        is_further = snapshot.revision > before.revision or before.is_at(snapshot.revision, snapshot.chain)
        if snapshot.fleet == before.fleet and is_further:
            return self._with(snapshot, compiled)
        foreign = snapshot.fleet != before.fleet
        lost = [h for h in before.holds if h.source == "emergency" or (h.is_global and not foreign)]
        forgetful = replace(self.keeping(lost, before.stops), snapshot=None)
        known = forgetful._with(snapshot, compiled)  # noqa: SLF001 (an instance of this very class)
        return known if known.kept or known.kept_stops else known.settled()

    def settled(self) -> Known:
        """A person has looked at what the database lost, or nothing of it matters here: what it says now is true."""
        return replace(self, kept=(), kept_stops=(), line=self.line + 1)

    def keeping(self, holds: Iterable[Hold], stops: Iterable[Notice]) -> Known:
        """Hold on to what a database has lost, until its tables have it again."""
        kept = {_identity(hold): hold for hold in (*self.kept, *holds)}
        kept_stops = {notice.stop_id: notice for notice in (*self.kept_stops, *stops)}
        return replace(self, kept=tuple(kept.values()), kept_stops=tuple(kept_stops.values()))

    def told(self, delta: Delta) -> Known | None:
        """A datagram said what changed; None where it does not follow on, so that the tables must be read."""
        snapshot = self.snapshot.changed(delta) if self.snapshot else None
        if snapshot is None:
            return None
        known = self._with(snapshot, self.compiled.changed(delta.placed, delta.released))
        return known.without_stops(delta.ended)

    def ordered(self, order: Order) -> Known:
        """A stop order was heard. It is obeyed until the tables take it over."""
        recorded = self.snapshot is not None and any(n.stop_id == order.stop_id for n in self.snapshot.stops)
        if recorded or order.stop_id in self.ended or self.orders.get(order.stop_id) == order:
            return self
        return replace(self, orders={**self.orders, order.stop_id: order})

    def found(self, lying: Lying) -> Known:
        """These latches lie on disk now, and no others. An order whose latch was there and is gone has ended, unless
        the tables say otherwise. One whose whole folder is gone was ended by nobody: it stays, as if it had been
        heard."""
        if lying.orders == self.latched:
            return self
        left = {path: order for path, order in self.latched.items() if path not in lying.orders}
        adrift = [order for path, order in left.items() if path.parent in lying.missing]
        still = {order.stop_id for order in (*lying.orders.values(), *adrift)}
        gone = {order.stop_id for order in left.values()} - still
        orders = {stop_id: order for stop_id, order in self.orders.items() if stop_id not in gone}
        known = replace(self, latched=lying.orders, orders=orders)
        for order in adrift:
            known = known.ordered(order)
        return known

    def without_stops(self, stop_ids: Iterable[str]) -> Known:
        """The keeper says that these stops have ended."""
        gone = frozenset(stop_ids)
        if not gone:
            return self
        return replace(
            self,
            orders={stop_id: order for stop_id, order in self.orders.items() if stop_id not in gone},
            kept_stops=tuple(notice for notice in self.kept_stops if notice.stop_id not in gone),
            ended=_remember(self.ended, gone),
        )

    def stops(self) -> dict[str, Notice]:
        """Every stop in force, by id: what this worker acknowledges."""
        unrecorded = (order.notice() for order in (*self.orders.values(), *self._latched()))
        recorded = self.snapshot.stops if self.snapshot else ()
        return {notice.stop_id: notice for notice in (*self.kept_stops, *unrecorded, *recorded)}

    def extra_holds(self) -> tuple[Hold, ...]:
        """The holds in force that are in no table: kept ones, and those of orders and latches not recorded yet.

        A kept hold goes under another id, because a database that went back numbers its new holds like the lost ones.
        """
        recorded = {notice.stop_id for notice in self.snapshot.stops} if self.snapshot else set()
        latched = {order.stop_id: order for order in self._latched()}
        unrecorded = {i: order for i, order in {**self.orders, **latched}.items() if i not in recorded}
        kept = (replace(hold, hold_id=f"kept-{number}:{hold.hold_id}") for number, hold in enumerate(self.kept))
        return (*kept, *(hold for order in unrecorded.values() for hold in order.holds()))

    def _latched(self) -> list[Order]:
        """The latched orders that are in force. One that is known to have ended only waits to be taken away, which on a
        host without a keeper may take long."""
        return [order for order in self.latched.values() if order.stop_id not in self.ended]

    def table(self) -> Table:
        """Everything in force, compiled for decisions."""
        extra = self.extra_holds()
        return self.compiled.changed(extra) if extra else self.compiled

    def _with(self, snapshot: Snapshot, compiled: Table) -> Known:
        """The tables say ``snapshot`` now: what they have taken over is theirs, what they dropped has ended."""
        recorded = {notice.stop_id for notice in snapshot.stops}
        before = {notice.stop_id for notice in self.snapshot.stops} if self.snapshot else set()
        seen_again = set(map(_identity, snapshot.holds)) if self.kept else set()
        after = replace(
            self,
            snapshot=snapshot,
            compiled=compiled,
            orders={stop_id: order for stop_id, order in self.orders.items() if stop_id not in recorded},
            kept=tuple(hold for hold in self.kept if _identity(hold) not in seen_again),
            kept_stops=tuple(notice for notice in self.kept_stops if notice.stop_id not in recorded),
            ended=_remember(self.ended, before - recorded),
        )
        looked_at = _is_restored(self.compiled) and not _is_restored(compiled)
        return after.settled() if looked_at and (after.kept or after.kept_stops) else after


def _followed(compiled: Table, snapshot: Snapshot) -> Table:
    """The table of ``snapshot``, made from an earlier one by difference."""
    now = {hold.hold_id: hold for hold in snapshot.holds}
    placed = [hold for hold_id, hold in now.items() if compiled.by_id.get(hold_id) != hold]
    gone = compiled.by_id.keys() - now.keys()
    return compiled.changed(placed, gone, snapshot.names, snapshot.within)


def _is_restored(table: Table) -> bool:
    return any(hold.source == "safety" and hold.owner == RESTORED for hold in table.everywhere)


def _identity(hold: Hold) -> tuple[str, str, datetime]:
    """What makes a hold the same one, also across two lines of history of one database."""
    return hold.hold_id, str(hold.selector), hold.placed_at


def _remember(ended: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    fresh = sorted(set(more) - set(ended))
    return (*ended, *fresh)[-_REMEMBERED_ENDS:] if fresh else ended
