"""The journal, read backwards page by page: on a thread of its own, so that the screen never waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from core.errors import OpsError
from opsconsole.text import clean
from opsconsole.views.audit import Read

if TYPE_CHECKING:
    from core.messages import Recorded

PAGE = 500
KEPT_MAX = 20_000
"""Events that are kept to be looked at. What is older, the command line reads."""

ReadPage: TypeAlias = "Callable[[int, int], Sequence[Recorded]]"
"""Events behind a revision, at most so many, oldest first. It blocks up to its deadline and raises `OpsError`."""


class Pages:
    """What has been read of the journal so far, without a gap.

    `tell` carries something out in the event loop; `changed` is called there when a page came.
    """

    def __init__(self, read: ReadPage, tell: Callable[[Callable[[], None]], None], changed: Callable[[], None]) -> None:
        self._read = read
        self._tell = tell
        self._changed = changed
        self._events: tuple[Recorded, ...] = ()
        self._low = self._high = 0
        self._reading = False
        self._trouble = ""
        self._at_start = False

    def see(self, recent: Sequence[Recorded]) -> None:
        """The latest events, oldest first. Where they do not join what was read, reading starts afresh from them."""
        if not recent or recent[-1].revision == self._high:
            return
        if not self._events or recent[0].revision > self._high + 1:
            self._events, self._low, self._at_start = tuple(recent), recent[0].revision, False
        else:
            self._events += tuple(event for event in recent if event.revision > self._high)
        if len(self._events) > KEPT_MAX:
            self._events, self._at_start = self._events[-KEPT_MAX:], False
            self._low = self._events[0].revision
        self._high = recent[-1].revision

    @property
    def read(self) -> Read:
        """What there is to show."""
        return Read(self._events, self._older())

    def want_older(self) -> None:
        """Read the page before, unless one is being read or there is none."""
        if self._reading or self._at_start or self._low <= 1 or len(self._events) >= KEPT_MAX:
            return
        self._reading, self._trouble = True, ""
        threading.Thread(target=self._fetch, args=(self._low,), name="journal", daemon=True).start()

    def _fetch(self, low: int) -> None:
        """On the page's own thread."""
        after = max(0, low - PAGE - 1)
        try:
            page = tuple(event for event in self._read(after, low - 1 - after) if event.revision < low)
        except Exception as error:  # noqa: BLE001 - without an answer it would be reading for ever
            said = clean(str(error) if isinstance(error, OpsError) else f"{type(error).__name__}: {error}", 80)
            self._tell(lambda: self._came(low, (), said))
        else:
            self._tell(lambda: self._came(low, page, ""))

    def _came(self, low: int, page: Sequence[Recorded], trouble: str) -> None:
        self._reading, self._trouble = False, trouble
        if not trouble and low == self._low:
            self._at_start = not page
            self._events = (*page, *self._events)[-KEPT_MAX:]
            self._low = self._events[0].revision
        self._changed()

    def _older(self) -> str:
        if self._reading:
            return "reading older ones"
        if self._trouble:
            return f"older ones not read: {self._trouble}"
        if len(self._events) >= KEPT_MAX:
            return "older ones: opsconsole audit list"
        return "that is all that is kept" if self._at_start or self._low == 1 else "older ones at the end"
