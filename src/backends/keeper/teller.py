"""One channel is told what it has not been told of the journal, while this keeper leads.

The journal is the outbox: how far a channel has been told (`place.py`) stands in the database and moves after the
channel has taken it, so everything is told at least once and in order, whoever leads. A call that does not come back is
left behind (`calls.py`), what failed is tried again later and later (`trouble.py`), and what may wait is told with what
comes right behind it (`burst.py`).
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from backends.keeper.burst import GATHER_S, Burst
from backends.keeper.calls import Calls
from backends.keeper.log import NAME
from backends.keeper.place import Place, cursor_name
from backends.keeper.roster import Instant
from backends.keeper.trouble import Trouble
from backends.notifiers.base import Message, Misconfigured, Notifier
from backends.notifiers.channels import Channel
from backends.runtime import Runtime
from core.audit import Row, event_of
from core.errors import OpsError
from core.hooks import told_of
from core.messages import Recorded
from core.notices import MAY_WAIT, TOPICS, Notice, kinds_under, notice_of
from core.ports import Lease
from core.state import State
from core.telling import Patience, Said, again, next_unheard_s, overdue, settle, unheard

_log = logging.getLogger(NAME)

SEND_S: Final = 10.0
"""Seconds that a channel has for one message."""

_ROWS: Final = 500
_COALESCE_S: Final = 0.1
_LOOK_S: Final = 5.0
"""Seconds between two looks when nothing happens."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What all channels share: how patient they are, and which are told when nobody acknowledges an emergency (() for
    all that are told of emergencies)."""

    patience: Patience = field(default_factory=Patience)
    escalate_to: tuple[str, ...] = ()
    send_s: float = SEND_S


class Leadership:
    """What a channel's thread asks of the loops: whether this keeper leads, and under which lease."""

    def __init__(self, leads: Callable[[], bool], lease: Callable[[], Lease | None]) -> None:
        self.leads = leads
        self.lease = lease


class _News(NamedTuple):
    """A piece of the journal: what of it concerns the channel, the state behind it, and how far it goes. ``more`` lies
    behind that."""

    recorded: list[Recorded]
    state: State
    last: int
    more: bool


