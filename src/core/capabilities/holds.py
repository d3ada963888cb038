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
from core.messages import Command, Event, FreeText, Header, Identifier, Mode, Moment, SelectorField, command, event
from core.state import State
from opsgate.hold import AUTOMATIC_SOURCES, HALT, Hold
from opsgate.selector import Selector, scope_text

Source = Literal[
    "operator",
    "emergency",
    "trigger",
    "breaker",
    "schedule",
    "alert",
    "file",
    "signal",
    "flag",
    "workflow",
    "safety",
]
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
    """Release holds with exactly these selectors: the operators' by default, other sources' with force, or one by id."""

    kind: Literal["release-holds"] = "release-holds"
    selectors: Selectors
    reason: FreeText
    hold_id: str | None = None
    source: Source = "operator"
    owner: Identifier | None = None
    force: bool = False


@command
class ExpireHolds(Command):
    """End the holds whose time has come, by the keeper's clock; mark those that fell due while no keeper ran."""

    kind: Literal["expire-holds"] = "expire-holds"


@event
class HoldPlaced(Event):
    """A hold came into force."""

    kind: Literal["hold.placed"] = "hold.placed"
    hold_id: str
    selector: SelectorField
    source: Source
    owner: str
    reason: str = ""
    mode: Mode = "drain"
    expires_at: Moment | None = None
    admit: float = 0.0


@event
class HoldChanged(Event):
    """A hold in force became stronger, or ramps: its mode, expiry, admitted share or reason is another now."""

    kind: Literal["hold.changed"] = "hold.changed"
    hold_id: str
    mode: Mode
    expires_at: Moment | None
    admit: float
    reason: str


@event
class HoldReleased(Event):
    """A hold was ended by someone who may."""

    kind: Literal["hold.released"] = "hold.released"
    hold_id: str
    reason: str
    forced: bool = False


@event
class HoldExpired(Event):
    """A hold ended because its time had come while a keeper watched."""

    kind: Literal["hold.expired"] = "hold.expired"
    hold_id: str


@event
class HoldExpiryMissed(Event):
    """A hold's expiry fell due while no keeper ran: it stays in force until a person releases it."""

    kind: Literal["hold.expiry-missed"] = "hold.expiry-missed"
    hold_id: str


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
        hold = Hold(
            hold_id="",
            selector=selector,
            source=wanted.source,
            owner=owner,
            reason=wanted.reason,
            mode=wanted.mode,
            expires_at=wanted.expires_at,
            admit=wanted.admit,
        )
        draft.hold_ids.append(place(draft, hold))
    draft.scope = wanted.selectors


@decides(ReleaseHolds)
def release_holds(draft: Draft, wanted: ReleaseHolds) -> None:
    """Release what is named, say whose it was, and leave everything else in force."""
    require_reason(wanted.reason)
    require_unmoved(draft)
    for selector in dict.fromkeys(wanted.selectors):
        for hold in draft.state.holds_on(selector):
            if _to_release(draft, wanted, hold):
                draft.emit(HoldReleased(hold_id=hold.hold_id, reason=wanted.reason, forced=wanted.force))
                draft.hold_ids.append(hold.hold_id)
                draft.notes.append(f"released {hold.hold_id} of {hold.source} {hold.owner}")
    if wanted.hold_id is not None and wanted.hold_id not in draft.hold_ids:
        draft.notes.append(f"{wanted.hold_id} is not in force on {scope_text(wanted.selectors)}")
    elif not draft.hold_ids:
        draft.notes.append(f"nothing to release on {scope_text(wanted.selectors)}")
    draft.scope = wanted.selectors


@decides(ExpireHolds)
def expire_holds(draft: Draft, _wanted: ExpireHolds) -> None:
    """Expiry is decided here and nowhere else; what fell due unwatched is shown, not done."""
    only_system(draft, "expiring holds")
    since = draft.facts.keeper_since or draft.now
    due = (h for h in draft.state.holds.values() if h.expires_at and h.expires_at <= draft.now and not h.overdue)
    for hold in sorted(due, key=lambda hold: (hold.expires_at or draft.now, hold.hold_id)):
        unwatched = hold.expires_at is not None and hold.expires_at < since
        draft.emit((HoldExpiryMissed if unwatched else HoldExpired)(hold_id=hold.hold_id))
        draft.hold_ids.append(hold.hold_id)


@evolves(HoldPlaced)
def hold_placed(state: State, happened: HoldPlaced, header: Header) -> State:
    """Fold."""
    hold = Hold(
        hold_id=happened.hold_id,
        selector=happened.selector,
        source=happened.source,
        owner=happened.owner,
        reason=happened.reason,
        mode=happened.mode,
        placed_at=header.at,
        expires_at=happened.expires_at,
        admit=happened.admit,
        correlation_id=header.correlation_id,
        revision=header.revision,
    )
    return _marked(state.with_hold(hold), hold, header)


@evolves(HoldChanged)
def hold_changed(state: State, happened: HoldChanged, header: Header) -> State:
    """Fold."""
    return state.with_hold(
        replace(
            state.holds[happened.hold_id],
            mode=happened.mode,
            expires_at=happened.expires_at,
            admit=happened.admit,
            reason=happened.reason,
            revision=header.revision,
        )
    )


