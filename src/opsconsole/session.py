"""The feed: what the backend says, fetched on a thread of its own and handed over as pictures.

The screen never asks the backend anything. This thread opens it, follows it, looks at the workers every second (four
times as often while a stop is counting), and wakes the screen when something came; how often the screen then looks is
the screen's affair. A backend that is gone, slow or wrong makes the picture old, and the picture says how old.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.errors import OpsError
from core.state import State
from opsconsole.text import clean
from opsconsole.unrecorded import Unrecorded
from opsconsole.views.picture import FRESH_S, Facts, Link, Picture, Routes, Who
from opsconsole.views.words import duration
from opsgate.order import Order

if TYPE_CHECKING:
    from core.audit import Row
    from core.messages import Envelope, Receipt, Recorded
    from core.ports import Arrival, Backend, Observations

LOOK_S, LOOK_WHILE_STOPPING_S = 1.0, 0.25
RETRY_S = (1.0, 2.0, 4.0)
"""Between tries that fail: at first soon, then less often, for as long as it takes."""
ROUTES_S = 5.0
DEADLINE_S = 2.0
SUBMIT_DEADLINE_S = 5.0
SLOW_S = 0.5
UNSEEN_S = 2 * FRESH_S
HIRE_AGAIN_S = 30.0
EVENTS_KEPT = 200


class Feed:
    """Follows one backend. `open_backend` is called on the feed's thread, again and again until it succeeds.

    `hire` starts a keeper where none is alive, `look_at_routes` says which ways a stop would find open; they may take
    seconds and get threads of their own. `monotonic` and `utc_now` are clocks. Set `wake` before `start`: it is called
    on any thread when there is something new to look at.
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
    ) -> None:
        self._open = open_backend
        self._who = who
        self._monotonic = monotonic
        self._utc_now = utc_now
        self._hire = hire
        self._hired_at = float("-inf")
        self._backend: Backend | None = None
        self._facts = Facts.of(State())
        self._seen: Observations | None = None
        self._seen_at = monotonic()
        self._trouble = ""
        self._slow_s = 0.0
        self._unrecorded = Unrecorded(monotonic)
        self._recent: tuple[Recorded, ...] = ()
        self._tries = 0
        self._retry_at: float | None = None
        self._replaced = False
        self._look_at_routes = look_at_routes
        self._routes = Routes()
        self._poke = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self.wake: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()
        if self._look_at_routes is not None:
            watch = threading.Thread(
                target=self._watch_routes, args=(self._look_at_routes,), name="routes", daemon=True
            )
            watch.start()

    def stop(self) -> None:
        """End. A call that hangs is left to its deadline; nobody waits for it."""
        self._end.set()
        self._poke.set()

    def look_now(self) -> None:
        """Look at once instead of at the next turn."""
        self._poke.set()

    @property
    def recent(self) -> tuple[Recorded, ...]:
        """The latest events, oldest first."""
        return self._recent

    def picture(self) -> Picture:
        """What is known now. Asks nobody and never blocks."""
        backend = self._backend
        state = backend.latest() if backend else self._facts.state
        if state is not self._facts.state or self._seen is not self._facts.seen:
            self._facts = Facts.of(state, self._seen, self._facts)
        sent = self._unrecorded.unknown_to(state)
        return Picture(self._facts, self._now(), self._link(), self._who, sent, self._routes)

    def sent(self, order: Order) -> None:
        """A stop has left by the lane. Until the journal has it, it is shown, and this feed goes on recording it."""
        self._unrecorded.add(order)
        self._poke.set()

    def submit(self, envelope: Envelope) -> Receipt:
        """Carry out a command. Blocks up to its deadline, so never call it where keys are handled.

        A release waits until every stop that is latched on this host is recorded. Raises `core.errors.OpsError`.
        """
        from backends import spool

        if self._backend is None:
            raise OpsError("not-connected", f"not connected: {self._trouble or 'no answer yet'}", "it goes on trying")
        if envelope.command.lets_run:
            spool.require_recorded(self._backend, timeout_s=SUBMIT_DEADLINE_S)
        receipt = self._backend.submit(envelope, timeout_s=SUBMIT_DEADLINE_S)
        self._poke.set()
        return receipt

    def read(self, after: int, limit: int) -> tuple[Recorded, ...]:
        """Events behind a revision, oldest first. Blocks up to its deadline. Raises `core.errors.OpsError`."""
        if self._backend is None:
            raise OpsError("not-connected", f"not connected: {self._trouble or 'no answer yet'}", "it goes on trying")
        rows = self._backend.journal(after=after, limit=limit, timeout_s=DEADLINE_S)
        return tuple(recorded for row in rows if (recorded := _event(row)))

    def _now(self) -> datetime:
        """The engine's clock: its last answer, and the time since then by a clock that does not jump."""
        if self._seen is None:
            return self._utc_now()
        return self._seen.at + timedelta(seconds=self._monotonic() - self._seen_at)

    def _link(self) -> Link:
        retry_s = None if self._retry_at is None else max(0.0, self._retry_at - self._monotonic())
        link = Link(trouble=self._trouble, tries=self._tries, retry_s=retry_s, replaced=self._replaced)
        if self._backend is None:
            return link
        contact = self._backend.contact()
        detail = clean(contact.detail, 120) or self._trouble
        if contact.word == "initialising":
            return link._replace(trouble=detail)
        age_s = contact.age_s if contact.word == "valid" else max(FRESH_S, contact.age_s)
        unseen_s = self._monotonic() - self._seen_at
        if not detail and unseen_s > UNSEEN_S:
            detail = f"no word of the workers for {duration(unseen_s)}"
        return link._replace(age_s=age_s, trouble=detail, slow_s=self._slow_s)

    def _run(self) -> None:
        while not self._end.is_set():
            self._retry_at = None
            try:
                self._connect() if self._backend is None else self._look(self._backend)
            except Exception as error:  # noqa: BLE001 - a feed that dies would leave an old picture: it tells, goes on
                self._failed(error)
            self._poke.wait(self._pause_s())
            self._poke.clear()
        if self._backend is not None:
            self._backend.close()

    def _failed(self, error: Exception) -> None:
        self._trouble = _in_words(error)
        self._replaced = isinstance(error, OpsError) and error.code == "another-fleet"
        self._tries += 1
        self._retry_at = self._monotonic() + self._pause_s()
        self.wake()

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
        self._remember(recorded for row in rows if (recorded := _event(row)))
        self._backend, self._trouble = backend, ""
        self._look(backend)
        self.wake()

    def _look(self, backend: Backend) -> None:
        """Record first what was fired, which waits for nothing; then look, and say last what could not be recorded."""
        not_recorded = self._unrecorded.record(backend, timeout_s=DEADLINE_S)
        began = self._monotonic()
        if backend.contact().word == "interrupted":
            backend.state(timeout_s=DEADLINE_S)  # so that it says what is wrong, until it is mended
        seen = backend.observe(timeout_s=DEADLINE_S)
        self._seen_at = self._monotonic()
        took_s = self._seen_at - began
        before = _visible(self._seen, self._trouble, self._slow_s)
        self._seen, self._trouble, self._tries, self._replaced = seen, "", 0, False
        self._slow_s = round(took_s, 1) if took_s >= SLOW_S else 0.0
        if _visible(self._seen, self._trouble, self._slow_s) != before:
            self.wake()
        if not seen.keeper:
            self._hire_keeper()
        if not_recorded is not None:
            raise not_recorded

    def _watch_routes(self, look: Callable[[], Routes]) -> None:
        while not self._end.is_set():
            before = self._routes
            try:
                self._routes = look()
            except Exception:  # noqa: BLE001 - a watch that dies would leave old routes: unknown is what is true then
                self._routes = Routes()
            if self._routes != before:
                self.wake()
            self._end.wait(ROUTES_S)

    def _hire_keeper(self) -> None:
        if self._hire is None or self._monotonic() - self._hired_at < HIRE_AGAIN_S:
            return
        self._hired_at = self._monotonic()
        threading.Thread(target=self._hire_at_leisure, args=(self._hire,), name="hire", daemon=True).start()

    def _hire_at_leisure(self, hire: Callable[[], object]) -> None:
        try:
            hire()
        except Exception as error:  # noqa: BLE001 - without a keeper the console goes on, and row 2 says so
            self._trouble = _in_words(error)
        self._poke.set()

    def _pause_s(self) -> float:
        if self._tries or self._backend is None:
            return RETRY_S[min(self._tries, len(RETRY_S)) - 1]
        counting = self._unrecorded.hurried or any(
            stop.result == "pending" for stop in self._facts.state.active_stops()
        )
        return LOOK_WHILE_STOPPING_S if counting else LOOK_S

    def _arrived(self, arrival: Arrival) -> None:
        """On the backend's thread."""
        self._remember(arrival.events)
        if any(recorded.event.kind.startswith("stop.") for recorded in arrival.events):
            self._poke.set()
        self.wake()

    def _remember(self, events: Iterable[Recorded]) -> None:
        """Keep the latest events in order, each once: what is read and what arrives may overlap."""
        known = {recorded.revision: recorded for recorded in (*self._recent, *events)}
        self._recent = tuple(known[revision] for revision in sorted(known)[-EVENTS_KEPT:])


def _in_words(error: Exception) -> str:
    """What went wrong, harmless and short; its kind too where it is none of the errors that are meant for people."""
    said = str(error) if isinstance(error, OpsError) else f"{type(error).__name__}: {error}"
    return clean(said, 120)


def _visible(seen: Observations | None, trouble: str, slow_s: float) -> object:
    """What of an observation can look different: all of it but the times at which healthy workers were last heard."""
    if seen is None:
        return None
    workers = [(row.worker_id, row.stops, row.draining, row.in_flight, row.state) for row in seen.workers]
    return workers, seen.usage, seen.keeper, trouble, slow_s


def _event(row: Row) -> Recorded | None:
    """The event of a row; None for one of a later version, which is no reason to show nothing at all."""
    from core.audit import event_of

    try:
        return event_of(row)
    except (ValueError, KeyError):
        return None
