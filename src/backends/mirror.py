"""The projection as the threads of one process share it: kept up under one lock, published in order.

The lock is held while rows are read and folded, never while somebody waits for the database's own lock: whoever only
looks is not held up by a writer that waits its turn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from backends.commit import Carried
from backends.feed import Feed
from backends.floor import Floor, Mark
from backends.projection import Projection
from core.audit import Row
from core.errors import BackendUnavailable, NotOurDatabase
from core.messages import Recorded
from core.ports import Head, Store, iterate
from core.state import State


class Mirror:
    """One store's state in memory, with its followers and with what this host remembers outside the database."""

    def __init__(self, store: Store, feed: Feed, floor: Floor | None) -> None:
        self._store = store
        self._feed = feed
        self._floor = floor
        self._floor_control = 0
        self._lock = threading.Lock()
        self._projection = Projection(store) if floor is None else Projection(store, floor.read)

    @property
    def state(self) -> State:
        """The state as last seen. Needs no lock: it is replaced whole."""
        return self._projection.state

    def sealed(self) -> tuple[State, str]:
        """The state as last seen, and the chain hash of the last event in it. Needs no lock either."""
        state, mark = self._projection.seen
        return state, mark.chain

    @property
    def lost(self) -> Mark | None:
        """How far the journal is known to have come, where it has been put back and that is not recorded yet."""
        return self._projection.lost

    def load(self) -> None:
        """Read the state, and compare it with what this host remembers."""
        with self._lock:
            self._projection.load()
            if self._floor is not None:
                self._keep(self._floor)

    def look(self, *, timeout_s: float) -> State:
        """The state now, read from the store."""
        with self._held(timeout_s):
            # The head is read inside the lock: an older one would look like a journal that was put back.
            return self._catch_up(self._store.head(), lambda after: list(iterate(self._store, after)))

    def catch_up(self, head: Head, rows: Callable[[int], Sequence[Row]], *, timeout_s: float) -> State:
        """The state at a head that the caller has locked, so that nothing can be committed behind it."""
        with self._held(timeout_s):
            return self._catch_up(head, rows)

    def take_over(self, other: Mirror) -> None:
        """Take over what another one of this process, of the same store, has folded since, so that it is not folded
        twice. Waits for nobody: where the other one is at work, or where either knows of events that were lost, nothing
        is taken."""
        if not other._lock.acquire(blocking=False):
            return
        try:
            theirs = other._projection
            state, mark, lost = theirs.state, theirs.mark, theirs.lost
        finally:
            other._lock.release()
        with self._lock:
            mine = self._projection
            if lost is mine.lost is None and state.fleet == mine.state.fleet and mark.revision > mine.mark.revision:
                mine.seen = state, mark
                self._publish(())

    def advance(self, committed: Carried) -> None:
        """Take over what this process has just committed, unless another thread has read it already."""
        with self._lock:
            rows = committed.rows
            if rows and rows[0].revision == self._projection.mark.revision + 1:
                self._projection.advance(committed.state, rows)
                self._publish(committed.events)

    def settle(self, lost: Mark | None) -> None:
        """What was lost is recorded now: from here on the present journal is the truth."""
        with self._lock:
            if lost is not None and self._projection.lost == lost:
                self._projection.lost = None
                self._floor_control = self._projection.state.control_revision  # revisions count from lower again
                if self._floor is not None:
                    self._floor.settle(self._projection.mark)

    def _catch_up(self, head: Head, rows: Callable[[int], Sequence[Row]]) -> State:
        known = self._projection.state
        if known.fleet not in ("", head.fleet):
            raise NotOurDatabase(
                "another-fleet", f"{self._store.url} holds fleet {head.fleet}, not {known.fleet}", "start again on it"
            )
        events = self._projection.catch_up(head, rows)
        if self._projection.state is not known:
            self._publish(events)
        return self._projection.state

    def _publish(self, events: tuple[Recorded, ...]) -> None:
        self._feed.publish(*self.sealed(), events)
        if self._floor is not None:
            self._keep(self._floor)

    def _keep(self, floor: Floor) -> None:
        """Remember outside the database that what may run has changed."""
        control = self._projection.state.control_revision
        if control > self._floor_control and self._projection.lost is None:
            self._floor_control = control
            known = floor.read()
            if known is None or known.revision < control:
                floor.settle(self._projection.mark)

    @contextmanager
    def _held(self, timeout_s: float) -> Iterator[None]:
        if not self._lock.acquire(timeout=max(0.0, timeout_s)):
            raise BackendUnavailable("busy", f"the state of {self._store.url} is being read", "try again")
        try:
            yield
        finally:
            self._lock.release()