@evolves(HoldReleased)
@evolves(HoldExpired)
def hold_ended(state: State, happened: HoldReleased | HoldExpired, header: Header) -> State:
    """Fold."""
    hold = state.holds[happened.hold_id]
    return _marked(state.without_hold(hold.hold_id, header.revision), hold, header)


@evolves(HoldExpiryMissed)
def hold_expiry_missed(state: State, happened: HoldExpiryMissed, header: Header) -> State:
    """Fold."""
    return state.with_hold(replace(state.holds[happened.hold_id], overdue=True, revision=header.revision))


def place(draft: Draft, wanted: Hold) -> str:
    """Place one hold and return its id. The same hold again (source, owner, selector) keeps its id: a stronger one
    strengthens it, a weaker one changes nothing and says so."""
    for hold in draft.state.holds_on(wanted.selector):
        if (hold.source, hold.owner) == (wanted.source, wanted.owner):
            return _strengthen(draft, hold, wanted)
    hold_id = f"H-{draft.next_revision}"
    draft.emit(
        HoldPlaced.model_construct(
            hold_id=hold_id,
            selector=wanted.selector,
            source=wanted.source,
            owner=wanted.owner,
            reason=wanted.reason,
            mode=wanted.mode,
            expires_at=wanted.expires_at,
            admit=wanted.admit,
        )
    )
    return hold_id


def require_unmoved(draft: Draft) -> None:
    """Refuse a release when what may run has changed since its sender looked. Stops never call this."""
    expected = draft.expected_revision
    if expected is not None and draft.state.control_revision > expected:
        raise RevisionConflict(
            "state-moved",
            f"the state moved: you looked at revision {expected}, holds changed at {draft.state.control_revision}",
            "look again, then decide again",
        )


def require_reason(reason: str) -> None:
    """Refuse a release without a reason."""
    if not reason.strip():
        raise CommandRejected("reason-needed", "a release needs a reason", "say it with --reason")


def _strengthen(draft: Draft, hold: Hold, wanted: Hold) -> str:
    mode = HALT if HALT in (hold.mode, wanted.mode) else hold.mode
    expires_at = _later(hold.expires_at, wanted.expires_at)
    admit = min(hold.admit, wanted.admit)
    if (mode, expires_at, admit) != (hold.mode, hold.expires_at, hold.admit):
        draft.emit(
            HoldChanged.model_construct(
                hold_id=hold.hold_id, mode=mode, expires_at=expires_at, admit=admit, reason=wanted.reason or hold.reason
            )
        )
    elif (wanted.mode, wanted.expires_at, wanted.admit) != (mode, expires_at, admit):
        draft.notes.append(f"{hold.hold_id} is in force and stronger than this; nothing changes")
    else:
        draft.notes.append(f"{hold.hold_id} is in force already")
    return hold.hold_id


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """No expiry is the latest of all."""
    return None if one is None or other is None else max(one, other)


def _owner(draft: Draft, wanted: PlaceHold) -> str:
    """Whose hold it will be; refuses a person another source's hold, and automation a person's."""
    kind = draft.actor.kind
    if kind == "person" and wanted.source != "operator":
        raise NotPermitted("source-not-yours", f"a person places operator holds, not {wanted.source} holds")
    if kind == "automation" and wanted.source not in AUTOMATIC_SOURCES:
        raise NotPermitted("source-not-yours", f"automation places its own holds, not {wanted.source} holds")
    if wanted.source == "emergency":
        raise NotPermitted("source-not-yours", "an emergency's holds are placed by its stop")
    return draft.actor.name if kind == "person" else wanted.owner or draft.actor.name


def _to_release(draft: Draft, wanted: ReleaseHolds, hold: Hold) -> bool:
    """Whether this release ends this hold; raises where the sender named it and may not end it."""
    if wanted.hold_id is not None and hold.hold_id != wanted.hold_id:
        return False
    if draft.actor.kind == "automation":
        return (hold.source, hold.owner) == (wanted.source, wanted.owner or draft.actor.name) and (
            hold.source in AUTOMATIC_SOURCES
        )
    if hold.source == "emergency":
        if wanted.hold_id or wanted.force:
            raise NotPermitted(
                "emergency-hold",
                f"{hold.hold_id} belongs to emergency {hold.owner}",
                f"it ends by recovery only: opsconsole recover {hold.owner} --reason …",
            )
        return False
    if hold.source == "operator" or wanted.force:
        return True
    if wanted.hold_id is not None:
        raise NotPermitted(
            "other-source", f"{hold.hold_id} is a {hold.source} hold of {hold.owner}", "say --force to release it"
        )
    return False


def _marked(state: State, hold: Hold, header: Header) -> State:
    """Mark the one name that a hold switches as changed: S2 shows when, and by whom."""
    if len(hold.selector.items) != 1:
        return state
    dimension, name = hold.selector.items[0]
    return touched(state, dimension, name, header)


def selectors_of(dimension: str, names: tuple[str, ...]) -> tuple[Selector, ...]:
    """One selector for each name of a dimension."""
    return tuple(Selector.from_mapping({dimension: name}) for name in names)
