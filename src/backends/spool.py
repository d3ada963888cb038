"""The spool: stop orders that lie latched on this host and that the journal may not know yet.

Whoever opens the database records them first thing, and nothing is released while one of them cannot be recorded. An
order is recorded under its own id, so recording it twice is recording it once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, get_args

from backends.stop_servers import names_of_url
from core.capabilities.emergencies import OrderStop
from core.errors import BackendUnavailable, CommandRejected, OpsError
from core.messages import Actor, Door, Envelope
from core.ports import Backend
from core.state import State, Stop
from opsgate import latch
from opsgate.order import STRENGTH, Order
from opsgate.selector import EVERYTHING, IDENTIFIER

_DOORS: Final = get_args(Door)
_PROGRAMS: Final = ("alert", "hook")
"""Doors by which no person comes."""

_REASON_MAX: Final = 300
_NAME_MAX: Final = 128
_SELECTORS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """An order that the journal knows. ``standing`` says whether its emergency is still active or has been ended;
    ``stop`` is None where it ended so long ago that only the journal has it."""

    order: Order
    revision: int
    stop: Stop | None
    standing: Literal["active", "ended"]


def names_of(state: State, url: str) -> tuple[str, ...]:
    """The names under which this fleet's latches lie, beside those for all fleets."""
    return (state.fleet, *names_of_url(url)) if state.fleet else names_of_url(url)


def recorded_id(order: Order) -> str:
    """The id under which the journal knows an order. A latch somebody made by hand may have a name that is no id, or
    one that was used before: what it is called is no news, and when it was made is."""
    by_hand = latch.is_by_hand(order)
    if IDENTIFIER.fullmatch(order.stop_id) and not by_hand:
        return order.stop_id
    made = order.ordered_at.isoformat() if by_hand else ""
    said = f"{order.stop_id} {made}".rstrip().encode("utf-8", "surrogateescape")
    return "latch-" + hashlib.blake2b(said, digest_size=8).hexdigest()


def journal_id(order: Order, state: State) -> str:
    """The id under which the journal has an order, or will: one of its own where `recorded_id` is that of a stop which
    does not stop what this order does. Servers that were cut off from the database may have given one id to both."""
    name = recorded_id(order)
    known = state.stops.get(name)
    if known is None or order.door == "latch" or covers(known, order):  # what nobody can read is known by its name
        return name
    said = f"{name} {order.level} {sorted(map(str, order.selectors))}".encode("utf-8", "surrogateescape")
    return "apart-" + hashlib.blake2b(said, digest_size=8).hexdigest()


def covers(known: Order | Stop, order: Order) -> bool:
    """Whether what is known stops all that an order means to, as hard."""
    is_within = EVERYTHING in known.selectors or set(order.selectors) <= set(known.selectors)
    return is_within and STRENGTH[order.level] <= STRENGTH[known.level]


def envelope_of(order: Order, *, stop_id: str = "") -> Envelope:
    """The command that records ``order``, by its own id or ``stop_id``: the same one each time and from everywhere, so
    that it is done once.

    It names no expectation and creates what it names: a stop is refused for nothing. What a command cannot carry is
    cut, replaced or, where it stops more than can be listed, recorded as a stop of everything.
    """
    stop_id = stop_id or recorded_id(order)
    selectors = tuple(dict.fromkeys(order.selectors))
    command = OrderStop.model_validate(
        {
            "stop_id": stop_id,
            "selectors": selectors if len(selectors) <= _SELECTORS_MAX else (EVERYTHING,),
            "level": order.level,
            "reason": _text(order.reason, _REASON_MAX),
            "ordered_at": order.ordered_at,
            "create": True,
        }
    )
    door = order.door if order.door in _DOORS else "latch"
    actor = Actor(name=_text(order.actor, _NAME_MAX) or "unknown", kind="automation" if door in _PROGRAMS else "person")
    return Envelope.model_validate({"command_id": stop_id, "actor": actor, "door": door, "command": command})


def _with_other_id(envelope: Envelope) -> Envelope:
    """The same command, each time by the same other id."""
    digest = hashlib.blake2b(envelope.command_id.encode(), digest_size=16).hexdigest()
    return envelope.model_copy(update={"command_id": f"stop-{digest}"})


def _text(typed: str, at_most: int) -> str:
    """As much of a text as a message can carry. Half a letter, which bytes of no encoding leave, becomes a mark."""
    return typed[:at_most].encode("utf-8", "replace").decode()


def pending(fleets: Sequence[str], state: State) -> tuple[Order, ...]:
    """The latched orders of a fleet that ``state`` does not know: nothing may be released before they are recorded.
    A latch that cannot be read is one of them."""
    return (*_recordable(fleets, state), *_unreadable(fleets, state))


def _recordable(fleets: Sequence[str], state: State) -> tuple[Order, ...]:
    return tuple(order for order in latch.in_force(fleets) if journal_id(order, state) not in state.stops)


def _unreadable(fleets: Sequence[str], state: State) -> tuple[Order, ...]:
    """They wait for somebody who can read them: one may stop less than everything, and a record cannot be taken back.
    Where somebody has recorded one, its name says so."""
    return tuple(order for order in latch.unreadable(fleets) if recorded_id(order) not in state.stops)


