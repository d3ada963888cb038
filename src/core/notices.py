"""Notices: what people are told of what happened, as a pure function of the journal.

An event becomes a notice or none, in words that need nothing else to be understood. Notices of one key are about one
thing; when each is said, `core.telling` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeVar

from core.capabilities.conclusion import StopConcluded
from core.capabilities.course import (
    EmergencyEnded,
    RecoveryAborted,
    RecoveryFailed,
    RecoveryHeld,
    RecoveryRolledBack,
    RecoveryStarted,
    RecoveryTurnedBack,
)
from core.capabilities.emergencies import EmergencyJoined, EmergencyOpened, StopEscalated
from core.capabilities.holds import HoldExpired, HoldExpiryMissed, HoldPlaced, HoldReleased
from core.capabilities.ownership import EmergencyAcknowledged
from core.capabilities.rate_limits import LimitChanged, LimitDefined, LimitReset
from core.messages import Event, Recorded
from core.state import State, flag_name
from opsgate.hold import timestamp
from opsgate.selector import Selector, scope_text

Severity = Literal["info", "success", "warning", "critical"]
Topic = Literal["emergency", "recovery", "attention", "pause", "flag", "limit", "test"]

TOPICS: Final[tuple[Topic, ...]] = ("emergency", "recovery", "attention", "pause", "flag", "limit")
"""What a channel can be told of; without a choice of its own it is told of all."""

MAY_WAIT: Final[frozenset[Topic]] = frozenset({"flag", "limit"})
"""Topics that may wait for others of a burst. An event that is said under no other topic is never urgent."""

LINES: Final = 20
"""Lines of one message at most."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that people are told. ``about`` says which case it belongs to, ``revision`` is that of its event.
    ``channels`` are told of it beside those that are told of everything."""

    topic: Topic
    about: str
    title: str
    body: str
    severity: Severity
    at: datetime
    revision: int
    channels: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What it is about: notices of the same key follow on from each other."""
        return f"{self.topic}/{self.about}"

    @property
    def urgent(self) -> bool:
        """Whether it may not wait for others, nor be held back."""
        return self.severity == "critical" or self.topic not in MAY_WAIT


Find = Callable[[int], Recorded | None]
"""The event of a revision, as far as the journal still has it."""


# ------------------------------------------------------------------------------------------------ event → notice
@dataclass(frozen=True, slots=True)
class _Happened:
    """An event with what is needed to say it in words."""

    recorded: Recorded
    state: State
    find: Find

    def notice(self, topic: Topic, about: str, title: str, body: str, severity: Severity) -> Notice:
        header = self.recorded.header
        by = f"by {header.actor.name} ({header.door}) at {time_of(header.at)}"
        text = f"{body}\n{by}" if body else by
        channels = self._channels(about)
        return Notice(topic, about, plain(title), text_of(text), severity, header.at, header.revision, channels)

    def _channels(self, about: str) -> tuple[str, ...]:
        """Those that the trigger names which fired the emergency that it is about."""
        emergency = self.state.emergencies.get(about)
        trigger = None if emergency is None else self.state.triggers.get(emergency.trigger)
        return () if trigger is None else trigger.definition.notification_channels

    def placed(self, hold_id: str) -> HoldPlaced | None:
        """How a hold was placed: its id ends in the revision of that event."""
        number = hold_id.rpartition("-")[2]
        found = self.find(int(number)) if number.isdigit() else None
        return found.event if found is not None and isinstance(found.event, HoldPlaced) else None


MakerT = TypeVar("MakerT", bound=Callable[..., Notice | None])

_MAKERS: dict[type[Event], Callable[..., Notice | None]] = {}
_TOPICS: dict[str, frozenset[Topic]] = {}
"""Kind of event → the topics under which something may be said of it."""


def says(*classes: type[Event], under: Sequence[Topic]) -> Callable[[MakerT], MakerT]:
    """Register how an event, or several, are said, and under which topics."""

    def register(maker: MakerT) -> MakerT:
        _MAKERS.update(dict.fromkeys(classes, maker))
        _TOPICS.update((cls.model_fields["kind"].default, frozenset(under)) for cls in classes)
        return maker

    return register


