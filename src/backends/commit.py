"""Commands inside one transaction: what was answered before, the step of each, and what is written of all of them."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
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
from core.engine import Effect, Facts, Outcome, WorkerFact, refusal, step
from core.errors import CommandRejected, OpsError, RevisionConflict
from core.messages import Actor, Command, Envelope, Receipt, Recorded, as_json
from core.policy import gate_change
from core.ports import Known, Transaction
from core.state import State
from opsgate.selector import EVERYTHING
from opsgate.wire import LOST_AFTER_S

RESTORED: Final = "restored-backup"
"""Owner of the safety hold on a database that was put back."""

_EVER: Final = datetime.min.replace(tzinfo=UTC)
"""Before anybody was heard of."""

_RUNTIME: Final = Actor(name="runtime", kind="system")

_salts: Final = Salts()

Wanted = tuple[Envelope, Identity | None]
"""A command, and whose authority it takes: None for whoever has the database itself."""

_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Answered:
    """What one command came to: its receipt or its refusal, and what is to be done once it is committed."""

    receipt: Receipt | None
    refused: OpsError | None
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """What commands of one commit came to, in their order, and what it records (nothing for repeated ones)."""

    answers: Sequence[Answered]
    state: State
    events: tuple[Recorded, ...]
    rows: Sequence[Row]


def carry_out(
    transaction: Transaction,
    state: State,
    wanted: Sequence[Wanted],
    now: datetime,
    *,
    keeper_since: datetime | None = None,
    lost: Mark | None = None,
    rules: Rules | None = None,
) -> Carried:
    """Decide commands in order, each on what the ones before it left, and write all of it at once; after ``lost``
    events everything is held first, in the same commit. ``rules`` is what is set here."""
    before, answers, events = state, list[Answered](), list[Recorded]()
    known = Facts(keeper_since=keeper_since, rules=rules or Rules())
    transaction.expect([envelope.command_id for envelope, _ in wanted])
    if lost is not None:
        held = step(state, safety_hold(lost, state.revision), now)
        state = held.state
        events += held.events
    for envelope, identity in wanted:
        answer, outcome = _decide(transaction, state, envelope, identity, now, known)
        answers.append(answer)
        if outcome is not None:
            state = outcome.state
            events += outcome.events
    return Carried(answers, state, tuple(events), _record(transaction, before, state, events))


def _decide(
    transaction: Transaction, state: State, envelope: Envelope, identity: Identity | None, now: datetime, known: Facts
) -> tuple[Answered, Outcome | None]:
    """What one command comes to; no outcome where it was answered before."""
    try:
        _require_authority(identity, envelope.command, state, now)
        envelope = _named(transaction, envelope, identity)
        repeated = _answered(transaction, envelope)
        if repeated is not None:
            return Answered(repeated, None), None
        outcome = step(state, envelope, now, _facts(transaction, envelope.command, state, now, known))
    except (CommandRejected, RevisionConflict) as error:
        return Answered(None, error), refusal(state, envelope, now, error)
    if outcome.events or envelope.actor.kind != "system":
        # What the loops find unchanged needs no answer kept: they ask many times a minute.
        answer = Known(fingerprint(envelope.command), as_json(outcome.receipt), _sender(identity))
        transaction.remember(envelope.command_id, answer, now)
    return Answered(outcome.receipt, None, outcome.effects), outcome


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


def _named(transaction: Transaction, envelope: Envelope, identity: Identity | None) -> Envelope:
    """The command under an id that is its sender's: where somebody else has used the same one, which they could not
    know, under one made of both. What a server of the version before has answered may have been anybody's."""
    known, sender = transaction.receipt(envelope.command_id), _sender(identity)
    if known is None or not sender or known.sender in {"", sender}:
        return envelope
    own = hashlib.sha256(_canonical([sender, envelope.command_id]).encode()).hexdigest()[:32]
    return envelope.model_copy(update={"command_id": f"own-{own}"})


def _sender(identity: Identity | None) -> str:
    return "" if identity is None else identity.credential


def _answered(transaction: Transaction, envelope: Envelope) -> Receipt | None:
    known = transaction.receipt(envelope.command_id)
    if known is None:
        return None
    if known.fingerprint != fingerprint(envelope.command):
        raise CommandRejected(
            "command-id-reused",
            f"command id {envelope.command_id} was used for another command",
            "give each command an id of its own",
        )
    document: dict[str, Any] = json.loads(known.receipt)
    return Receipt.model_validate(document, strict=False)


def _facts(transaction: Transaction, command: Command, state: State, now: datetime, known: Facts) -> Facts:
    """Only a stop, a trigger's too, freezes the list of live workers, and only the dead are forgotten; nothing else
    waits for them."""
    if not isinstance(command, OrderStop | FireTrigger | ForgetWorkers):
        return known
    live = transaction.live_workers(now - timedelta(seconds=LOST_AFTER_S))
    if not isinstance(command, ForgetWorkers):
        live = [*live, *_unheard(transaction, state, {worker.worker_id for worker in live})]
    return replace(known, live=tuple(live))


def _unheard(transaction: Transaction, state: State, heard: AbstractSet[str]) -> list[WorkerFact]:
    """Those that have long not been heard of and that the journal takes for live all the same: while no keeper and no
    server ran nobody could hear them, so their silence proves nothing, and a stop must not leave them out."""
    missed = {worker for worker, at in state.workers.items() if at.lost_at is None and worker not in heard}
    return [worker for worker in transaction.live_workers(_EVER) if worker.worker_id in missed] if missed else []


def _record(transaction: Transaction, before: State, after: State, events: Sequence[Recorded]) -> Sequence[Row]:
    """Write what happened, and what all of it together changes for gates."""
    if not events:
        return ()
    rows = seal(events, transaction.head().chain, (next(_salts) for _ in events))
    transaction.append(rows, gate_change(before, after, events), after.names_revision)
    for recorded in events:
        if isinstance(recorded.event, LimitReset):
            transaction.drop_usage(limit=recorded.event.name)
    return rows
