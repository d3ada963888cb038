"""Notices: what people are told of what happened, as a pure function of the journal.

An event becomes a notice or none. Notices of one key are about one thing: of a burst they are said together, and what
is said again within a while is held back and counted. What is urgent is never held back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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
from core.state import Emergency, State, flag_name
from opsgate.hold import timestamp
from opsgate.selector import Selector, scope_text

Severity = Literal["info", "success", "warning", "critical"]
Topic = Literal["emergency", "recovery", "attention", "pause", "flag", "limit", "test"]

TOPICS: Final[tuple[Topic, ...]] = ("emergency", "recovery", "attention", "pause", "flag", "limit")
"""What a channel can be told of; without a choice of its own it is told of all."""

BURST: Final = 5
"""Messages that are said one by one at most; of more that are not urgent, one says it all."""

LINES: Final = 20
"""Lines of one message at most."""

_RANK: Final[Mapping[Severity, int]] = {"info": 0, "success": 1, "warning": 2, "critical": 3}


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
        return self.severity == "critical" or self.topic not in ("flag", "limit")


@dataclass(frozen=True, slots=True)
class Said:
    """When something was said last, how much of it has been held back since, and the last event of that."""

    at: datetime
    held: int = 0
    revision: int = 0


Ledger = Mapping[str, Said]
"""Key → what a channel was told of it."""

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
        by = f"by {header.actor.name} ({header.door}) at {_time(header.at)}"
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
    title = f"EMERGENCY {happened.emergency_id}: {happened.level} stop of {_scope(happened.selectors)}"
    cause = f"fired by trigger {happened.trigger}: {happened.cause}" if happened.trigger else ""
    body = "; ".join(filter(None, (cause, happened.reason))) or "no reason given"
    return here.notice("emergency", happened.emergency_id, title, body, "critical")


@says(EmergencyJoined, under=("emergency",))
def _joined(here: _Happened, happened: EmergencyJoined) -> Notice:
    title = f"EMERGENCY {happened.emergency_id} has grown: {happened.level} stop of {_scope(happened.selectors)}"
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
    until = f"until {_time(happened.expires_at)}" if happened.expires_at else ""
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
    scope = _scope((placed.selector,)) if placed is not None else happened.hold_id
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


def _scope(selectors: Iterable[Selector]) -> str:
    text = scope_text(tuple(selectors))
    return "everything" if text == "all" else text


# ----------------------------------------------------------------------------------------------------- escalation
@dataclass(frozen=True, slots=True)
class Patience:
    """``escalate_s``: seconds for which an emergency may go without anybody acknowledging it; ``repeat_s``: between two
    tellings of what still is so; ``quiet_s``: for which what is not urgent is not said again."""

    escalate_s: float = 300.0
    repeat_s: float = 3600.0
    quiet_s: float = 300.0


def unheard(state: State, ledger: Ledger, now: datetime, patience: Patience) -> list[Notice]:
    """The emergencies that nobody has acknowledged for too long, each again after a while."""
    found = []
    for each in state.active_emergencies():
        said = ledger.get(f"attention/{each.emergency_id}/unheard")
        waited_s = (now - each.opened_at).total_seconds()
        again = said is None or (now - said.at).total_seconds() >= patience.repeat_s
        if _is_unheard(each) and waited_s >= patience.escalate_s and again:
            title = f"NOBODY has acknowledged {each.emergency_id} for {round(waited_s / 60)} min"
            body = f"{each.level} stop of {_scope(each.selectors)}, opened {_time(each.opened_at)} by {each.opened_by}"
            about = f"{each.emergency_id}/unheard"
            found.append(Notice("attention", about, plain(title), text_of(body), "critical", now, state.revision))
    return found


def next_unheard_s(state: State, now: datetime, patience: Patience) -> float:
    """Seconds until an emergency that nobody has acknowledged may be due; infinity where there is none."""
    waits = (
        each.opened_at + timedelta(seconds=patience.escalate_s) - now
        for each in state.active_emergencies()
        if _is_unheard(each)
    )
    return max(1.0, min((wait.total_seconds() for wait in waits), default=float("inf")))


def _is_unheard(emergency: Emergency) -> bool:
    return emergency.acked_at is None


# ------------------------------------------------------------------------------------------------------- grouping
def settle(
    notices: Sequence[Notice], ledger: Ledger, now: datetime, patience: Patience
) -> tuple[list[Notice], dict[str, Said]]:
    """What is said now of these, oldest first, and the ledger after that.

    Notices of one key become one. What is not urgent and was said less than ``quiet_s`` ago is held back and counted;
    `overdue` says when that is to be said. Of more than a few that are not urgent, one digest says it all.
    """
    after = dict(ledger)
    told: list[Notice] = []
    for group in _by_key(notices):
        said, last = after.get(group[-1].key), group[-1]
        if said is not None and not last.urgent and (now - said.at).total_seconds() < patience.quiet_s:
            after[last.key] = replace(said, held=said.held + len(group), revision=last.revision)
        else:
            after[last.key] = Said(now)
            told.append(_together(group))
    urgent, others = [each for each in told if each.urgent], [each for each in told if not each.urgent]
    if len(others) > BURST:
        others = [digest(others)]
    return sorted([*urgent, *others], key=lambda notice: notice.revision), _kept(after, now, patience)


def overdue(ledger: Ledger, now: datetime, patience: Patience) -> dict[str, Said]:
    """What was held back and can be said now, by key."""
    return {
        key: said for key, said in ledger.items() if said.held and (now - said.at).total_seconds() >= patience.quiet_s
    }


def again(notice: Notice, said: Said) -> Notice:
    """The last notice of what was held back, with how much that was."""
    changes = f"{said.held} {'change' if said.held == 1 else 'changes'} since {_time(said.at)}"
    return replace(notice, body=f"{notice.body}\n{changes}")


def digest(notices: Sequence[Notice]) -> Notice:
    """Many as one."""
    last = notices[-1]
    lines = [each.title for each in notices[:LINES]]
    if len(notices) > LINES:
        lines.append(f"and {len(notices) - LINES} more")
    severity = max((each.severity for each in notices), key=_RANK.__getitem__)
    return replace(last, title=f"{len(notices)} changes", body="\n".join(lines), severity=severity)


def _by_key(notices: Iterable[Notice]) -> list[list[Notice]]:
    groups: dict[str, list[Notice]] = {}
    for notice in notices:
        groups.setdefault(notice.key, []).append(notice)
    return list(groups.values())


def _together(group: Sequence[Notice]) -> Notice:
    """What happened to one thing: the last of it is the title, behind the worst where that was critical."""
    last = group[-1]
    if len(group) == 1:
        return last
    worst = max(group, key=lambda each: _RANK[each.severity])
    before = [f"{_time(each.at)} {each.title}" for each in group[:-1]]
    left_out = [f"({len(before) - LINES} more)"] if len(before) > LINES else []
    body = "\n".join([last.body, "before that:", *left_out, *before[-LINES:]])
    hides = worst.severity == "critical" and last.severity != "critical"
    title = plain(f"{worst.title}; now: {last.title}") if hides else last.title
    return replace(last, title=title, body=body, severity=worst.severity if hides else last.severity)


def _kept(ledger: Mapping[str, Said], now: datetime, patience: Patience) -> dict[str, Said]:
    """Without what is so long ago that it says nothing any more."""
    longest = timedelta(seconds=2 * max(patience.quiet_s, patience.repeat_s))
    return {key: said for key, said in ledger.items() if said.held or now - said.at < longest}


# ---------------------------------------------------------------------------------------------------------- text
def _time(at: datetime) -> str:
    """A time as people read it, to the second."""
    return f"{timestamp(at)[:19]}Z"


def plain(text: str, at_most: int = 200) -> str:
    """A text of strangers as one line that moves no cursor and forges no other line."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return shown if len(shown) <= at_most else f"{shown[: at_most - 1]}…"


def text_of(text: str) -> str:
    """The same, line by line."""
    return "\n".join(plain(line, 1000) for line in text.split("\n"))
