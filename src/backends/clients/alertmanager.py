"""Alertmanager's webhook: an alert that fires holds, or stops; one that is resolved releases the hold that it placed.

What an alert is about stands in its labels: ``opsconsole_scope`` (``all`` or ``site=s1,operation=ab_testing``),
``opsconsole_action`` (``pause`` or ``stop``) and ``opsconsole_level`` of a stop. One with ``opsconsole_metric`` is a
sample for triggers. An alert without a scope places nothing. A stop is never ended by an alert. Alerts are repeated,
and a repetition is the same command again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import ConfigDict, Field

from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.messages import Command, Message
from core.state import State
from core.triggers.sample import Reported, Sample
from opsgate.order import is_level
from opsgate.selector import IDENTIFIER, Selector, SelectorError

_MOST: Final = 1000
_SCOPE, _ACTION, _LEVEL = "opsconsole_scope", "opsconsole_action", "opsconsole_level"
_METRIC, _ACCOUNT, _VALUE = "opsconsole_metric", "opsconsole_account", "value"

HOLD_MAX: Final = timedelta(hours=24)
"""For how long an alert that is not repeated keeps its hold out of question. Then it stays, and people are told."""

Texts = dict[str, str]


class Alert(Message):
    """One alert of a notification."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    status: Literal["firing", "resolved"]
    labels: Texts
    annotations: Texts = Field(default_factory=dict)
    startsAt: str  # noqa: N815 (their name)
    fingerprint: Annotated[str, Field(min_length=1, max_length=200)]


class Notification(Message):
    """The body of the webhook, version 4."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    version: Literal["4"]
    groupKey: str  # noqa: N815 (their name)
    alerts: Annotated[list[Alert], Field(max_length=_MOST)]


class Ordered(NamedTuple):
    """What an alert asks for. ``command_id`` is the same for each repetition of it; ``instead_of`` is the id of what
    may still be on its way and must not be carried out any more."""

    command_id: str
    command: Command
    instead_of: str | None = None


def sample_of(alert: Alert, at_s: float) -> Sample | None:
    """What an alert with the label ``opsconsole_metric`` says to triggers: its annotation ``value``, where that is a
    number, else 1 while it fires and 0 when it is resolved. ValueError where the label names no metric."""
    metric = alert.labels.get(_METRIC)
    if metric is None:
        return None
    try:
        value = float(alert.annotations[_VALUE])
    except (KeyError, ValueError):
        value = float(alert.status == "firing")
    said = {"metric": metric, "value": value, "account": alert.labels.get(_ACCOUNT), "source": source_of(alert)}
    one = Reported.model_validate(said)
    return Sample(one.metric, at_s, one.value, one.account, source=one.source or "")


def source_of(alert: Alert) -> str:
    """The alert as a name: its fingerprint, or a hash of one that is none."""
    return alert.fingerprint if IDENTIFIER.fullmatch(alert.fingerprint) else _hash(alert.fingerprint)


def owner_of(alert: Alert, by: str) -> str:
    """The alert, as this one brings it, as the owner of its hold. Anybody can say a fingerprint; who brought it, the
    credential says."""
    owner = f"{source_of(alert)}~{by}"
    return owner if IDENTIFIER.fullmatch(owner) else _hash(owner)


def ordered(alert: Alert, by: str, now: datetime) -> Ordered | None:
    """What an alert asks for that is brought by somebody of that name; None for one that is none of ours, or a stop
    that is resolved.

    Notifications overtake each other: the end of an alert takes the place of its beginning, so that a beginning which
    comes after it places nothing. Raises ValueError, in a sentence for whoever wrote the rule, where its labels make no
    sense.
    """
    scope, action = alert.labels.get(_SCOPE), alert.labels.get(_ACTION, "pause")
    if scope is None:
        return None
    if action not in ("pause", "stop"):
        raise ValueError(f"{_ACTION} is {ascii(action)[:60]}: write pause or stop")
    try:
        selector = Selector.parse(scope)
    except SelectorError as error:
        raise ValueError(f"{_SCOPE}: {error}") from None
    if action == "stop":
        return _stop(alert, selector) if alert.status == "firing" else None
    owner, known = owner_of(alert, by), _hash(by, alert.fingerprint, alert.startsAt)
    if alert.status == "firing":
        hold = PlaceHold(
            selectors=(selector,),
            source="alert",
            owner=owner,
            reason=_reason(alert),
            expires_at=now + HOLD_MAX,
        )
        return Ordered(f"alert-{known}", hold)
    release = ReleaseHolds(selectors=(selector,), source="alert", owner=owner, reason="the alert is resolved")
    return Ordered(f"alert-{known}-over", release, instead_of=f"alert-{known}")


def heard_again(ordered: Ordered, state: State) -> Ordered | None:
    """What keeps the hold of an alert that goes on firing from growing too old; None where it is young, or is not
    there: what has been released comes back by no repetition."""
    wanted = ordered.command
    if not isinstance(wanted, PlaceHold) or wanted.expires_at is None:
        return None
    (selector,) = wanted.selectors
    for hold in state.holds_on(selector):
        if (hold.source, hold.owner) == ("alert", wanted.owner) and hold.expires_at is not None:
            young = wanted.expires_at - hold.expires_at < HOLD_MAX / 4
            at = f"{hold.expires_at.timestamp():.0f}"
            return None if young else Ordered(f"{ordered.command_id}-{at}", wanted)
    return None


def selectors_of(command: Command) -> tuple[Selector, ...]:
    """The work that what an alert asks for is about."""
    assert isinstance(command, PlaceHold | ReleaseHolds | OrderStop), "alerts ask for nothing else"
    return command.selectors


def _stop(alert: Alert, selector: Selector) -> Ordered:
    level = alert.labels.get(_LEVEL, "immediate")
    if not is_level(level):
        raise ValueError(f"{_LEVEL} is {ascii(level)[:60]}: that is no level of a stop")
    stop_id = f"S-alert-{_hash(alert.fingerprint, alert.startsAt)}"
    return Ordered(stop_id, OrderStop(stop_id=stop_id, selectors=(selector,), level=level, reason=_reason(alert)))


def _reason(alert: Alert) -> str:
    name = alert.labels.get("alertname", "an alert")
    said: Mapping[str, Any] = alert.annotations
    why = said.get("summary") or said.get("description") or ""
    return f"{name}: {why}"[:300] if why else name[:300]


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
