"""The feed: what the backend says, fetched on a thread of its own and handed over as pictures.

The screen never asks the backend anything. This thread opens it, follows it, looks at the workers every second (four
times as often while a stop is counting), and wakes the screen when something came; how often the screen then looks is
the screen's affair. A backend that is gone, slow or wrong makes the picture old, and the picture says how old.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.errors import OpsError
from core.state import State
from opsconsole.beside import Hirer, RouteWatch
from opsconsole.recent import EVENTS_KEPT, Recent, events_of
from opsconsole.replay import Replays
from opsconsole.sight import Sight
from opsconsole.unrecorded import Unrecorded
from opsconsole.views.picture import Facts, Picture, Routes, Who
from opsgate.order import Order

if TYPE_CHECKING:
    from core.messages import Envelope, Receipt, Recorded
    from core.ports import Arrival, Backend

LOOK_S, LOOK_WHILE_STOPPING_S = 1.0, 0.25
DEADLINE_S = 2.0
SUBMIT_DEADLINE_S = 5.0


class Feed:
    """Follows one backend. `open_backend` is called on the feed's thread, again and again until it succeeds.

    `hire` starts a keeper where none is alive, `look_at_routes` says which ways a stop would find open; they may take
    seconds and get threads of their own. `monotonic` and `utc_now` are clocks. Set `wake` before `start`: it is called
    on any thread when there is something new to look at. Where it is not to look `by_itself`, it looks when it is told
    to, and `turns` counts how often it has: in a script no time passes but by a step.
    """

    def __init__(
        self,
        open_backend: Callable[[], Backend],
        who: Who,
        *,
        monotonic: Callable[[], float],
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
        hire: Callable[[], object] | None = None,
        look_at_routes: Callable[[], Routes] | None = None,
        by_itself: bool = True,
    ) -> None:
        self._open = open_backend
        self._by_itself = by_itself
        self._who = who
        self._monotonic = monotonic
        self._backend: Backend | None = None
        self._facts = Facts.of(State())
        self._sight = Sight(monotonic, utc_now)
        self._unrecorded = Unrecorded(monotonic)
        self._recent = Recent()
        self._replays = Replays(monotonic)
        self._hirer = Hirer(hire, self._hired, monotonic) if hire else None
        self._routes = RouteWatch(look_at_routes, self._routes_changed) if look_at_routes else None
        self.turns = 0
        self._poke = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self.wake: Callable[[], None] = lambda: None
        self.begun: Callable[[str], None] = lambda _place: None
        """Told on its thread where a new fleet was begun, if none was there. To be set before `start`, too."""

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()
        if self._routes:
            self._routes.start()

    def stop(self) -> None:
        """End. A call that hangs is left to its deadline; nobody waits for it."""
        self._end.set()
        self._poke.set()
        if self._routes:
            self._routes.stop()

    def look_now(self) -> None:
        """Look at once instead of at the next turn."""
        self._poke.set()

    @property
    def fleet(self) -> str | None:
        """The id of the fleet that is shown; None while none is known. Asks nobody."""
        backend = self._backend
        return backend.latest().fleet or None if backend else None

    @property
    def recent(self) -> tuple[Recorded, ...]:
        """The latest events, oldest first."""
        return self._recent.events

    def picture(self) -> Picture:
        """What is known now. Asks nobody and never blocks."""
        backend, seen = self._backend, self._sight.seen
        state = backend.latest() if backend else self._facts.state
        if state is not self._facts.state or seen is not self._facts.seen:
            self._facts = Facts.of(state, seen, self._facts)
        link = self._sight.link(backend.contact() if backend else None)
        sent = self._unrecorded.unknown_to(state)
        routes = self._routes.routes if self._routes else Routes()
        who = self._who.known_as(seen.known_as if seen else None)
        refusal, samples = self._unrecorded.refusal(sent), self._recent.samples
        taken = self._unrecorded.taken(sent)
        return Picture(
            self._facts, self._sight.now(), link, who, sent, refusal, taken, routes, samples, self._replays.known
        )

    def want_samples(self, metrics: tuple[str, ...]) -> None:
        """Have the samples of these metrics read that the engine has kept. Returns at once."""
        if self._replays.want(metrics):
            self._poke.set()

    def sent(self, order: Order) -> None:
        """A stop has left by the lane. Until the journal has it, it is shown, and this feed goes on recording it."""
        self._unrecorded.add(order)
        self._poke.set()

    def taken(self, order: Order) -> None:
        """Whoever records stops has said that it has this one. It is not seen here by that."""
        self._unrecorded.take(order)

    def submit(self, envelope: Envelope) -> Receipt:
        """Carry out a command. Blocks up to its deadline, so never call it where keys are handled.

        A release waits until every stop that is latched on this host is recorded. Raises `core.errors.OpsError`.
        """
        from backends import spool

        backend = self._connected()
        if envelope.command.lets_run:
            spool.require_recorded(backend, timeout_s=SUBMIT_DEADLINE_S)
        receipt = backend.submit(envelope, timeout_s=SUBMIT_DEADLINE_S)
        self._poke.set()
        return receipt

    def read(self, after: int, limit: int) -> tuple[Recorded, ...]:
        """Events behind a revision, oldest first. Blocks up to its deadline. Raises `core.errors.OpsError`."""
        return events_of(self._connected().journal(after=after, limit=limit, timeout_s=DEADLINE_S))

    def _connected(self) -> Backend:
        if self._backend is None:
            why = self._sight.trouble or "no answer yet"
            raise OpsError("not-connected", f"not connected: {why}", "it goes on trying")
        return self._backend

    def _run(self) -> None:
        while not self._end.is_set():
            self._sight.trying()
            try:
                self._connect() if self._backend is None else self._look(self._backend)
            except Exception as error:  # noqa: BLE001 - a feed that dies would leave an old picture: it tells, goes on
                self._sight.failed(error)
                self.wake()
            self.turns += 1
            self._poke.wait(self._pause_s() if self._by_itself else None)
            self._poke.clear()
        if self._backend is not None:
            self._backend.close()

    def _connect(self) -> None:
        """Open it, record what lies latched on this host before anything else, and read the latest events."""
        with ExitStack() as undo:
            backend = self._open()
            undo.callback(backend.close)
            if not self._who.read_only:
                self._unrecorded.replay(backend, timeout_s=DEADLINE_S)
            undo.callback(backend.follow(self._arrived))
            rows = backend.journal(after=max(0, backend.latest().revision - EVENTS_KEPT), timeout_s=DEADLINE_S)
            undo.pop_all()
        self._recent.remember(events_of(rows))
        self._backend = backend
        self._sight.opened()
        self._look(backend)
        self.wake()

    def _look(self, backend: Backend) -> None:
        """Record first what was fired, which waits for nothing; then look, and say last what could not be recorded."""
        not_recorded = self._unrecorded.record(backend, timeout_s=DEADLINE_S)
        began_s = self._monotonic()
        if backend.contact().word == "interrupted":
            backend.state(timeout_s=DEADLINE_S)  # so that it says what is wrong, until it is mended
        seen = backend.observe(timeout_s=DEADLINE_S)
        if self._sight.saw(seen, began_s, backend.contact().round_trip_s):
            self.wake()
        if self._hirer and not seen.keeper:
            self._hirer.wanted()
        if self._replays.look(backend, timeout_s=DEADLINE_S):
            self.wake()
        if not_recorded is not None:
            raise not_recorded

    def _hired(self, fault: Exception | None) -> None:
        """On the hirer's thread."""
        if fault is not None:
            self._sight.note(fault)
        self._poke.set()

    def _pause_s(self) -> float:
        if self._sight.failing or self._backend is None:
            return self._sight.retry_s
        pending = any(stop.result == "pending" for stop in self._facts.state.active_stops())
        return LOOK_WHILE_STOPPING_S if pending or self._unrecorded.hurried else LOOK_S

    def _routes_changed(self) -> None:
        """On the watch's thread."""
        self.wake()

    def _arrived(self, arrival: Arrival) -> None:
        """On the backend's thread."""
        self._recent.remember(arrival.events)
        if any(recorded.event.kind.startswith("stop.") for recorded in arrival.events):
            self._poke.set()
        self.wake()
