"""Who may do what: a role says which routes and which commands, a scope says whose work.

What is not listed is denied. A scope bounds what may be changed, and what is seen (`core.sight`): so a refusal names
nothing of what lies outside that whoever is refused has not named. Whoever can write the database itself is its
administrator, and is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, Literal

from core.capabilities.emergencies import OrderStop
from core.capabilities.explaining import ExplainStop
from core.capabilities.firing import FireTrigger
from core.capabilities.holds import PlaceHold, ReleaseHolds, selectors_of
from core.capabilities.ownership import AcknowledgeEmergency, OwnEmergency
from core.capabilities.rate_limits import owner_of
from core.capabilities.recovery import (
    AbortRecovery,
    ContinueRecovery,
    HoldRecovery,
    Recover,
    RollBackRecovery,
)
from core.capabilities.switches import SetSwitch
from core.capabilities.tokens import CreateToken, RevokeToken
from core.errors import NotPermitted
from core.messages import Actor, Command, Role
from core.scope import EVERYWHERE, Scope
from core.state import State, Token
from core.triggers.sample import Sample
from core.watched import moved_beyond
from opsgate.selector import EVERYTHING, Selector, scope_text

Permission = Literal["know", "ask", "see", "work", "stop", "alert", "command"]

PERMISSIONS: Final[Mapping[Permission, str]] = {
    "know": "ask who one is taken for",
    "ask": "ask for decisions and follow what a gate needs: checks, flags, the gate's table and its stream",
    "see": "see the fleet, as far as the scope reaches: state, lists, events, audit, observations, metrics",
    "work": "speak for a worker: heartbeats, acknowledgements, reservations, samples, outcomes",
    "stop": "stop, on the stop lane",
    "alert": "bring alerts, which hold and stop, and release what the same alert placed",
    "command": "give commands; which ones, the role says",
}
"""What a route can ask for, and what that opens."""

ROLES: Final[Mapping[Role, str]] = {
    "viewer": "sees everything in its scope and changes nothing",
    "worker": "one worker, by its id: asks, reports, reserves; it never places and never releases",
    "stop": "stops and says why; it sees nothing and releases nothing",
    "operator": "stops, pauses and resumes, aborts recoveries, switches flags and workflows, sets limits",
    "responder": "an operator who also recovers emergencies and forgets workers that are gone",
    "admin": "everything that a person may do: names, services, limits, configuration, tokens, and releases by force",
}
"""Each role in one line, the weakest first."""

_ROUTES: Final[Mapping[Role, frozenset[Permission]]] = {
    "viewer": frozenset({"know", "ask", "see"}),
    "worker": frozenset({"know", "ask", "work"}),
    "stop": frozenset({"know", "stop", "alert", "command"}),
    "operator": frozenset({"know", "ask", "see", "stop", "alert", "command"}),
    "responder": frozenset({"know", "ask", "see", "stop", "alert", "command"}),
    "admin": frozenset(PERMISSIONS),
}

_STOP: Final = frozenset({"order-stop", "explain-stop"})
_HALT_RECOVERY: Final = frozenset({"abort-recovery", "hold-recovery", "roll-back-recovery"})
"""Stopping is cheap, and so is not restoring any further."""

_OPERATE: Final = (
    _STOP | _HALT_RECOVERY | {"place-hold", "release-holds", "set-switch", "set-limit", "reset-limit", "fire-trigger"}
)
_RESPOND: Final = _OPERATE | {"recover", "continue-recovery", "ack-emergency", "own-emergency", "forget-workers"}
_ADMINISTER: Final = _RESPOND | {
    "add-name",
    "remove-name",
    "add-limit",
    "add-service",
    "remove-service",
    "set-procedure",
    "remove-procedure",
    "apply-configuration",
    "create-token",
    "revoke-token",
    "add-trigger",
    "remove-trigger",
    "set-trigger",
    "bound-triggers",
}

_COMMANDS: Final[Mapping[Role, frozenset[str]]] = {
    "stop": _STOP,
    "operator": _OPERATE,
    "responder": _RESPOND,
    "admin": _ADMINISTER,
}

ENGINE_ONLY: Final = frozenset(
    {
        "create-fleet",
        "conclude-stop",
        "expire-holds",
        "report-workers",
        "report-services",
        "advance-recovery",
        "clear-trigger",
        "record-erasure",
    }
)
"""What the engine says to itself; no credential is good for it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, as the credential says. ``token_id`` is None for one that came without a token (a user of this host, or
    development)."""

    name: str
    role: Role
    scope: Scope = EVERYWHERE
    worker_id: str | None = None
    token_id: str | None = None
    expires_at: datetime | None = None

    @property
    def credential(self) -> str:
        """What two requests share that came by one credential."""
        return self.token_id or f"{self.name} without a token"

    def actor(self) -> Actor:
        """Who is written into the journal. A worker is no person."""
        return _actor(self.name, "automation" if self.role == "worker" else "person")


@lru_cache(maxsize=1024)
def _actor(name: str, kind: Literal["person", "automation"]) -> Actor:
    """The actor of many commands in a row, made once."""
    return Actor(name=name, kind=kind)


def identity_of(token: Token) -> Identity:
    """Whom a token lets in."""
    return Identity(token.name, token.role, token.scope, token.worker_id, token.token_id, token.expires_at)


def permissions_of(role: Role) -> frozenset[Permission]:
    """What the routes that a role may use ask for."""
    return _ROUTES.get(role, frozenset())


def commands_of(role: Role) -> frozenset[str]:
    """The kinds of command that a role may give."""
    return _COMMANDS.get(role, frozenset())


def may(identity: Identity, permission: Permission) -> bool:
    """Whether this identity may use the routes that ask for ``permission``."""
    return permission in permissions_of(identity.role)


def reaches(identity: Identity, permission: Permission, selectors: Iterable[Selector]) -> NotPermitted | None:
    """Why this identity may not do what ``permission`` opens (stop, bring alerts) to all of this work, or None. It asks
    for no state: a stop has none to ask."""
    if not may(identity, permission):
        return NotPermitted("role-forbids", f"the role {identity.role} may not {permission}", "use another token")
    return _outside(identity, permission, selectors)


def speaks_for(identity: Identity, worker_id: str) -> NotPermitted | None:
    """Why this identity may not report as that worker, or None: nobody acknowledges for another worker. A process that
    a worker forks goes by the worker's name, a dot and the number of the process."""
    if identity.role == "admin" and identity.scope == EVERYWHERE:
        return None
    parent, _, process = worker_id.rpartition(".")
    forked = parent if process.isascii() and process.isdecimal() else worker_id
    if identity.role == "worker" and identity.worker_id in (worker_id, forked):
        return None
    return NotPermitted(
        "not-this-worker", f"{identity.name} does not speak for worker {worker_id}", "use its own token"
    )


