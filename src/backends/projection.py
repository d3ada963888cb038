"""The state in memory, folded from a store's journal and kept up with it.

Every row is verified before it is folded. A journal that is no longer the one it was folded from is noticed: its head
is lower, or the next event does not follow on from the last one by its chain. Then the database was put back to an
earlier point, and everything is read again from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from backends.floor import Mark
from backends.keys import no_key
from core import checkpoint
from core.audit import GENESIS, Row, event_of, is_sealed, verify
from core.engine import evolve
from core.errors import BackendUnavailable
from core.messages import Recorded
from core.ports import Head, Store, iterate
from core.state import State

_RESTORE: Final = (
    "keep a copy and restore a backup, with nothing of the file before it (-wal, -shm) left beside it; nothing will be"
    " released by that; stops still work: opsconsole stop --local"
)


class Projection:
    """State and chain hash at one revision. Not thread-safe: the runtime's lock guards it; ``seen`` may be read."""

    def __init__(self, store: Store, remembered: Callable[[], Mark | None] = lambda: None) -> None:
        """``remembered`` says how far this host knows, outside the database, that the journal had come."""
        self._store = store
        self._remembered = remembered
        self.seen = State(), Mark(0, GENESIS)
        """The state and how far the journal had come with it; replaced together, so that both may be read."""
        self.lost: Mark | None = None
        """How far this host had seen a journal that has since been put back, until that is recorded."""

    @property
    def state(self) -> State:
        """The state as last seen."""
        return self.seen[0]

    @property
    def mark(self) -> Mark:
        """How far the journal had come with it."""
        return self.seen[1]

    def load(self, head: Head | None = None) -> None:
        """Read the last good checkpoint and the tail behind it, and set ``lost`` where known events are gone.

        `BackendUnavailable` where the journal does not reach the ``head`` that was read before: such a database was put
        together from two, as by the log of one file beside a copy of another, and nothing may be written behind it.
        All of it or nothing: what cannot be read to its end leaves state, mark and what is known to be lost as they
        were, so that the next look finds the same again.
        """
        # Remembered is read before the journal: whoever raises it meanwhile has committed first.
        known = (self.lost, self._remembered(), self.mark)
        state, mark = load_state(self._store)
        for row in iterate(self._store, mark.revision):
            state, mark = evolve(state, read_event(row, mark)), Mark(row.revision, row.chain)
        if head is not None and not _reaches(mark, head):
            raise BackendUnavailable(
                "journal-damaged",
                f"{self._store.url} is damaged: its head says revision {head.revision}, and its journal ends otherwise"
                f" at {mark.revision}",
                _RESTORE,
            )
        gone = [seen for seen in known if seen is not None and (seen is self.lost or self._lacks(seen, mark))]
        self.lost = max(gone, key=lambda seen: seen.revision, default=None)
        self.seen = state, mark

    def catch_up(self, head: Head, rows: Callable[[int], Sequence[Row]]) -> tuple[Recorded, ...]:
        """Fold what others committed, up to ``head``; ``rows(after)`` reads it. Returns those events, oldest first.

        Where events of this process's past are gone, the state is read anew and no events lead to it: because
        retention dropped what was not folded yet, or because the database was put back (then ``lost`` is set).
        """
        events: list[Recorded] = []
        while (head.revision, head.chain) != (self.mark.revision, self.mark.chain):
            tail = rows(self.mark.revision) if head.revision > self.mark.revision else ()
            if not tail or verify(tail[:1], self.mark.revision, self.mark.chain)[0] is not None:
                self.load(head)
                return ()
            events += map(self._fold, tail)
            if self.mark.revision > head.revision:
                break  # read without a lock, more came in the meantime
        return tuple(events)

    def advance(self, state: State, rows: Sequence[Row]) -> None:
        """Take over what this process has just committed."""
        self.seen = state, Mark(rows[-1].revision, rows[-1].chain)

    def _fold(self, row: Row) -> Recorded:
        recorded = read_event(row, self.mark)
        self.seen = evolve(self.state, recorded), Mark(row.revision, row.chain)
        return recorded

    def _lacks(self, seen: Mark, end: Mark) -> bool:
        """Whether the journal, which ends at ``end``, lacks an event that is known to have been in it."""
        if seen.revision > end.revision:
            return True
        anchor_revision, anchor_chain = self._store.anchor()
        if seen.revision <= anchor_revision:
            return seen.revision == anchor_revision and seen.chain != anchor_chain
        return [row.chain for row in self._store.rows(seen.revision - 1, 1)] != [seen.chain]


def _reaches(end: Mark, head: Head) -> bool:
    """Whether a journal that ends here can be the one of this head; more may have come since that was read."""
    return end.revision > head.revision or (end.revision, end.chain) == (head.revision, head.chain)


def load_state(store: Store, *, at_most: int | None = None) -> tuple[State, Mark]:
    """The last good checkpoint at a revision of at most ``at_most``, or the beginning where the journal still has it.

    Raises `BackendUnavailable` where retention has dropped the beginning and no checkpoint can be read.
    """
    ceiling = at_most
    while (found := store.load_checkpoint(at_most=ceiling)) is not None:
        revision, chain, text, digest = found
        state = _read_checkpoint(text, digest)
        if state is not None and state.revision == revision:
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


def read_event(row: Row, before: Mark) -> Recorded:
    """The event of a row that follows on from ``before``; `BackendUnavailable` where it does not or cannot be read."""
    fault, _, _ = verify([row], before.revision, before.chain)
    if fault is not None:
        raise BackendUnavailable(
            "journal-damaged",
            f"the journal is damaged: {fault.what}",
            _RESTORE,
        )
    if is_sealed(row):
        raise no_key("this fleet's journal", row.body)
    if not row.body:
        raise BackendUnavailable(
            "erased-event",
            f"event {row.revision} ({row.kind}) was erased, so what held then cannot be told any more",
            "ask for a later time",
        )
    try:
        return event_of(row)
    except ValueError as error:
        raise BackendUnavailable(
            "unreadable-event",
            f"event {row.revision} ({row.kind}) cannot be read: {error}",
            "it was written by a newer version: upgrade opsconsole",
        ) from error


def _read_checkpoint(text: str, digest: str) -> State | None:
    if checkpoint.digest(text) != digest:
        return None
    try:
        return checkpoint.load(text)
    except (ValueError, KeyError, TypeError):
        return None
