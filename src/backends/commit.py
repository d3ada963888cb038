"""One command inside one transaction: what was answered before, the step, and what is written of it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from backends.floor import Mark
from backends.salts import Salts
from core.audit import Row, seal
from core.authority import Identity, authorise
from core.capabilities.emergencies import OrderStop
from core.capabilities.firing import FireTrigger
from core.capabilities.fleet import CreateFleet
from core.capabilities.holds import PlaceHold
from core.capabilities.rate_limits import LimitReset
from core.capabilities.workers import ForgetWorkers
from core.emergency_rules import Rules
from core.engine import Effect, Facts, Outcome, refusal, step
from core.errors import CommandRejected, OpsError, RevisionConflict
from core.messages import Actor, Command, Envelope, Receipt, Recorded, as_json
from core.policy import gate_change
from core.ports import Transaction
from core.state import State
from opsgate.selector import EVERYTHING
from opsgate.wire import LOST_AFTER_S

RESTORED: Final = "restored-backup"
"""Owner of the safety hold on a database that was put back."""

_RUNTIME: Final = Actor(name="runtime", kind="system")

_salts: Final = Salts()

_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Carried:
    """What a command came to: its receipt or its refusal, and what the commit recorded (nothing for a repeated one)."""

    receipt: Receipt | None
    refused: OpsError | None
    state: State
    events: tuple[Recorded, ...]
    rows: Sequence[Row]
    effects: tuple[Effect, ...]


def carry_out(
    transaction: Transaction,
    state: State,
    envelope: Envelope,
    now: datetime,
    *,
    keeper_since: datetime | None = None,
    lost: Mark | None = None,
    identity: Identity | None = None,
    rules: Rules | None = None,
) -> Carried:
    """Decide and write one command; after ``lost`` events everything is held first, in the same commit.

    ``identity`` is whose authority it takes, None for whoever has the database itself; ``rules`` is what is set here.
    """
    before, outcomes = state, []
    if lost is not None:
        outcomes.append(step(state, safety_hold(lost, state.revision), now))
        state = outcomes[-1].state
    receipt, refused, repeated = None, None, False
    try:
        _require_authority(identity, envelope.command, state, now)
        receipt = _answered(transaction, envelope)
        repeated = receipt is not None
        if receipt is None:
            facts = _facts(transaction, envelope.command, now, Facts(keeper_since=keeper_since, rules=rules or Rules()))
            outcomes.append(step(state, envelope, now, facts))
            receipt = outcomes[-1].receipt
    except (CommandRejected, RevisionConflict) as error:
        refused = error
        outcomes.append(refusal(state, envelope, now, error))
    events, rows = _record(transaction, before, outcomes)
    if receipt is not None and not repeated and (events or envelope.actor.kind != "system"):
        # What the loops find unchanged needs no answer kept: they ask many times a minute.
        transaction.remember(envelope.command_id, fingerprint(envelope.command), as_json(receipt), now)
    after = outcomes[-1].state if outcomes else before
    return Carried(receipt, refused, after, events, rows, tuple(e for outcome in outcomes for e in outcome.effects))


def _require_authority(identity: Identity | None, command: Command, state: State, now: datetime) -> None:
    denial = None if identity is None else authorise(identity, command, state, now)
    if denial is not None:
        raise denial


def safety_hold(lost: Mark, present: int) -> Envelope:
    """Hold everything: the database lacks events that this host had seen."""
    return _own(
        PlaceHold(
            selectors=(EVERYTHING,),
            source="safety",
            owner=RESTORED,
            reason=f"the database was put back to revision {present}, but revision {lost.revision} had been recorded:"
            " look at what is missing before anything runs",
        )
    )


def founding(fleet: str) -> Envelope:
    """Begin a fleet."""
    return _own(CreateFleet(fleet=fleet))


def fingerprint(command: Command) -> str:
    """What tells two commands with one id apart."""
    return hashlib.sha256(_canonical(command.model_dump(mode="json")).encode()).hexdigest()


def _own(command: Command) -> Envelope:
    return Envelope(command_id=f"runtime-{uuid.uuid4().hex}", actor=_RUNTIME, door="keeper", command=command)


def _answered(transaction: Transaction, envelope: Envelope) -> Receipt | None:
    known = transaction.receipt(envelope.command_id)
    if known is None:
        return None
    known_fingerprint, text = known
    if known_fingerprint != fingerprint(envelope.command):
        raise CommandRejected(
            "command-id-reused",
            f"command id {envelope.command_id} was used for another command",
            "give each command an id of its own",
        )
    document: dict[str, Any] = json.loads(text)
    return Receipt.model_validate(document, strict=False)


def _facts(transaction: Transaction, command: Command, now: datetime, known: Facts) -> Facts:
    """Only a stop, a trigger's too, freezes the list of live workers, and only the dead are forgotten; nothing else
    waits for them."""
    if not isinstance(command, OrderStop | FireTrigger | ForgetWorkers):
        return known
    live = transaction.live_workers(now - timedelta(seconds=LOST_AFTER_S))
    return replace(known, live=tuple(live))


def _record(
    transaction: Transaction, before: State, outcomes: Sequence[Outcome]
) -> tuple[tuple[Recorded, ...], Sequence[Row]]:
    events = tuple(recorded for outcome in outcomes for recorded in outcome.events)
    if not events:
        return (), ()
    after = outcomes[-1].state
    rows = seal(events, transaction.head().chain, (next(_salts) for _ in events))
    transaction.append(rows, gate_change(before, after, events), after.names_revision)
    for recorded in events:
        if isinstance(recorded.event, LimitReset):
            transaction.drop_usage(limit=recorded.event.name)
    return events, rows