def reports(identity: Identity, samples: Iterable[Sample], state: State) -> NotPermitted | None:
    """Why this identity may not have these samples looked at, or None: what they would stop, or let a recovery go on
    with, has to lie within its scope."""
    if identity.scope == EVERYWHERE:
        return None
    said = {(sample.metric, account) for sample in samples for account in (None, sample.account)}
    beyond = said & moved_beyond(state, identity.scope, (metric for metric, _ in said))
    if not beyond:
        return None
    metric = min(metric for metric, _ in beyond)
    return NotPermitted(
        "outside-scope",
        f"{identity.name} reaches {identity.scope}, and what samples of {metric} stop or bring back reaches further",
        "send them with a token that reaches all of it, or keep each trigger and gate of the metric to one scope",
    )


def gives_back(identity: Identity, reservation_id: str) -> NotPermitted | None:
    """Why this identity may not give a reservation back, or None: its id says which worker took it."""
    owner = owner_of(reservation_id)
    if identity.role == "admin" and identity.scope == EVERYWHERE:
        return None
    if identity.role == "worker" and identity.worker_id is not None and owner == identity.worker_id:
        return None
    return NotPermitted(
        "not-this-worker", f"{identity.name} did not take this reservation", "have the worker give it back that did"
    )


def authorise(identity: Identity, command: Command, state: State, now: datetime) -> NotPermitted | None:
    """Why this identity may not give this command, or None.

    Asked of the state that the command will be decided on, so that a token which was revoked meanwhile, or an
    emergency that has grown meanwhile, is seen.
    """
    return (
        _ended(identity, state, now)
        or _beyond_role(identity, command)
        or _beyond_scope(identity, command, state)
        or _beyond_giver(identity, command, state)
    )


