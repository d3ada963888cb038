"""The journal as those see it who may not see all of it: for each scope one hub, and frames that are encoded once for
all who share it.

What they may see of an event depends on the state before it and the one after it. So the last events are kept here
with the states between them, from the moment at which the first of these listeners comes.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import islice
from time import monotonic
from typing import Any, Final, NamedTuple

from backends import documents
from backends.floor import Mark
from backends.past import state_of
from backends.projection import read_event
from backends.runtime import Runtime
from backends.server.push import Frame, Hub, frame
from core.audit import Row, event_of, verify
from core.engine import evolve
from core.messages import Recorded, WorkerEvent
from core.ports import Observations, WorkerRow, iterate
from core.scope import Scope
from core.showing import Veil, showing
from core.sight import Sight
from core.state import State

KEPT_MAX: Final = 2000
"""Events behind which a listener may come back and be told one by one what it has missed."""

_LOOK_AGAIN_S: Final = 1.0
"""Seconds after which it is looked anew, for whoever asks for a state, which workers there are."""

_READ_WITHIN_S: Final = 60.0


class Step(NamedTuple):
    """One event, and the states and hashes on both sides of it."""

    row: Row
    recorded: Recorded
    before: State
    after: State
    chain_before: str


class Story:
    """The last events of the journal. From any thread."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._steps: deque[Step] = deque(maxlen=KEPT_MAX)
        self._state: State | None = None
        self._chain = ""
        self._lock = threading.Lock()

    def behind(self, revision: int) -> Sequence[Step] | None:
        """What has happened behind a revision, up to now; None where it is not kept, or was never so."""
        with self._lock:
            state = self._read_on()
            first = state.revision - len(self._steps)
            if not first <= revision <= state.revision:
                return None
            return tuple(islice(self._steps, revision - first, None))

    def sealed(self) -> tuple[State, str]:
        """The state after all that has happened up to now, and the hash of the event that led to it. It may be ahead
        of what the runtime has folded, and is never behind a step that was told."""
        with self._lock:
            return self._read_on(), self._chain

    def _read_on(self) -> State:
        if self._state is None or self._is_far_behind(self._state) or self._was_put_back(self._state):
            return self._begin()
        while rows := self.runtime.journal(after=self._state.revision):
            for row in rows:
                if verify([row], self._state.revision, self._chain)[0] is not None:
                    return self._begin()
                try:
                    recorded = event_of(row)
                except ValueError:  # its body has been erased
                    return self._begin()
                after = evolve(self._state, recorded)
                self._steps.append(Step(row, recorded, self._state, after, self._chain))
                self._state, self._chain = after, row.chain
        return self._state

    def _begin(self) -> State:
        self._steps.clear()
        self._state, self._chain = self.runtime.sealed()
        return self._state

    def _is_far_behind(self, state: State) -> bool:
        """Whether all that is kept would be forgotten by reading on."""
        return self.runtime.latest().revision - state.revision > KEPT_MAX

    def _was_put_back(self, state: State) -> bool:
        """Rows are read from the database itself, so more may be known here than is folded; then it is asked."""
        if self.runtime.latest().revision >= state.revision:
            return False
        return self.runtime.state().revision < state.revision