class Teller(threading.Thread):
    """Tells one channel."""

    def __init__(
        self,
        runtime: Runtime,
        channel: Channel,
        terms: Terms,
        leadership: Leadership,
        now: Callable[[], Instant],
        outcomes: Counter[tuple[str, str]],
    ) -> None:
        super().__init__(name=f"notify-{channel.name}", daemon=True)
        self._runtime = runtime
        self._channel = channel
        self._terms = terms
        self._leadership = leadership
        self._now = now
        self._outcomes = outcomes
        self._notifier: Notifier | None = None
        self._kinds = kinds_under(channel.settings.topics or TOPICS)
        """The kinds of event of which people may be told here: of the others not even the body is read."""
        self._urgent = self._kinds & kinds_under(frozenset(TOPICS) - MAY_WAIT)
        """Those among them that a burst which is being gathered may not hold up."""
        self._calls = Calls(channel.name, terms.send_s)
        self._place: Place | None = None
        self._taken: set[tuple[str, int]] = set()
        """What was taken of a round that was not taken whole."""
        self._burst = Burst()
        self.trouble = Trouble()
        self._wake = threading.Event()
        self._ending = threading.Event()

    def news(self, events: Sequence[Recorded] = ()) -> None:
        """Something has happened; which events, unless nobody knows. While a burst is gathered nobody is woken for what
        may wait like it. From any thread."""
        if not self._burst.gathers or not events or any(each.event.kind in self._urgent for each in events):
            self._wake.set()

    def close(self) -> None:
        """End the thread, without waiting for a channel that hangs."""
        self._ending.set()
        self._wake.set()
        if self.is_alive():
            self.join(timeout=1)

    def run(self) -> None:
        """The life of the thread."""
        while not self._ending.is_set():
            self._wake.wait(self.turn())
            self._wake.clear()
            self._ending.wait(_COALESCE_S)  # a burst comes together

    def turn(self) -> float:
        """Tell what there is to tell; returns the seconds until the next turn, if nothing happens."""
        if not self._leadership.leads():
            self._place = None
            return _LOOK_S
        now = self._now()
        if (rest_s := self.trouble.rest_s(now.elapsed_s)) > 0:
            return rest_s
        try:
            return self._tell(now)
        except OpsError as error:  # the database is away, or somebody else leads: the loops say so
            if error.code == "fenced":
                self._place = None
            return _LOOK_S
        except Exception:  # noqa: BLE001 (a fault of ours with one event must not end what others are told)
            _log.exception("notifying failed", extra={"channel": self._channel.name})
            return _LOOK_S

    # ------------------------------------------------------------------------------------------------ one round
    def _tell(self, now: Instant) -> float:
        place = self._place = self._place or self._begun(now)
        try:
            notifier = self._notifier = self._notifier or self._channel.open()
        except Misconfigured as error:
            return self._failed(place, str(error), now, "misconfigured")
        if self._still_gathers(place, now):
            return GATHER_S
        news = self._read(place, self._channel.wants_event if notifier.takes == "events" else self._kinds.__contains__)
        if notifier.takes == "events":
            return self._tell_events(notifier, place, news, now)
        return self._tell_notices(notifier, place, news, now)

    def _read(self, place: Place, wants: Callable[[str], bool]) -> _News:
        rows, state = self._runtime.journal(after=place.revision, limit=_ROWS), self._runtime.state()
        if not rows and state.revision < place.revision:
            place.revision = state.revision  # the database was put back: what comes now is new
        if rows and rows[0].revision != place.revision + 1:
            gone = rows[0].revision - place.revision - 1
            _log.warning("retention was quicker than a channel", extra={"channel": self._channel.name, "events": gone})
        last = rows[-1].revision if rows else place.revision
        return _News(_recorded(rows, wants), state, last, len(rows) == _ROWS)

    def _tell_events(self, notifier: Notifier, place: Place, news: _News, now: Instant) -> float:
        for each in news.recorded:
            why = self._send(notifier, Message(news.state.fleet, each.header.at, told_of(each, news.state)))
            if why:
                return self._failed(place, why, now)
            place.revision = each.revision
        place.revision = news.last
        self._keep(place, now, told=bool(news.recorded))
        return 0.0 if news.more else _LOOK_S

    def _tell_notices(self, notifier: Notifier, place: Place, news: _News, now: Instant) -> float:
        state, patience = news.state, self._terms.patience
        made = (notice_of(each, state, self._event) for each in news.recorded)
        notices = [notice for notice in made if notice is not None and self._channel.wants(notice)]
        if self._channel.is_told_of_unheard(self._terms.escalate_to):
            notices += unheard(state, place.ledger, now.at, patience)
        if self._burst.takes([] if news.more else notices, now.elapsed_s):
            self._burst.read_to = news.last
            return GATHER_S
        messages, ledger = settle(notices, place.ledger, now.at, patience)
        messages += self._said_again(ledger, state, now)
        for notice in messages:
            if (notice.key, notice.revision) not in self._taken:
                why = self._send(notifier, Message(state.fleet, now.at, notice))
                if why:
                    return self._failed(place, why, now)
                self._taken.add((notice.key, notice.revision))
        self._taken.clear()
        held_back = sum(said.held for said in ledger.values()) - place.held
        if held_back > 0:
            self._outcomes[self._channel.name, "held"] += held_back
        place.revision, place.ledger = news.last, ledger
        self._keep(place, now, told=bool(notices))
        due_s = min((patience.quiet_s for said in ledger.values() if said.held), default=_LOOK_S)
        return 0.0 if news.more else min(_LOOK_S, due_s, next_unheard_s(state, now.at, patience))

    def _said_again(self, ledger: dict[str, Said], state: State, now: Instant) -> list[Notice]:
        """What was held back for long enough is said again, and how often it has happened."""
        messages = []
        for key, said in overdue(ledger, now.at, self._terms.patience).items():
            held = self._event(said.revision)
            notice = None if held is None else notice_of(held, state, self._event)
            if notice is not None:
                messages.append(again(notice, said))
            ledger[key] = Said(now.at)
        return messages

    def _still_gathers(self, place: Place, now: Instant) -> bool:
        """Whether others of a burst are still waited for, by what has come since the last look: nothing before it is
        looked at again for that."""
        if not self._burst.lasts(now.elapsed_s):
            return False
        rows = self._runtime.journal(after=self._burst.read_to, limit=_ROWS)
        to = rows[-1].revision if rows else self._burst.read_to
        state = self._runtime.state()
        made = (notice_of(each, state, self._event) for each in _recorded(rows, self._urgent.__contains__))
        if to - place.revision >= _ROWS or any(
            each is not None and each.urgent and self._channel.wants(each) for each in made
        ):
            return False
        self._burst.read_to = to
        return True

    def _event(self, revision: int) -> Recorded | None:
        rows = self._runtime.journal(after=revision - 1, limit=1)
        return event_of(rows[0]) if rows and rows[0].revision == revision and rows[0].body else None

    # -------------------------------------------------------------------------------------------------- sending
    def _send(self, notifier: Notifier, message: Message) -> str:
        """Why it was not taken, and is to be said again; empty where it was, or never will be."""
        called = self._calls.make(notifier, message)
        self._count(called.outcome)
        if called.is_to_be_said_again:
            return called.why
        if called.outcome == "refused":
            _log.error("a channel refuses a message", extra={"channel": self._channel.name, "fault": called.why})
        self._recovered()
        return ""

    def _count(self, outcome: str) -> None:
        self._outcomes[self._channel.name, outcome] += 1

    def _failed(self, place: Place, why: str, now: Instant, outcome: str = "") -> float:
        if outcome:
            self._count(outcome)
        if not self.trouble.failures:
            place.failing_since = now.at
            _log.error("a channel does not take what it is told", extra={"channel": self._channel.name, "fault": why})
        wait_s = self.trouble.grows(why, now.elapsed_s)
        self._write(place, now)
        return wait_s

    def _recovered(self) -> None:
        if self.trouble.ends():
            _log.warning("a channel takes what it is told again", extra={"channel": self._channel.name})

    # ------------------------------------------------------------------------------------ how far it has been told
    def _begun(self, now: Instant) -> Place:
        """Where it stands. A new channel is told from now on."""
        name = cursor_name(self._channel.name)
        for cursor in self._runtime.store.cursors():
            if cursor.name == name:
                return Place.of(cursor)
        place = Place(self._runtime.state().revision)
        self._write(place, now)
        return place

    def _keep(self, place: Place, now: Instant, *, told: bool) -> None:
        if place.is_due(now.elapsed_s, told=told):
            place.failing_since = None
            self._write(place, now)

    def _write(self, place: Place, now: Instant) -> None:
        cursor = place.cursor(self._channel.name, now.at, self.trouble.why, self.trouble.failures)
        if not self._runtime.advance(cursor, place.written, self._leadership.lease()):
            self._place = None  # somebody else has told it meanwhile: look where it stands
        place.written, place.written_s = place.revision, now.elapsed_s


def _recorded(rows: Sequence[Row], wants: Callable[[str], bool]) -> list[Recorded]:
    return [event_of(row) for row in rows if row.body and wants(row.kind)]
