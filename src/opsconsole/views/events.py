"""What happened, newest first, each event in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from opsconsole.lines import Span, Style
from opsconsole.table import Cell, Column, Row, Table
from opsconsole.text import clean
from opsconsole.views.words import clock, scope

if TYPE_CHECKING:
    from core.messages import Event, Recorded

COLUMNS = (
    Column("TIME", 8, 8, rank=0),
    Column("WHO", 6, 16, rank=2),
    Column("WHAT", 20, 160, rank=1),
    Column("REV", 5, 8, rank=3, right=True),
)

SENTENCES: dict[str, tuple[str, Style]] = {
    "fleet.created": ("fleet {e.fleet} created", Style.PLAIN),
    "name.added": ("{e.dimension} {e.name} registered", Style.PLAIN),
    "name.retitled": ("{e.dimension} {e.name} is titled {e.title}", Style.PLAIN),
    "name.removed": ("{e.dimension} {e.name} removed", Style.PLAIN),
    "hold.placed": ("{e.selector} held by {e.source} {e.owner} ({e.hold_id}): {e.reason}", Style.WARN),
    "hold.changed": ("{e.hold_id} {becomes}", Style.PLAIN),
    "hold.released": ("{e.hold_id} released: {e.reason}", Style.GOOD),
    "hold.expired": ("{e.hold_id} expired", Style.GOOD),
    "hold.expiry-missed": ("{e.hold_id} was due while no keeper watched: a person has to release it", Style.WARN),
    "limit.defined": ("limit {e.name} is {e.limit}", Style.PLAIN),
    "limit.changed": ("limit {e.name} is {e.limit} now", Style.PLAIN),
    "limit.reset": ("limit {e.name} counts from zero again", Style.PLAIN),
    "worker.registered": ("worker {e.worker_id} registered", Style.PLAIN),
    "worker.lost": ("worker {e.worker_id} LOST: no heartbeat", Style.BAD),
    "worker.returned": ("worker {e.worker_id} is back", Style.GOOD),
    "worker.left": ("worker {e.worker_id} ended on purpose", Style.PLAIN),
    "worker.forgotten": ("worker {e.worker_id} forgotten", Style.WARN),
    "stop.ordered": ("STOP {e.level} of {scope}, {listed} workers must acknowledge {e.reason}", Style.BAD),
    "stop.concluded": ("stop {e.result}: {acked}/{listed} acknowledged{missing}", Style.STRONG),
    "stop.escalated": ("stop {e.stop_id} used up its time and halts now", Style.WARN),
    "stop.explained": ("reason of the stop: {e.reason}", Style.PLAIN),
    "emergency.opened": ("{e.emergency_id} opened, {e.level}, {scope}", Style.BAD),
    "emergency.joined": ("{e.emergency_id} is {e.level} on {scope} now", Style.BAD),
    "emergency.ended": ("{e.emergency_id} recovered: {e.reason}", Style.GOOD),
    "stop.attributed": ("stop {e.stop_id} was fired by {e.trigger}: {e.cause}", Style.PLAIN),
    "emergency.acknowledged": ("{e.emergency_id} acknowledged {e.note}", Style.PLAIN),
    "emergency.owned": ("{e.emergency_id} is {e.owner}'s", Style.PLAIN),
    "service.added": ("service {e.service} registered, driven by {e.driver}", Style.PLAIN),
    "service.changed": ("service {e.service} is defined anew", Style.PLAIN),
    "service.removed": ("service {e.service} removed", Style.PLAIN),
    "service.stop-attempted": ("{e.action} of {e.service}: {e.outcome}: {e.detail}", Style.PLAIN),
    "service.observed": ("service {e.service} is {e.standing}: {e.detail}", Style.STRONG),
    "service.state-saved": ("service {e.service} saved its state", Style.PLAIN),
    "service.started": ("service {e.service} started: {e.detail}", Style.GOOD),
    "service.start-failed": ("service {e.service} did NOT start: {e.detail}", Style.BAD),
    "procedure.defined": ("procedure {e.procedure.name} defined", Style.PLAIN),
    "procedure.removed": ("procedure {e.name} removed", Style.PLAIN),
    "recovery.started": ("{e.recovery_id} of {e.emergency_id} began by {e.procedure}: {e.reason}", Style.STRONG),
    "recovery.phase-entered": ("{e.recovery_id} is in {e.phase}", Style.PLAIN),
    "recovery.step-done": ("{e.recovery_id}: step {e.step} done", Style.PLAIN),
    "recovery.waiting": ("{e.recovery_id} waits for {waits}", Style.PLAIN),
    "recovery.held": ("{e.recovery_id} held where it is: {e.reason}", Style.WARN),
    "recovery.continued": ("{e.recovery_id} goes on", Style.PLAIN),
    "recovery.failed": ("{e.recovery_id} FAILED and turns back: {e.why}", Style.BAD),
    "recovery.aborted": ("{e.recovery_id} turns back: {e.why}", Style.WARN),
    "recovery.rolled-back": ("{e.recovery_id} turned back to its end: {e.why}", Style.WARN),
    "recovery.completed": ("{e.recovery_id} completed", Style.GOOD),
    "token.created": ("token {e.token_id} made for {e.name}, {e.role}", Style.PLAIN),
    "token.revoked": ("token {e.token_id} of {e.name} revoked: {e.reason}", Style.WARN),
    "trigger.added": ("trigger {e.trigger} added", Style.PLAIN),
    "trigger.changed": ("trigger {e.trigger} changed", Style.PLAIN),
    "trigger.removed": ("trigger {e.trigger} removed", Style.WARN),
    "trigger.switched": ("trigger {e.trigger} switched {switched}", Style.WARN),
    "trigger.bounded": ("automatic stops may take {e.share} of the sites", Style.WARN),
    "trigger.evaluated": ("trigger {e.trigger} {e.result}: {e.value}", Style.PLAIN),
    "trigger.fired": ("trigger {e.trigger} FIRED {e.emergency_id}: {e.value}", Style.BAD),
    "trigger.suppressed": ("trigger {e.trigger} stops nothing ({e.why}): {e.value}", Style.WARN),
    "trigger.cleared": ("trigger {e.trigger} cleared: {e.value}", Style.GOOD),
    "account.erased": ("what {e.events} events said about an account was erased: {e.reason}", Style.WARN),
    "command.refused": ("refused {e.command}: {e.message}", Style.WARN),
}
"""One sentence for each kind of event. A kind that is missing here is shown by its name, never hidden."""


NEWS_STANDS = timedelta(seconds=8)
"""How long what is only routine leaves the line above the keys to what happened before it."""

EXPECTED = frozenset({"running", "stopping", "stopped", "starting"})
"""What services are seen to be on their way through a stop or a recovery; all else is a fault."""


def sentence(recorded: Recorded, limit: int = 200) -> tuple[str, Style]:
    """What happened, in words that are safe to show. A newline stays visible, as everywhere."""
    happened = recorded.event
    template, style = SENTENCES.get(happened.kind, (happened.kind, Style.PLAIN))
    missing = getattr(happened, "missing", ())
    said = template.format(
        e=happened,
        scope=scope(getattr(happened, "selectors", ())),
        listed=len(getattr(happened, "of", ())) or len(getattr(happened, "acked", ())) + len(missing),
        acked=len(getattr(happened, "acked", ())),
        waits=_waits(getattr(happened, "checks", ())),
        becomes=_becomes(happened),
        switched="on" if getattr(happened, "active", False) else "off",
        missing=f", MISSING {' '.join(missing)}" if missing else "",
    )
    return " ".join(clean(said, limit).split()).rstrip(":"), Style.BAD if missing else style


def _becomes(happened: Event) -> str:
    """What a hold that was changed does from then on: the share that a recovery lets through, or how it holds."""
    admit, mode = getattr(happened, "admit", 0.0), getattr(happened, "mode", "")
    if admit:
        return f"lets {admit:.0%} of the work through"
    ends_at = getattr(happened, "expires_at", None)
    return f"holds all of it: {mode}{f', until {clock(ends_at)} UTC' if ends_at else ''}"


def _waits(checks: Sequence[str]) -> str:
    """What of that which was looked at is not as it should be."""
    return "; ".join(check[5:] for check in checks if check.startswith(("[..]", "[XX]"))) or "nothing any more"


class EventRows:
    """The rows of events, newest first, each put into words when it is looked at."""

    def __init__(self, recent: Sequence[Recorded]) -> None:
        self._recent = recent

    def __len__(self) -> int:
        return len(self._recent)

    def __getitem__(self, index: int, /) -> Row:
        return _row(self._recent[-1 - index])

    def key(self, index: int) -> str:
        """The revision of one event."""
        return str(self._recent[-1 - index].revision)

    def find(self, key: str) -> int | None:
        """Where the event of a revision stands."""
        found = (at for at, recorded in enumerate(reversed(self._recent)) if str(recorded.revision) == key)
        return next(found, None)


def events(recent: Sequence[Recorded]) -> Table:
    """The table of `recent` events, given oldest first."""
    return Table(columns=COLUMNS, rows=EventRows(recent), empty="nothing has happened yet")


def news(recent: Sequence[Recorded]) -> tuple[Span, ...]:
    """What happened last, of `recent` events given oldest first, for the line above the keys."""
    if not recent:
        return ()
    recorded = _foremost(recent)
    said, style = sentence(recorded)
    return (Span(f" {clock(recorded.header.at)} "), Span(said, style))


def _foremost(recent: Sequence[Recorded]) -> Recorded:
    """The latest event, or what it follows too soon to hide it."""
    latest = recent[-1]
    for recorded in reversed(recent):
        if abs(latest.header.at - recorded.header.at) > NEWS_STANDS:
            break
        if not _is_routine(recorded.event):
            return recorded
    return latest


def _is_routine(happened: Event) -> bool:
    """Whether this comes by the dozen: a trigger's look, or what a stop or a recovery does to its services and sees of
    them as it goes, where that is no fault."""
    if happened.kind == "service.stop-attempted":
        return getattr(happened, "outcome", "") == "done"
    if happened.kind != "service.observed":
        return happened.kind == "trigger.evaluated"
    is_asked = getattr(happened, "stop_id", None) or getattr(happened, "recovery_id", None)
    return bool(is_asked) and getattr(happened, "standing", "") in EXPECTED


def _row(recorded: Recorded) -> Row:
    said, style = sentence(recorded)
    who = clean(recorded.header.actor.name, 40)
    cells = (Cell(clock(recorded.header.at)), Cell(who), Cell(said, style), Cell(str(recorded.revision)))
    return Row(str(recorded.revision), cells)
