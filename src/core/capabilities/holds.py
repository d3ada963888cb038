"""Holds: placing is cheap, releasing is dear.

Placing is one step, idempotent, and never refused for a stale revision. Releasing names what it releases, carries a
reason and is refused when the state moved; an operator releases operator holds of exactly the selector named, whoever
placed them; another source's hold needs force; automation releases only its own; an emergency's ends by recovery only.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from core.capabilities.names import require_known, touched
from core.engine import Draft, decides, evolves, only_system
from core.errors import CommandRejected, NotPermitted, RevisionConflict
from core.messages import Command, FreeText, Header, HoldEvent, Identifier, Moment, SelectorField, command, event
from core.state import State
from opsgate.hold import AUTOMATIC_SOURCES, DRAIN, HALT, LIMIT_SOURCE, Hold, Mode, Source
from opsgate.selector import Selector, scope_text

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Selectors = Annotated[tuple[SelectorField, ...], Field(min_length=1, max_length=10_000)]


@command
class PlaceHold(Command):
    """Hold the work that these selectors select, one hold each in one transaction.

    ``owner`` is the person, rule or dependency inside the source; a person's holds are always their own.
    """

    kind: Literal["place-hold"] = "place-hold"
    selectors: Selectors
    source: Source = "operator"
    owner: Identifier | None = None
    reason: FreeText = ""
    mode: Mode = "drain"
    expires_at: Moment | None = None
    admit: Share = 0.0
    create: bool = False


@command
class ReleaseHolds(Command):
    """Release holds with exactly these selectors: all operators' by default, other sources' with force, or one by id.

    ``source`` and ``owner`` are for automation: which of its own holds it ends.
    """

    kind: Literal["release-holds"] = "release-holds"
    selectors: Selectors
    reason: FreeText
    hold_id: str | None = None
    source: Source = "operator"
    owner: Identifier | None = None
    force: bool = False

    @property
    def lets_run(self) -> bool:
        """What was held may run."""
        return True


@command
class ExpireHolds(Command):
    """End the holds whose time has come, by the keeper's clock; mark those that fell due while no keeper watched.

    ``watched_until`` is when the keeper last looked: it may have been frozen since, and what has fallen due meanwhile
    is left to its next look. None: it looks now.
    """

    kind: Literal["expire-holds"] = "expire-holds"
    watched_until: Moment | None = None


@event
class HoldPlaced(HoldEvent):
    """A hold came into force."""

    kind: Literal["hold.placed"] = "hold.placed"
    selector: SelectorField
    source: Source
    owner: str
    reason: str = ""
    mode: Mode = "drain"
    expires_at: Moment | None = None
    admit: float = 0.0


@event
class HoldChanged(HoldEvent):
    """A hold in force became stronger, or ramps: its mode, expiry, admitted share or reason is another now."""

    kind: Literal["hold.changed"] = "hold.changed"
    mode: Mode
    expires_at: Moment | None
    admit: float
    reason: str


@event
class HoldReleased(HoldEvent):
    """A hold was ended by someone who may."""

    kind: Literal["hold.released"] = "hold.released"
    reason: str
    forced: bool = False


@event
class HoldExpired(HoldEvent):
    """A hold ended because its time had come while a keeper watched."""

    kind: Literal["hold.expired"] = "hold.expired"


@event
class HoldExpiryMissed(HoldEvent):
    """A hold's expiry fell due while no keeper watched, or it is an alert's of which nothing was heard for too long: it
    stays in force until a person releases it."""

    kind: Literal["hold.expiry-missed"] = "hold.expiry-missed"


@decides(PlaceHold)
def place_hold(draft: Draft, wanted: PlaceHold) -> None:
    """Place each hold, or find it there already."""
    owner = _owner(draft, wanted)
    if wanted.expires_at is not None and wanted.expires_at <= draft.now:
        raise CommandRejected(
            "time-in-the-past", "the end of the pause lies in the past", "give a later --until or --for"
        )
    require_known(draft, wanted.selectors, create=wanted.create)
    for selector in dict.fromkeys(wanted.selectors):
        place(
            draft,
            selector,
            source=wanted.source,
            owner=owner,
            reason=wanted.reason,
            mode=wanted.mode,
            expires_at=wanted.expires_at,
            admit=wanted.admit,
        )
    draft.scope = wanted.selectors


@decides(ReleaseHolds)
def release_holds(draft: Draft, wanted: ReleaseHolds) -> None:
    """Release what is named, say whose it was, and leave everything else in force."""
    require_reason(wanted.reason)
    require_unmoved(draft)
    _refuse_limit(wanted)
    for selector in dict.fromkeys(wanted.selectors):
        for hold in draft.state.holds_on(selector):
            if _to_release(draft, wanted, hold):
                release(draft, hold, wanted.reason, forced=wanted.force and hold.source != "operator")
                draft.notes.append(f"{hold.hold_id} was placed by {hold.source} {hold.owner}")
    if wanted.hold_id is not None and wanted.hold_id not in draft.hold_ids:
        draft.notes.append(f"{wanted.hold_id} is not in force on {scope_text(wanted.selectors)}")
    elif not draft.hold_ids:
        draft.notes.append(f"nothing to release on {scope_text(wanted.selectors)}")
    draft.scope = wanted.selectors


@decides(ExpireHolds)
def expire_holds(draft: Draft, wanted: ExpireHolds) -> None:
    """Expiry is decided here and nowhere else; what fell due unwatched is shown, not done. So is what an alert holds:
    one that says nothing any more has not said that it is over."""
    only_system(draft, "expiring holds")
    watched_since = draft.facts.keeper_since or draft.now
    watched_until = min(draft.now, wanted.watched_until or draft.now)
    due = [(h.expires_at, h.revision, h) for h in draft.state.holds.values() if h.expires_at and not h.overdue]
    for expires_at, _, hold in sorted(due, key=lambda entry: entry[:2]):
        if expires_at <= watched_until:
            ends = expires_at >= watched_since and hold.source != "alert"
            draft.emit(HoldExpired(hold_id=hold.hold_id) if ends else HoldExpiryMissed(hold_id=hold.hold_id))
            draft.hold_ids.append(hold.hold_id)


@evolves(HoldPlaced)
def hold_placed(state: State, happened: HoldPlaced, header: Header) -> State:
    """Fold."""
    hold = Hold(
        happened.hold_id,
        happened.selector,
        happened.source,
        happened.owner,
        happened.reason,
        happened.mode,
        placed_at=header.at,
        expires_at=happened.expires_at,
        admit=happened.admit,
        correlation_id=header.correlation_id,
        revision=header.revision,
    )
    return _marked(state.with_hold(hold), hold, header)


@evolves(HoldChanged)
def hold_changed(state: State, happened: HoldChanged, header: Header) -> State:
    """Fold. With another expiry, one that was missed is missed no longer."""
    known = state.holds[happened.hold_id]
    return state.with_hold(
        replace(
            known,
            mode=happened.mode,
            expires_at=happened.expires_at,
            admit=happened.admit,
            reason=happened.reason,
            overdue=known.overdue and happened.expires_at == known.expires_at,
            revision=header.revision,
        )
    )


@evolves(HoldReleased, HoldExpired)
def hold_ended(state: State, happened: HoldEvent, header: Header) -> State:
    """Fold."""
    hold = state.holds[happened.hold_id]
    return _marked(state.without_hold(hold.hold_id, header.revision), hold, header)


@evolves(HoldExpiryMissed)
def hold_expiry_missed(state: State, happened: HoldExpiryMissed, header: Header) -> State:
    """Fold."""
    return state.with_hold(replace(state.holds[happened.hold_id], overdue=True, revision=header.revision))


def place(
    draft: Draft,
    selector: Selector,
    *,
    source: Source,
    owner: str,
    reason: str = "",
    mode: Mode = DRAIN,
    expires_at: datetime | None = None,
    admit: float = 0.0,
) -> str:
    """Place one hold and return its id. The same hold again (source, owner, selector) keeps its id: what is stronger
    strengthens it, what is weaker changes nothing and says so."""
    known = next((h for h in draft.state.holds_on(selector) if (h.source, h.owner) == (source, owner)), None)
    if known is None:
        hold_id = f"H-{draft.next_revision}"
        draft.emit(
            HoldPlaced(
                hold_id=hold_id,
                selector=selector,
                source=source,
                owner=owner,
                reason=reason,
                mode=mode,
                expires_at=expires_at,
                admit=admit,
            )
        )
    else:
        hold_id = known.hold_id
        strengthen(draft, known, mode=mode, expires_at=expires_at, admit=admit, reason=reason)
    draft.hold_ids.append(hold_id)
    return hold_id


def strengthen(
    draft: Draft, hold: Hold, *, mode: Mode, expires_at: datetime | None, admit: float, reason: str = ""
) -> None:
    """Make a hold as strong as asked, in each respect in which it is weaker: halt, a later or no end, a lower share."""
    stronger: Mode = HALT if HALT in {mode, hold.mode} else DRAIN
    later, lower = _later(hold.expires_at, expires_at), min(hold.admit, admit)
    wanted, now, after = (mode, expires_at, admit), (hold.mode, hold.expires_at, hold.admit), (stronger, later, lower)
    if after != now:
        draft.emit(
            HoldChanged(
                hold_id=hold.hold_id, mode=stronger, expires_at=later, admit=lower, reason=reason or hold.reason
            )
        )
    if wanted == now:
        draft.notes.append(f"{hold.hold_id} is in force already")
    elif wanted != after:
        draft.notes.append(f"{hold.hold_id} is in force and stronger than this; placing again weakens nothing")


def release(draft: Draft, hold: Hold, reason: str, *, forced: bool = False) -> None:
    """End one hold; whether it may be ended has been decided."""
    draft.emit(HoldReleased(hold_id=hold.hold_id, reason=reason, forced=forced))
    draft.hold_ids.append(hold.hold_id)


def require_unmoved(draft: Draft) -> None:
    """Refuse a release when what may run has changed since its sender looked. Stops never call this."""
    expected, state = draft.expected_revision, draft.state
    if expected is None or state.control_revision <= expected <= state.revision:
        return
    if expected > state.revision:
        found = f"this journal ends at {state.revision}"  # an older copy of the database was put back
    else:
        found = f"holds changed at {state.control_revision}"
    raise RevisionConflict(
        "state-moved", f"the state moved: you looked at revision {expected}, {found}", "look again, then decide again"
    )


def require_reason(reason: str) -> None:
    """Refuse a release without a reason."""
    if not reason.strip():
        raise CommandRejected("reason-needed", "a release needs a reason", "say it with --reason")


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """No expiry is the latest of all."""
    return None if one is None or other is None else max(one, other)


def _owner(draft: Draft, wanted: PlaceHold) -> str:
    """Whose hold it will be; refuses a person another source's hold, and automation a person's."""
    kind = draft.actor.kind
    if wanted.source == "emergency":
        raise NotPermitted("source-not-yours", "an emergency's holds are placed by its stop", "order a stop")
    if kind == "person" and wanted.source != "operator":
        raise NotPermitted("source-not-yours", f"a person places operator holds, not {wanted.source} holds")
    if kind == "automation" and wanted.source not in AUTOMATIC_SOURCES:
        raise NotPermitted("source-not-yours", f"automation places its own holds, not {wanted.source} holds")
    return draft.actor.name if kind == "person" else wanted.owner or draft.actor.name


def _to_release(draft: Draft, wanted: ReleaseHolds, hold: Hold) -> bool:
    """Whether this release ends this hold; raises where the sender named it and may not end it."""
    named = wanted.hold_id is not None
    if named and hold.hold_id != wanted.hold_id:
        return False
    if draft.actor.kind != "person":
        own = (hold.source, hold.owner) == (wanted.source, wanted.owner or draft.actor.name)
        if named and not (own and hold.source in AUTOMATIC_SOURCES):
            raise NotPermitted("not-its-own", f"automation releases its own holds, {hold.hold_id} is {_whose(hold)}")
        return own and hold.source in AUTOMATIC_SOURCES
    if hold.source == "emergency" and (named or wanted.force):
        raise NotPermitted(
            "emergency-hold",
            f"{hold.hold_id} belongs to emergency {hold.owner}",
            f"it ends by recovery only: opsconsole recover {hold.owner} --reason WHY",
        )
    if hold.source == "operator":
        return True
    if named and not wanted.force:
        raise NotPermitted(
            "other-source", f"{hold.hold_id} is {_whose(hold)}", "say --force to release it, over HTTP force: true"
        )
    return wanted.force


def _refuse_limit(wanted: ReleaseHolds) -> None:
    """What `why` shows for a limit of zero looks like a hold and is none."""
    prefix, _, name = (wanted.hold_id or "").partition(":")
    if prefix == LIMIT_SOURCE:
        raise CommandRejected(
            "limit-of-zero",
            f"{wanted.hold_id} is a limit of zero, no hold",
            f"raise it: opsconsole limits set {name} UNITS",
        )


def _whose(hold: Hold) -> str:
    return f"a {hold.source} hold of {hold.owner}"


def _marked(state: State, hold: Hold, header: Header) -> State:
    """Mark the one name that a hold switches as changed: S2 shows when, and by whom."""
    if len(hold.selector.items) != 1:
        return state
    dimension, name = hold.selector.items[0]
    return touched(state, dimension, name, header)


def selectors_of(dimension: str, names: tuple[str, ...]) -> tuple[Selector, ...]:
    """One selector for each name of a dimension."""
    return tuple(Selector.from_mapping({dimension: name}) for name in names)