def ended(fleets: Sequence[str], state: State) -> tuple[Order, ...]:
    """The latched orders whose emergency was recovered: their latches are left over."""
    lying = latch.look(fleets, {}).orders.values()
    return tuple(order for order in lying if _standing(order, state) == "ended")


def record(order: Order, backend: Backend, *, timeout_s: float, words: Envelope | None = None) -> Recorded:
    """Record one order, or find it recorded. ``words`` is another command that orders the same stop and says more of
    it; where that is refused, the order speaks for itself.

    Raises `BackendUnavailable` when the database is away: the order stays latched, try again. `CommandRejected` where
    no command can carry the order, a fault of ours.
    """
    try:
        envelope = envelope_of(order)
    except ValueError as error:
        why = " ".join(str(error).split())[:200]
        raise CommandRejected("not-recordable", f"no command can carry {ascii(order.stop_id)[:130]}: {why}") from error
    try:
        revision = _submitted(words, envelope, backend, timeout_s)
    except CommandRejected as error:  # somebody recorded the same stop in words of their own
        if recorded_id(order) in backend.state(timeout_s=timeout_s).stops:
            revision = backend.latest().revision
        elif error.code == "command-id-reused":  # what had that id was no stop: one is refused for nothing
            revision = backend.submit(_with_other_id(envelope), timeout_s=timeout_s).revision
        else:
            raise
    state = backend.state(timeout_s=timeout_s)
    if (stop_id := journal_id(order, state)) not in state.stops and recorded_id(order) in state.stops:
        revision = backend.submit(envelope_of(order, stop_id=stop_id), timeout_s=timeout_s).revision
        state = backend.state(timeout_s=timeout_s)
    return Recorded(order, revision, state.stops.get(stop_id), _standing(order, state) or "ended")


def _submitted(words: Envelope | None, envelope: Envelope, backend: Backend, timeout_s: float) -> int:
    if words is not None:
        with suppress(CommandRejected):
            return backend.submit(words, timeout_s=timeout_s).revision
    return backend.submit(envelope, timeout_s=timeout_s).revision


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the latched orders that the journal did not know."""

    recorded: tuple[Recorded, ...]
    refused: tuple[tuple[Order, CommandRejected], ...]
    """Those that cannot be recorded, whatever the database does, each with why. They stay latched, and in force."""


def replay(backend: Backend, *, fleets: Sequence[str] | None = None, timeout_s: float = 5.0) -> Replayed:
    """Record every latched order that the journal does not know, and take away the latches that are left over.

    To be called by whoever opens the database, and before anything is released; while one is refused, nothing may be.
    One that is refused does not keep the others from being recorded. Raises `BackendUnavailable` when the database is
    away, which is no fault of any order; where nothing lies latched it is not asked.
    """
    known = backend.latest()
    if known.fleet and not latch.lies(fleets or names_of(known, backend.url)):
        return Replayed((), ())
    state = backend.state(timeout_s=timeout_s)
    names = tuple(fleets) if fleets else names_of(state, backend.url)
    recorded: list[Recorded] = []
    refused: list[tuple[Order, CommandRejected]] = []
    for order in _recordable(names, state):
        try:
            recorded.append(record(order, backend, timeout_s=timeout_s))
        except CommandRejected as error:
            refused.append((order, error))
    unlatch((*ended(names, state), *(one.order for one in recorded if one.standing == "ended")), names)
    return Replayed(tuple(recorded), tuple(refused))


def require_recorded(backend: Backend, *, fleets: Sequence[str] | None = None, timeout_s: float = 5.0) -> None:
    """Refuse to go on to a release while a latched stop is not recorded, in a sentence that says which. ``fleets`` are
    the names of the fleet, for whoever has found them out before."""
    known = backend.latest()
    names = fleets or names_of(known, backend.url)
    if known.fleet and not latch.lies(names):
        return  # nothing to ask the database about: most of the time that is so
    try:
        refused = replay(backend, fleets=fleets, timeout_s=timeout_s).refused
    except OpsError as error:
        raise _not_recorded(error) from error
    for _, refusal in refused:
        raise _not_recorded(refusal) from refusal
    state = backend.state(timeout_s=timeout_s)
    for order in _unreadable(fleets or names_of(state, backend.url), state):
        raise BackendUnavailable(
            "stop-not-recorded",
            f"the stop {ascii(order.stop_id)[1:-1]} is latched on this host and cannot be recorded: {order.reason}",
            "nothing is released until then",
        )


def _not_recorded(error: OpsError) -> BackendUnavailable:
    return BackendUnavailable(
        "stop-not-recorded",
        f"a stop is latched on this host and cannot be recorded: {error}",
        "nothing is released until it is; mend the database and try again",
    )


def _standing(order: Order, state: State) -> Literal["active", "ended"] | None:
    """Whether the emergency of a recorded order goes on; None where the state does not know the order."""
    stop = state.stops.get(journal_id(order, state))
    return None if stop is None else state.emergencies[stop.emergency_id].status


def unlatch(orders: Iterable[Order], fleets: Sequence[str]) -> None:
    """Take away the latches of orders that have ended. One that stays stops what it stops, until the next try."""
    for order in orders:
        try:
            latch.recovered(order.stop_id, fleets)
        except OSError:
            continue
