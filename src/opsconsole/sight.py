"""How the last looks at the backend went: what was seen, when, and what is wrong, in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.errors import NotPermitted, OpsError
from opsconsole.text import clean
from opsconsole.views.picture import FRESH_S, Link
from opsconsole.views.words import duration

if TYPE_CHECKING:
    from core.ports import Contact, Observations

RETRY_S = (1.0, 2.0, 4.0)
"""Between tries that fail: at first soon, then less often, for as long as it takes."""
SLOW_S = 0.5
UNSEEN_S = 2 * FRESH_S
ROUND_TRIP_STEP_MS, ROUND_TRIP_STEP = 20, 0.5


class Sight:
    """One thread looks and says here how that went; any thread asks. `monotonic` and `utc_now` are clocks."""

    def __init__(self, monotonic: Callable[[], float], utc_now: Callable[[], datetime]) -> None:
        self._monotonic = monotonic
        self._utc_now = utc_now
        self.seen: Observations | None = None
        self._seen_at = monotonic()
        self.trouble = ""
        self._slow_s = 0.0
        self._round_trip_ms: int | None = None
        self._replaced = self._refused = False
        self._tries = 0
        self._retry_at: float | None = None

    @property
    def failing(self) -> bool:
        """Whether the last look failed."""
        return self._tries > 0

    @property
    def retry_s(self) -> float:
        """How long to wait before the next try."""
        return RETRY_S[min(self._tries, len(RETRY_S)) - 1]

    def now(self) -> datetime:
        """The engine's clock: its last answer, and the time since then by a clock that does not jump."""
        if self.seen is None:
            return self._utc_now()
        return self.seen.at + timedelta(seconds=self._monotonic() - self._seen_at)

    def link(self, contact: Contact | None) -> Link:
        """What is shown of the connection; `contact` is what the backend says of it, once it is open."""
        retry_s = None if self._retry_at is None else max(0.0, self._retry_at - self._monotonic())
        told = {"replaced": self._replaced, "refused": self._refused}
        link = Link(trouble=self.trouble, tries=self._tries, retry_s=retry_s, **told)
        if contact is None:
            return link
        detail = clean(contact.detail, 120) or self.trouble
        if contact.word == "initialising":
            return link._replace(trouble=detail)
        left = contact.word == "off" and not self.failing  # closed by whoever looked on: only time makes it old
        link = link._replace(age_s=contact.age_s, newer=contact.newer, broken=not (contact.word == "valid" or left))
        unseen_s = self._monotonic() - self._seen_at
        if not detail and unseen_s > UNSEEN_S:
            detail = f"no word of the workers for {duration(unseen_s)}"
        return link._replace(trouble=detail, slow_s=self._slow_s, round_trip_ms=self._round_trip_ms)

    def trying(self) -> None:
        """A look begins."""
        self._retry_at = None

    def opened(self) -> None:
        """The backend is open; nothing was seen yet."""
        self.trouble = ""

    def note(self, error: Exception) -> None:
        """Something beside the look went wrong; the next one that succeeds has forgotten it."""
        self.trouble = in_words(error)

    def failed(self, error: Exception) -> None:
        """A look failed."""
        self.note(error)
        self._replaced = isinstance(error, OpsError) and error.code == "another-fleet"
        self._refused = isinstance(error, NotPermitted)
        self._tries += 1
        self._retry_at = self._monotonic() + self.retry_s

    def saw(self, seen: Observations, began_s: float, round_trip_s: float | None = None) -> bool:
        """A look that began then has seen this, from that far; returns whether anything of it can look different."""
        self._seen_at = self._monotonic()
        took_s = self._seen_at - began_s if round_trip_s is None else round_trip_s  # a look may ask more than once
        before = self._visible()
        self.seen, self.trouble, self._tries = seen, "", 0
        self._replaced = self._refused = False
        self._slow_s = round(took_s, 1) if took_s >= SLOW_S else 0.0
        self._round_trip_ms = _settled_ms(self._round_trip_ms, round_trip_s)
        return self._visible() != before

    def _visible(self) -> object:
        """All of it but the times at which healthy workers were last heard."""
        if self.seen is None:
            return None
        workers = [(row.worker_id, row.stops, row.draining, row.in_flight, row.state) for row in self.seen.workers]
        return (
            workers,
            self.seen.usage,
            self.seen.keeper,
            self.seen.present,
            self.trouble,
            self._slow_s,
            self._round_trip_ms,
        )


def _settled_ms(shown: int | None, measured_s: float | None) -> int | None:
    """A distance in milliseconds that stands still while nothing much has changed: an idle screen sends nothing."""
    if measured_s is None:
        return None
    now = round(measured_s * 1000)
    moved = shown is None or abs(now - shown) > max(ROUND_TRIP_STEP_MS, shown * ROUND_TRIP_STEP)
    return now if moved else shown


def in_words(error: Exception) -> str:
    """What went wrong, harmless and short; its kind too where it is none of the errors that are meant for people."""
    said = str(error) if isinstance(error, OpsError) else f"{type(error).__name__}: {error}"
    return clean(said, 120)