def still_valid(identity: Identity, state: State, now: datetime) -> bool:
    """Whether the credential behind an identity is still good: what is open for it ends when it is not."""
    if identity.token_id is None:
        return True
    token = state.tokens.get(identity.token_id)
    return token is not None and token.is_valid(now)


def _ended(identity: Identity, state: State, now: datetime) -> NotPermitted | None:
    if still_valid(identity, state, now):
        return None
    return NotPermitted("token-ended", f"token {identity.token_id} was revoked or has expired", "ask for another one")


def _beyond_role(identity: Identity, command: Command) -> NotPermitted | None:
    if command.kind not in commands_of(identity.role):
        who = [role for role in ROLES if command.kind in commands_of(role)]
        hint = f"it takes one of the roles {', '.join(who)}" if who else "nobody may but the engine itself"
        return NotPermitted("role-forbids", f"the role {identity.role} may not {_words(command)}", hint)
    if isinstance(command, ReleaseHolds) and command.force and identity.role != "admin":
        return NotPermitted("role-forbids", f"the role {identity.role} may not release by force", "ask an admin")
    return None


def _beyond_scope(identity: Identity, command: Command, state: State) -> NotPermitted | None:
    if identity.scope == EVERYWHERE:
        return None
    concerned = _concerned(command, state)
    if not isinstance(command, PlaceHold | ReleaseHolds | OrderStop | SetSwitch):  # its sender has not named that work
        seen = tuple(filter(identity.scope.touches, concerned))
        concerned = concerned if seen == concerned else (*seen, EVERYTHING)
    return _outside(identity, _words(command), concerned)


def _outside(identity: Identity, what: str, selectors: Iterable[Selector]) -> NotPermitted | None:
    outside = [selector for selector in selectors if not identity.scope.covers(selector)]
    if not outside:
        return None
    shown = scope_text(outside[:3]) + (" and more" if len(outside) > 3 else "")
    return NotPermitted(
        "outside-scope",
        f"{identity.name} may {what} within {identity.scope} only, not on {shown}",
        "name what lies within, or ask somebody whose scope is wider",
    )


def _beyond_giver(identity: Identity, command: Command, state: State) -> NotPermitted | None:
    """Nobody gives, or takes away, more than they have themselves."""
    match command:
        case CreateToken():
            scope = Scope(frozenset(command.sites), frozenset(command.envs))
        case RevokeToken() if command.token_id in state.tokens:
            scope = state.tokens[command.token_id].scope
        case _:
            return None
    if identity.scope.contains(scope):
        return None
    theirs = scope if isinstance(command, CreateToken) else "further"
    return NotPermitted("outside-scope", f"{identity.name} reaches {identity.scope}, and that token {theirs}")


def _concerned(command: Command, state: State) -> tuple[Selector, ...]:
    """The work that a command is about; everything, where it is about the fleet, or about what is not known."""
    match command:
        case PlaceHold() | ReleaseHolds() | OrderStop():
            return command.selectors
        case SetSwitch():
            return selectors_of(command.dimension, command.names)
        case (
            Recover()
            | AbortRecovery()
            | RollBackRecovery()
            | HoldRecovery()
            | ContinueRecovery()
            | AcknowledgeEmergency()
            | OwnEmergency()
        ) if command.emergency_id in state.emergencies:
            return state.emergencies[command.emergency_id].selectors
        case ExplainStop() if command.stop_id in state.stops:
            return state.stops[command.stop_id].selectors
        case FireTrigger() if command.trigger in state.triggers:
            return state.triggers[command.trigger].definition.selectors()
        case CreateToken() | RevokeToken():
            return ()
        case _:
            return (EVERYTHING,)


def _words(command: Command) -> str:
    """``place-hold`` as a person would say it: place holds."""
    verb, _, noun = command.kind.partition("-")
    return f"{verb} {noun if noun.endswith('s') or not noun else f'{noun}s'}".strip()
