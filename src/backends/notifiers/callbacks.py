"""Python callbacks, by the names that S1 gave its events.

    callbacks = Callbacks(open_backend(url))
    callbacks.on("emergencyStarted", lambda event: print(event["emergencyId"], event["triggerType"]))
    callbacks.on("emergencyCompleted", lambda event: print(event["success"], event["executionDuration"]))

They run on a thread of their own, in order, from now on: one that hangs holds up the callbacks behind it and nothing
else. Who must miss nothing takes a webhook, which has a cursor.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from core.hooks import NAMES, told_of
from core.messages import EVENTS
from core.ports import Arrival, Backend

_log = logging.getLogger("opsconsole.callbacks")

_WAITING_MAX: Final = 10_000

Callback = Callable[[Mapping[str, Any]], object]


class Callbacks:
    """Calls whoever asked, for each event of one backend. Close it before the backend."""

    def __init__(self, backend: Backend) -> None:
        self.dropped = 0
        """Events that nobody was told of, because callbacks were too slow for them."""
        self._callbacks: dict[str, list[Callback]] = {}
        self._waiting: deque[tuple[str, Mapping[str, Any]]] = deque()
        self._news = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="callbacks", daemon=True)
        self._thread.start()
        self._leave = backend.follow(self._arrived)

    def on(self, name: str, callback: Callback) -> None:
        """Call ``callback`` for every event of this name: one of S1's five, or a kind. Raises ValueError for a name
        that no event has."""
        if name not in NAMES.values() and name not in EVENTS:
            raise ValueError(
                f"no event is called {ascii(name)[:60]}: {', '.join(sorted(set(NAMES.values())))}, or a kind"
            )
        with self._news:
            self._callbacks.setdefault(name, []).append(callback)

    def close(self) -> None:
        """Call nobody any more."""
        self._leave()
        with self._news:
            self._ending = True
            self._news.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=1)

    def _arrived(self, arrival: Arrival) -> None:
        with self._news:
            wanted = self._callbacks.keys()
            for recorded in arrival.events:
                kind = recorded.event.kind
                name = NAMES.get(kind, kind)
                if wanted & {name, kind}:
                    data = told_of(recorded, arrival.state).data
                    self._waiting.extend((each, data) for each in dict.fromkeys((name, kind)) if each in wanted)
            while len(self._waiting) > _WAITING_MAX:
                self._waiting.popleft()
                self.dropped += 1
            self._news.notify()

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._ending)
                if self._ending:
                    return
                name, data = self._waiting.popleft()
                callbacks = tuple(self._callbacks.get(name, ()))
            for callback in callbacks:
                try:
                    callback(data)
                except Exception:  # noqa: BLE001 (whatever a callback does, the next one is called)
                    _log.exception("a callback failed", extra={"callback": name})
