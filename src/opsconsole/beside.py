"""What goes on beside the feed, on threads of its own, because it may take seconds: looking at the ways that a stop
would find open, and starting a keeper where none is alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from opsconsole.views.picture import Routes

ROUTES_S = 5.0
"""Between two looks at the ways of a stop."""
HIRE_AGAIN_S = 30.0
"""Between two tries to start a keeper."""


class RouteWatch:
    """Looks at the ways of a stop now and then until it is stopped; `changed` is called when they are others."""

    def __init__(self, look: Callable[[], Routes], changed: Callable[[], None]) -> None:
        self._look = look
        self._changed = changed
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="routes", daemon=True)
        self.routes = Routes()

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End. A look that hangs is waited for by nobody."""
        self._end.set()

    def _run(self) -> None:
        while not self._end.is_set():
            before = self.routes
            try:
                self.routes = self._look()
            except Exception:  # noqa: BLE001 - a watch that dies would leave old routes: unknown is what is true then
                self.routes = Routes()
            if self.routes != before:
                self._changed()
            self._end.wait(ROUTES_S)


class Hirer:
    """Starts a keeper when asked to, but not again too soon. `done` is told on its thread what was wrong, if it was."""

    def __init__(
        self, hire: Callable[[], object], done: Callable[[Exception | None], None], monotonic: Callable[[], float]
    ) -> None:
        self._hire = hire
        self._done = done
        self._monotonic = monotonic
        self._hired_at = float("-inf")

    def wanted(self) -> None:
        """No keeper is alive."""
        if self._monotonic() - self._hired_at >= HIRE_AGAIN_S:
            self._hired_at = self._monotonic()
            threading.Thread(target=self._run, name="hire", daemon=True).start()

    def _run(self) -> None:
        fault: Exception | None = None
        try:
            self._hire()
        except Exception as error:  # noqa: BLE001 - without a keeper the console goes on, and row 2 says so
            fault = error
        self._done(fault)
