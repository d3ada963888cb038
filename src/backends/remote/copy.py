"""The copy: the server's state as folded here, event by event. Pure but for one lock.

Each event has to follow on from the last one by its chain, so an event that was lost or changed on the way, and a
database that was put back, are noticed by the next one at the latest. Whoever may not see all of the fleet is sent a
veil in the place of the others: its two ends are those of the chain.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from core.audit import GENESIS, Row, event_of, verify
from core.engine import evolve
from core.messages import Recorded
from core.showing import Veil
from core.state import State


class Gap(Exception):
    """The next event does not follow on from what is known, or cannot be read: ask for the whole state."""


class Copy:
    """State and chain of one fleet; ``publish`` gets every change, in order."""

    def __init__(self, publish: Callable[[State, str, tuple[Recorded, ...]], None]) -> None:
        self.state = State()
        self._chain = GENESIS
        self._publish = publish
        self._lock = threading.Lock()

    def replace(self, state: State, chain: str, *, asked_at: int) -> None:
        """Take over a state that was sent whole, asked for when this copy was at revision ``asked_at``.

        What has come since is not given up for an answer that was under way: only a copy that stood still goes back.
        """
        with self._lock:
            known = self.state.revision
            if (state.revision, chain) == (known, self._chain) or known > max(asked_at, state.revision - 1):
                return
            self.state, self._chain = state, chain
            self._publish(state, chain, ())

    def follow(self, rows: Sequence[Row | Veil]) -> None:
        """Fold what comes next; what is known already is passed over. Raises `Gap`.

        What is behind a veil is published with the next event that is not: nothing that is shown has changed."""
        with self._lock:
            events = tuple(self._folded(rows))
            if events:
                self._publish(self.state, self._chain, events)

    def expect(self, revision: int, chain: str | None) -> None:
        """Raise `Gap` where the server's journal ends otherwise than this copy, at the same revision or before."""
        with self._lock:
            known, is_same = self.state.revision, chain in (None, self._chain)
            if revision < known or (revision == known and not is_same):
                raise Gap

    def _folded(self, rows: Iterable[Row | Veil]) -> Iterable[Recorded]:
        state, chain, events = self.state, self._chain, list[Recorded]()
        for row in rows:
            if row.revision <= self.state.revision:
                continue
            if isinstance(row, Veil):
                if (row.after, row.before) != (state.revision, chain):
                    raise Gap
                state, chain = row.drawn(state), row.chain
                continue
            if verify([row], state.revision, chain)[0] is not None:
                raise Gap
            try:
                recorded = event_of(row)
            except (ValueError, KeyError) as error:  # erased, or of a later version
                raise Gap from error
            state, chain = evolve(state, recorded), row.chain
            events.append(recorded)
        self.state, self._chain = state, chain
        return events