def kinds_under(topics: Collection[Topic]) -> frozenset[str]:
    """The kinds of event of which something may be said under these topics: of others there is nothing to read."""
    return frozenset(kind for kind, under in _TOPICS.items() if not under.isdisjoint(topics))


def notice_of(recorded: Recorded, state: State, find: Find) -> Notice | None:
    """What people are told of an event, or None. ``state`` is one that has it, this or any later one."""
    maker = _MAKERS.get(type(recorded.event))
    notice = None if maker is None else maker(_Happened(recorded, state, find), recorded.event)
    assert notice is None or notice.topic in _TOPICS[recorded.event.kind], "it is said under a topic of its kind"
    return notice


@says(EmergencyOpened, under=("emergency",))
def _opened(here: _Happened, happened: EmergencyOpened) -> Notice:
    title = f"EMERGENCY {happened.emergency_id}: {happened.level} stop of {scope_of(happened.selectors)}"
    cause = f"fired by trigger {happened.trigger}: {happened.cause}" if happened.trigger else ""
    body = "; ".join(filter(None, (cause, happened.reason))) or "no reason given"
    return here.notice("emergency", happened.emergency_id, title, body, "critical")


@says(EmergencyJoined, under=("emergency",))
def _joined(here: _Happened, happened: EmergencyJoined) -> Notice:
    title = f"EMERGENCY {happened.emergency_id} has grown: {happened.level} stop of {scope_of(happened.selectors)}"
    return here.notice("emergency", happened.emergency_id, title, "", "critical")


@says(StopConcluded, under=("emergency", "attention"))
def _concluded(here: _Happened, happened: StopConcluded) -> Notice:
    stop = here.state.stops.get(happened.stop_id)
    about = happened.stop_id if stop is None else stop.emergency_id
    counted = f"{len(happened.acked)} of {len(happened.acked) + len(happened.missing)} have stopped"
    if happened.result == "verified":
        return here.notice("emergency", about, f"stop {happened.stop_id} is verified", counted, "success")
    missing = f"{counted}; MISSING: {', '.join(happened.missing[:LINES])}"
    title = f"stop {happened.stop_id} is {happened.result.upper()}: look at what is missing"
    return here.notice("attention", about, title, missing, "critical")


@says(StopEscalated, under=("emergency",))
def _escalated(here: _Happened, happened: StopEscalated) -> Notice:
    stop = here.state.stops.get(happened.stop_id)
    about = happened.stop_id if stop is None else stop.emergency_id
    title = f"stop {happened.stop_id} is {happened.level} now"
    return here.notice("emergency", about, title, "its budget was used up, or a harder stop covers it", "warning")


@says(EmergencyAcknowledged, under=("emergency",))
def _acknowledged(here: _Happened, happened: EmergencyAcknowledged) -> Notice:
    title = f"{here.recorded.header.actor.name} knows of {happened.emergency_id}"
    return here.notice("emergency", happened.emergency_id, title, happened.note, "info")


@says(RecoveryStarted, under=("recovery",))
def _started(here: _Happened, happened: RecoveryStarted) -> Notice:
    by_itself = " by itself" if happened.automatic else ""
    title = (
        f"recovery of {happened.emergency_id} has begun{by_itself}: {happened.procedure}, {len(happened.steps)} steps"
    )
    return here.notice("recovery", happened.emergency_id, title, happened.reason, "info")


@says(RecoveryHeld, under=("recovery",))
def _held_on(here: _Happened, happened: RecoveryHeld) -> Notice:
    title = f"recovery of {happened.emergency_id} waits at its step for somebody to continue it"
    return here.notice("recovery", happened.emergency_id, title, happened.reason, "warning")


@says(RecoveryFailed, RecoveryAborted, under=("recovery",))
def _turned_back(here: _Happened, happened: RecoveryTurnedBack) -> Notice:
    title = f"recovery of {happened.emergency_id} is turned back at step {happened.step + 1}: {happened.why}"
    severity: Severity = "critical" if isinstance(happened, RecoveryFailed) else "warning"
    return here.notice("recovery", happened.emergency_id, title, "\n".join(happened.checks[:LINES]), severity)


