"""The state in memory, folded from a store's journal and kept up with it.

It notices when the journal is no longer the one it was folded from: its head is lower, or the next event does not
follow on from the last one by its chain. Then the database was put back to an earlier point, and everything is read
again from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from backends.floor import Mark
from core import checkpoint
from core.audit import GENESIS, Row, event_of, link
from core.engine import fold
from core.errors import BackendUnavailable
from core.messages import Recorded
from core.ports import Head, Store, iterate
from core.state import State


class Projection:
    """State and chain hash at one revision. Not thread-safe: the runtime's lock guards it; ``state`` may be read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.state = State()
        self.mark = Mark(0, GENESIS)
        self.lost: Mark | None = None
        """How far this process had seen a journal that has since been put back, until that is recorded."""

    def load(self) -> None:
        """Read the last good checkpoint and the tail behind it."""
        self.state, self.mark = load_state(self._store)
        self._fold_tail(iterate(self._store, self.mark.revision))

    def catch_up(self, head: Head, rows: Callable[[int], Sequence[Row]]) -> tuple[Recorded, ...]:
        """Fold what others committed, up to ``head``; ``rows(after)`` reads it. Returns those events, oldest first.

        Where events of this process's past are gone, the state is read anew and no events lead to it: because
        retention dropped what was not folded yet, or because the database was put back (then ``lost`` is set).
        """
        events: list[Recorded] = []
        while (head.revision, head.chain) != (self.mark.revision, self.mark.chain):
            tail = rows(self.mark.revision) if head.revision > self.mark.revision else ()
            if not tail or not self._follows(tail[0]):
                seen = self.mark
                self.load()
                self.require(seen)
                return ()
            events += self._fold_tail(tail)
            if self.mark.revision > head.revision:
                break  # read without a lock, more came in the meantime
        return tuple(events)

    def require(self, seen: Mark | None) -> None:
        """Set ``lost`` where the journal lacks an event that is known to have been in it."""
        if seen is not None and self._lacks(seen) and (self.lost is None or self.lost.revision < seen.revision):
            self.lost = seen

    def advance(self, state: State, rows: Sequence[Row]) -> None:
        """Take over what this process has just committed."""
        self.state, self.mark = state, Mark(rows[-1].revision, rows[-1].chain)

    def _follows(self, row: Row) -> bool:
        return row.revision == self.mark.revision + 1 and row.chain == link(row, self.mark.chain)

    def _lacks(self, seen: Mark) -> bool:
        if seen.revision > self.mark.revision:
            return True
        anchor_revision, anchor_chain = self._store.anchor()
        if seen.revision <= anchor_revision:
            return seen.revision == anchor_revision and seen.chain != anchor_chain
        return [row.chain for row in self._store.rows(seen.revision - 1, 1)] != [seen.chain]

    def _fold_tail(self, rows: Iterable[Row]) -> tuple[Recorded, ...]:
        events: list[Recorded] = []
        state, mark = self.state, self.mark
        for row in rows:
            recorded = read_event(row)
            events.append(recorded)
            state, mark = fold(state, [recorded]), Mark(row.revision, row.chain)
        self.state, self.mark = state, mark
        return tuple(events)


def load_state(store: Store, *, at_most: int | None = None) -> tuple[State, Mark]:
    """The last good checkpoint at a revision of at most ``at_most``, or the beginning where the journal still has it.

    Raises `BackendUnavailable` where retention has dropped the beginning and no checkpoint can be read.
    """
    ceiling = at_most
    while (found := store.load_checkpoint(at_most=ceiling)) is not None:
        revision, chain, text, digest = found
        state = _read_checkpoint(text, digest)
        if state is not None:
            return state, Mark(revision, chain)
        ceiling = revision - 1
    revision, chain = store.anchor()
    if revision:
        raise BackendUnavailable(
            "no-checkpoint",
            f"the journal of {store.url} begins behind revision {revision} and no stored state before it can be read",
            "restore a backup; stops still work: opsconsole stop --local",
        )
    return State(), Mark(0, chain)


def read_event(row: Row) -> Recorded:
    """One event of the journal; `BackendUnavailable` where it cannot be read."""
    try:
        return event_of(row)
    except (ValueError, KeyError, TypeError) as error:
        raise BackendUnavailable(
            "unreadable-event",
            f"event {row.revision} ({row.kind}) cannot be read: {error}",
            "upgrade opsconsole, or verify the journal with 'opsconsole audit verify'",
        ) from error


def _read_checkpoint(text: str, digest: str) -> State | None:
    if checkpoint.digest(text) != digest:
        return None
    try:
        return checkpoint.load(text)
    except (ValueError, KeyError, TypeError):
        return None
