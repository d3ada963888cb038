"""One step of the engine: a command and what is known go in, events and effects come out.

A capability registers a *decider* for each of its commands and an *evolver* for each of its events. The decider reads
the state and emits events on a `Draft`; the evolver folds one event into the state. Both are pure: time, identity and
the facts observed in the world are arguments. Whoever calls `step` commits the events first and carries out the
effects afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from core.emergency_rules import AS_USUAL, Rules
from core.errors import NotPermitted, OpsError
from core.messages import (
    Actor,
    Command,
    CommandT,
    Door,
    Envelope,
    Event,
    EventNote,
    EventT,
    Header,
    Receipt,
    Recorded,
    event,
)
from core.state import State
from opsgate.hold import Hold
from opsgate.selector import Selector

REMAINING_SHOWN: Final = 200
"""How many remaining holds an answer lists at most: it is made and stored while nobody else can write."""


@dataclass(frozen=True, slots=True)
class WorkerFact:
    """A worker that was heard of lately: what the keeper last observed of it."""

    worker_id: str
    env: str = ""
    scope: tuple[tuple[str, tuple[str, ...]], ...] = ()
    stops: frozenset[str] = frozenset()
    """The stops for which it has acknowledged that nothing they cover runs any more."""

    def serves(self, selector: Selector) -> bool:
        """Whether it may do work that ``selector`` selects, as far as it declared."""
        declared = dict(self.scope)
        if self.env:
            declared["env"] = (self.env,)
        return all(value in declared.get(dimension, (value,)) for dimension, value in selector.items)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was observed, as far as a decision needs it: the live workers, since when a keeper has been running, and
    what is set there."""

    live: tuple[WorkerFact, ...] = ()
    keeper_since: datetime | None = None
    rules: Rules = AS_USUAL


@dataclass(frozen=True, slots=True)
class RemoveLatch:
    """Effect: take away the latch of a stop, now that the release of its hold is recorded."""

    stop_id: str


Effect = RemoveLatch


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step decided: events to commit, the state after them, effects to carry out after the commit."""

    events: tuple[Recorded, ...]
    state: State
    effects: tuple[Effect, ...]
    receipt: Receipt


@dataclass
class Draft:
    """A step in the making. Each emitted event is folded at once, so a decider sees its own consequences."""

    state: State
    now: datetime
    actor: Actor
    door: Door
    command_id: str
    correlation_id: str
    expected_revision: int | None
    facts: Facts
    events: list[Recorded] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    hold_ids: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    scope: tuple[Selector, ...] | None = None
    stop_id: str | None = None
    emergency_id: str | None = None

    @property
    def next_revision(self) -> int:
        """The revision that the next emitted event will have; ids are made from it."""
        return self.state.revision + 1

    def emit(self, happened: Event) -> None:
        """Add an event and fold it."""
        header = Header(
            revision=self.next_revision,
            at=self.now,
            actor=self.actor,
            door=self.door,
            correlation_id=self.correlation_id,
            command_id=self.command_id,
        )
        recorded = Recorded(header, happened)
        self.state = evolve(self.state, recorded)
        self.events.append(recorded)

    def receipt(self) -> Receipt:
        """The answer to the sender."""
        remaining: tuple[Hold, ...] = () if self.scope is None else self.state.holds_touching(self.scope)
        if len(remaining) > REMAINING_SHOWN:
            more = len(remaining) - REMAINING_SHOWN
            self.notes.append(f"{more} more {'hold remains than is' if more == 1 else 'holds remain than are'} listed")
        return Receipt(
            revision=self.state.revision,
            changed=bool(self.events),
            events=tuple(EventNote(revision=r.revision, kind=r.event.kind) for r in self.events),
            hold_ids=tuple(dict.fromkeys(self.hold_ids)),
            stop_id=self.stop_id,
            emergency_id=self.emergency_id,
            remaining_holds=tuple(hold.as_dict() for hold in remaining[:REMAINING_SHOWN]),
            notes=tuple(self.notes),
        )


Decider = Callable[[Draft, CommandT], None]
Evolver = Callable[[State, EventT, Header], State]

_deciders: dict[type[Command], Callable[[Draft, Any], None]] = {}
_evolvers: dict[type[Event], Callable[[State, Any, Header], State]] = {}


def decides(cls: type[CommandT]) -> Callable[[Decider[CommandT]], Decider[CommandT]]:
    """Register the decider of a command."""

    def register(decider: Decider[CommandT]) -> Decider[CommandT]:
        _deciders[cls] = decider
        return decider

    return register


def evolves(*classes: type[EventT]) -> Callable[[Evolver[EventT]], Evolver[EventT]]:
    """Register the evolver of an event, or of several that change the state alike."""

    def register(evolver: Evolver[EventT]) -> Evolver[EventT]:
        _evolvers.update(dict.fromkeys(classes, evolver))
        return evolver

    return register


@event
class CommandRefused(Event):
    """The engine said no to a person or a program; kept, because who tried what is part of the story."""

    kind: Literal["command.refused"] = "command.refused"
    command: str
    code: str
    message: str


@evolves(CommandRefused)
def _refused(state: State, _happened: CommandRefused, _header: Header) -> State:
    return state


def evolve(state: State, recorded: Recorded) -> State:
    """Fold one event into the state; the event must be the next one."""
    header, happened = recorded.header, recorded.event
    assert header.revision == state.revision + 1, "events are folded in order, none left out"
    return _evolvers[type(happened)](state, happened, header).but(revision=header.revision)


def fold(state: State, events: Iterable[Recorded]) -> State:
    """Fold many events, oldest first."""
    for recorded in events:
        state = evolve(state, recorded)
    return state


def step(state: State, envelope: Envelope, now: datetime, facts: Facts | None = None) -> Outcome:
    """Decide one command.

    ``now`` is the engine's aware UTC time. Raises `CommandRejected` (the answer is no) or `RevisionConflict` (look
    again); `refusal` turns either into the event that records it.
    """
    draft = _draft(state, envelope, now, facts or Facts())
    _deciders[type(envelope.command)](draft, envelope.command)
    return Outcome(tuple(draft.events), draft.state, tuple(draft.effects), draft.receipt())


def refusal(state: State, envelope: Envelope, now: datetime, error: OpsError) -> Outcome:
    """The outcome that records a refusal: one event, no effect."""
    draft = _draft(state, envelope, now, Facts())
    draft.emit(CommandRefused(command=envelope.command.kind, code=error.code, message=error.message[:1000]))
    return Outcome(tuple(draft.events), draft.state, (), draft.receipt())


def _draft(state: State, envelope: Envelope, now: datetime, facts: Facts) -> Draft:
    return Draft(
        state=state,
        now=now,
        actor=envelope.actor,
        door=envelope.door,
        command_id=envelope.command_id,
        correlation_id=envelope.correlation_id or envelope.command_id,
        expected_revision=envelope.expected_revision,
        facts=facts,
    )


def only_system(draft: Draft, what: str) -> None:
    """Refuse a person what only the engine's own loops may say."""
    if draft.actor.kind != "system":
        raise NotPermitted("system-only", f"{what} is for the keeper alone")


def only_people(draft: Draft, what: str) -> None:
    """Refuse a program what only a person may do: nothing that was stopped starts again by itself."""
    if draft.actor.kind != "person":
        raise NotPermitted("person-only", f"{what} is for a person", "ask somebody who is on duty")