@says(RecoveryRolledBack, under=("attention",))
def _rolled_back(here: _Happened, happened: RecoveryRolledBack) -> Notice:
    title = f"recovery of {happened.emergency_id} did not succeed: manual intervention needed"
    left = f"; STILL RUNNING: {', '.join(happened.left[:LINES])}" if happened.left else ""
    return here.notice("attention", happened.emergency_id, title, f"{happened.why}{left}", "critical")


@says(EmergencyEnded, under=("recovery",))
def _ended(here: _Happened, happened: EmergencyEnded) -> Notice:
    title = f"emergency {happened.emergency_id} has ended: its work may run again"
    return here.notice("recovery", happened.emergency_id, title, happened.reason, "success")


@says(HoldPlaced, under=("pause", "flag"))
def _placed(here: _Happened, happened: HoldPlaced) -> Notice | None:
    what = _held(happened)
    if what is None:
        return None
    topic, about, name = what
    severity: Severity = "critical" if happened.source == "safety" else "warning"
    until = f"until {time_of(happened.expires_at)}" if happened.expires_at else ""
    body = "; ".join(filter(None, (happened.reason or "no reason given", until)))
    verb = "is off" if topic == "flag" else f"is PAUSED ({happened.mode})"
    return here.notice(topic, about, f"{name} {verb}", body, severity)


@says(HoldReleased, HoldExpired, under=("pause", "flag"))
def _released(here: _Happened, happened: HoldReleased | HoldExpired) -> Notice | None:
    placed = here.placed(happened.hold_id)
    what = None if placed is None else _held(placed)
    if what is None:
        return None
    topic, about, name = what
    body = happened.reason if isinstance(happened, HoldReleased) else "its time had come"
    verb = "is on again" if topic == "flag" else "is not paused any more"
    return here.notice(topic, about, f"{name} {verb}", body, "info")


@says(HoldExpiryMissed, under=("attention",))
def _missed(here: _Happened, happened: HoldExpiryMissed) -> Notice:
    placed = here.placed(happened.hold_id)
    scope = scope_of((placed.selector,)) if placed is not None else happened.hold_id
    why = "fell due while no keeper watched"
    if placed is not None and placed.source == "alert":
        why = f"is alert {placed.owner}'s, of which nothing was heard for long"
    title = f"the pause of {scope} {why}, and holds on"
    return here.notice("attention", happened.hold_id, title, "release it, if it is meant to end", "warning")


@says(LimitDefined, LimitChanged, under=("limit",))
def _limit(here: _Happened, happened: LimitDefined | LimitChanged) -> Notice:
    title = f"limit {happened.name} is {happened.limit} in {happened.window_s:g} s now"
    stopped = happened.limit == 0
    return here.notice("limit", happened.name, title, "nothing runs on it" if stopped else "", "warning")


@says(LimitReset, under=("limit",))
def _reset(here: _Happened, happened: LimitReset) -> Notice:
    return here.notice("limit", happened.name, f"what was used of limit {happened.name} counts no more", "", "info")


def _held(placed: HoldPlaced) -> tuple[Topic, str, str] | None:
    """Topic, key and name of a hold that people are told of: global pauses, and switches of flags."""
    if not placed.selector.items and placed.source != "emergency":
        return "pause", "all", "everything"
    if placed.source == "flag":
        name = flag_name(placed.owner)
        return "flag", name, f"flag {name}"
    return None


def scope_of(selectors: Iterable[Selector]) -> str:
    """What a stop or a pause is about, in a title."""
    text = scope_text(tuple(selectors))
    return "everything" if text == "all" else text


# ---------------------------------------------------------------------------------------------------------- text
def time_of(at: datetime) -> str:
    """A time as people read it, to the second."""
    return f"{timestamp(at)[:19]}Z"


def plain(text: str, at_most: int = 200) -> str:
    """A text of strangers as one line that moves no cursor and forges no other line."""
    if not text.isprintable():  # nearly all are: letter by letter takes a hundred times as long
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= at_most else f"{text[: at_most - 1]}…"


def text_of(text: str) -> str:
    """The same, line by line."""
    return "\n".join(plain(line, 1000) for line in text.split("\n"))
