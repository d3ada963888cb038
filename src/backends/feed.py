"""The feed: one thread that looks for news and hands them to whoever follows.

What arrived since the last delivery is handed over as one piece, so a listener that is slow gets fewer and larger
arrivals and never a backlog. Where commit follows on commit, what nothing waits for is gathered for a moment, so that
listeners are woken for many of them at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol

from core.errors import OpsError
from core.messages import EmergencyEvent, Recorded, ServiceEvent, StopEvent
from core.ports import Arrival, Listener
from core.state import State

WAIT_S: Final = 1.0
"""Seconds after which the truth is looked at even if no hint came."""

REST_S: Final = 0.1
"""Seconds between two looks while this process itself commits: what it has committed need not be looked for."""

GATHER_S: Final = 0.05
"""Seconds after a delivery for which what comes next is gathered, unless something waits for it."""

_AWAITED: Final = (EmergencyEvent, StopEvent, ServiceEvent)
"""What stops and recoveries go on by, though it may change nothing that may run."""

PATIENCE_S: Final = 1.0
"""Seconds between two tries while the database does not answer, at most."""

_log = logging.getLogger("opsconsole.feed")


class Bell(Protocol):
    """What the thread sleeps by; every `core.ports.Store` is one."""

    def wait(self, timeout_s: float) -> None:
        """Return when something may have changed, or `wake` was called, at the latest after ``timeout_s``."""

    def wake(self) -> None:
        """End a `wait` that is going on, or the next one."""


class Feed:
    """Listeners, what they have not been told yet, and the thread that tells them; it starts with the first one."""

    def __init__(self, bell: Bell, look: Callable[[], None]) -> None:
        self._bell = bell
        self._look = look
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._sealed: tuple[State, str] | None = None
        self._events: list[Recorded] = []
        self._control_revision = -1
        """What may run as it was told last."""
        self._hurries = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` for every change from now on; returns what ends it."""
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="opsconsole-feed", daemon=True)
                thread.start()
                self._thread = thread
            self._listeners = [*self._listeners, listener]

        def leave() -> None:
            with self._lock:
                self._listeners = [other for other in self._listeners if other is not listener]

        return leave

    def publish(self, state: State, chain: str, events: tuple[Recorded, ...]) -> None:
        """Queue a change; ``chain`` is the hash of the last event in it. The caller's lock keeps changes in order."""
        with self._lock:
            if not self._listeners:
                return
            is_first, self._sealed = self._sealed is None, (state, chain)
            self._events.extend(events)
            if state.control_revision != self._control_revision or any(map(_is_awaited, events)):
                self._hurries.set()
        if is_first:
            self._bell.wake()

    def close(self) -> None:
        """End the thread and wait for it, unless it is the caller."""
        self._closed.set()
        self._hurries.set()
        self._bell.wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        pause_s = next_look_s = 0.0
        while not self._closed.wait(pause_s):
            if self._deliver() and (rests_s := next_look_s - monotonic()) > 0:
                self._bell.wait(rests_s)  # the truth is looked at all the same, a moment later
                continue
            pause_s = self._look_once(pause_s)
            self._deliver()
            next_look_s = monotonic() + REST_S
            if not pause_s:
                self._bell.wait(WAIT_S)

    def _look_once(self, pause_s: float) -> float:
        """Look for news; returns how long to leave the database alone, 0 while it answers."""
        try:
            self._look()
        except OpsError:  # the runtime remembers what is wrong and since when
            return min(PATIENCE_S, max(0.1, pause_s * 2))
        except Exception:  # noqa: BLE001 - news must not end for good because of one fault, whosever it is
            _log.exception("looking for news failed")
            return PATIENCE_S
        return 0.0

    def _deliver(self) -> bool:
        """Hand over what has come, and let more come for a moment; False where nothing has."""
        with self._lock:
            sealed, events, listeners = self._sealed, tuple(self._events), self._listeners
            if sealed is None:
                return False
            state, chain = sealed
            self._sealed, self._events, self._control_revision = None, [], state.control_revision
            self._hurries.clear()
        for listener in listeners:
            try:
                listener(Arrival(state, events, chain))
            except Exception:  # noqa: BLE001 - a listener's fault must not end the news of all others
                _log.exception("a listener failed")
        if not self._closed.is_set():
            self._hurries.wait(GATHER_S)
        return True


def _is_awaited(recorded: Recorded) -> bool:
    return isinstance(recorded.event, _AWAITED)