class Outlook:
    """One scope: who listens with it, and what they are told."""

    def __init__(self, scope: Scope, story: Story, workers: Callable[[], Iterable[WorkerRow]]) -> None:
        self.hub = Hub(self._catch_up)
        self.scope = scope
        self._story = story
        self._workers = workers
        self._sight = Sight(scope)
        self._looked_s = float("-inf")
        self._turns = self._told_turns = 0
        """How many times more, or less, of the same state came to be seen, and how many of them its followers know."""
        self._turned_at = 0
        """The revision at which that was last so: behind an earlier one events alone do not tell all."""
        self._published = story.runtime.latest().revision
        self._shown: tuple[State, Sight, State] | None = None
        self._encoded: tuple[State, str, bytes] | None = None
        self._lock = threading.Lock()

    # ---------------------------------------------------------------------------------------------- what they ask for
    def shown(self, state: State) -> State:
        """What they may see of a state. Asks the database who works there, now and then."""
        self._look(_LOOK_AGAIN_S)
        cached, sight = self._shown, self._sight
        if cached is None or cached[0] is not state or cached[1] is not sight:
            cached = self._shown = (state, sight, sight.state(state))
        return cached[2]

    def document(self) -> tuple[int, str, bytes, str]:
        """The state as last seen as a document, behind its revision and the hash of its last event; and what else its
        bytes depend on."""
        state, chain = self._story.runtime.sealed()
        text = self._encode(state, chain)
        names = blake2b(" ".join(sorted(self._sight.workers)).encode(), digest_size=6).hexdigest()
        return state.revision, chain, text, f"/{names}"

    def _encode(self, state: State, chain: str) -> bytes:
        shown = self.shown(state)
        cached = self._encoded
        if cached is None or cached[:2] != (shown, chain):
            cached = self._encoded = (shown, chain, documents.of_state(shown, chain).encode())
        return cached[2]

    def observed(self, seen: Observations, state: State) -> Observations:
        """What they may see of what is observed beside the journal."""
        stops = self.shown(state).stops
        within = {"site": self.scope.sites, "env": self.scope.envs}

        def part(row: WorkerRow) -> WorkerRow:
            scope = {
                dimension: [name for name in names if not within.get(dimension) or name in within[dimension]]
                for dimension, names in row.scope.items()
            }
            obeyed = tuple(stop_id for stop_id in row.stops if stop_id in stops)
            draining = {stop_id: count for stop_id, count in row.draining.items() if stop_id in stops}
            return replace(row, scope=scope, stops=obeyed, draining=draining)

        workers = tuple(part(row) for row in seen.workers if self._is_served_by(row))
        return Observations(at=seen.at, workers=workers, usage=seen.usage, keeper=seen.keeper)

    def news(self, after: int, limit: int) -> list[Row | Veil] | None:
        """What they may know of what has happened behind a revision; None where they have to read the state."""
        steps = self._behind(after)
        return None if steps is None else self._told(steps[:limit])

    def rows(self, after: int, limit: int) -> list[Row]:
        """The events of the past behind a revision that they may see, ``limit`` of them at most."""
        store, deadline_s = self._story.runtime.store, monotonic() + _READ_WITHIN_S
        state, mark = state_of(store, max(after, store.anchor()[0]), deadline_s)
        self._look(_LOOK_AGAIN_S)
        found: list[Row] = []
        for row in iterate(store, mark.revision):
            recorded = read_event(row, mark)
            before, state, mark = state, evolve(state, recorded), Mark(row.revision, row.chain)
            if showing(self._sight, recorded, before, state) == "whole":
                found.append(row)
                if len(found) >= limit:
                    break
        return found

    # ------------------------------------------------------------------------------------------- what they are told
    def publish(self, *, look: bool) -> None:
        """Tell all who listen what is new; with ``look``, see whether there are other workers too."""
        latest, turns = self._story.runtime.latest(), self._turns
        if not self.hub:  # whoever comes now is told first what led here
            self._published, self._told_turns = latest.revision, turns
            self.hub.skip(latest.revision)
            return
        steps = self._story.behind(self._published)
        if look or any(isinstance(step.recorded.event, WorkerEvent) for step in steps or ()):
            self._look(0.0)
            turns = self._turns
        for one in self._frames(steps if turns == self._told_turns else None):
            self._published = one.revision
            self.hub.publish(one)
        self._told_turns = turns

    async def _catch_up(self, seen: int | None) -> list[Frame]:
        return await asyncio.to_thread(self._missed, seen)

    def _missed(self, seen: int | None) -> list[Frame]:
        return self._frames(None if seen is None else self._behind(seen))

    def _behind(self, seen: int) -> Sequence[Step] | None:
        """What has happened behind a revision; None where that does not tell all that is new."""
        return None if seen < self._turned_at else self._story.behind(seen)

    def _frames(self, steps: Sequence[Step] | None) -> list[Frame]:
        news = None if steps is None else self._told(steps)
        if news is None:
            state, chain = self._story.sealed()
            return [frame("snapshot", self._encode(state, chain), state.revision, anew=True)]
        return [
            frame("veil" if isinstance(one, Veil) else "row", _line(documents.of_news(one)), one.revision)
            for one in news
        ]

    def _told(self, steps: Iterable[Step]) -> list[Row | Veil] | None:
        """Each event that may be seen, and a veil over those between; None where that would not tell all."""
        news: list[Row | Veil] = []
        for step in steps:
            match showing(self._sight, step.recorded, step.before, step.after):
                case "whole":
                    news.append(step.row)
                case "veiled":
                    news[-1:] = _veiled(step, news[-1:])
                case "anew":
                    return None
        return news

    # --------------------------------------------------------------------------------------------- who works there
    def _look(self, at_least_s: float) -> None:
        """See which workers serve this scope, unless that was done just now. Of whoever is not heard of any more the
        name stays, as long as the fleet has it now, whatever time is asked about."""
        with self._lock:
            if monotonic() - self._looked_s < at_least_s:
                return
            self._looked_s = monotonic()
            rows, state = {row.worker_id: row for row in self._workers()}, self._story.runtime.latest()
            known = {*state.workers, *(worker for stop in state.stops.values() for worker in stop.of)}
            serving = frozenset(worker_id for worker_id, row in rows.items() if self._is_served_by(row))
            before = self._sight.workers
            serving |= {worker_id for worker_id in before if worker_id not in rows and worker_id in known}
            if serving != before:
                self._sight = Sight(self.scope, serving)
            if not known.isdisjoint(serving ^ before):
                self._turns, self._turned_at = self._turns + 1, state.revision

    def _is_served_by(self, row: WorkerRow) -> bool:
        return self.scope.touches_worker(row.env, row.scope)


class Outlooks:
    """All scopes for which somebody has asked."""

    def __init__(self, runtime: Runtime, workers: Callable[[], Iterable[WorkerRow]]) -> None:
        self._story = Story(runtime)
        self._workers = workers
        self._all: dict[Scope, Outlook] = {}
        self._lock = threading.Lock()

    def of(self, scope: Scope) -> Outlook:
        """The one of a scope. From any thread."""
        with self._lock:
            known = self._all.get(scope)
            if known is None:
                known = self._all[scope] = Outlook(scope, self._story, self._workers)
            return known

    def all(self) -> tuple[Outlook, ...]:
        """Every one. There are no more of them than tokens have scopes."""
        with self._lock:
            return tuple(self._all.values())


def _veiled(step: Step, last: Sequence[Row | Veil]) -> list[Row | Veil]:
    """A veil over one more event: the last one goes on where there is one, otherwise it begins."""
    after, before = step.before.revision, step.chain_before
    kept = list(last)
    if kept and isinstance(kept[0], Veil):
        after, before = kept[0].after, kept[0].before
        kept = []
    now = step.after
    return [*kept, Veil(after, before, now.revision, step.row.chain, now.control_revision, now.names_revision)]


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
