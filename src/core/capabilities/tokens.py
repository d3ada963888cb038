"""Tokens: the credentials of people and workers who come over the network.

A token is a fact of the journal, so every replica knows of it, and of its end, by the feed that it follows anyway. The
secret is made where it is shown and never comes here: what is kept is its digest. A secret holds 256 random bits, so
there is nothing that a slow hash would protect it from.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from immutables import Map
from pydantic import Field, StringConstraints

from core.capabilities.names import require_known
from core.engine import Draft, decides, evolves, only_people
from core.errors import CommandRejected, UnknownName
from core.messages import Command, FreeText, Header, Identifier, Moment, Role, TokenEvent, command, event
from core.state import State, Token
from opsgate.selector import Selector

TokenId = Annotated[str, StringConstraints(pattern="^t-[0-9a-f]{12}$")]
Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Names = Annotated[tuple[Identifier, ...], Field(max_length=1000)]

SECRET: Final = re.compile(r"ops_(t-[0-9a-f]{12})_[A-Za-z0-9_-]{43}")
"""What a secret looks like, so that whoever scans texts for secrets finds it: the id of its token, and 256 bits."""

_IN_A_LOG: Final = re.compile(r"ops_(t-[0-9a-f]{12})_[A-Za-z0-9_-]+")
"""The same, or what is left of it where a text was cut."""

ENDED_KEPT: Final = timedelta(days=30)
"""How long a token that has ended stays in the state; after that it is in the journal."""


@command
class CreateToken(Command):
    """Let in whoever shows the secret with this digest, in this role.

    ``sites`` and ``envs`` keep it to work there, in what it may see and in what it may change; none of a kind is all
    of it. ``worker_id`` is whom a worker's token
    speaks for. Without ``expires_at`` it lasts until it is revoked.
    """

    kind: Literal["create-token"] = "create-token"
    token_id: TokenId
    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    digest: Digest
    role: Role
    sites: Names = ()
    envs: Names = ()
    worker_id: Identifier | None = None
    expires_at: Moment | None = None


@command
class RevokeToken(Command):
    """Let nobody in with this token any more, and end what it holds open."""

    kind: Literal["revoke-token"] = "revoke-token"
    token_id: Identifier
    reason: FreeText = ""


@event
class TokenCreated(TokenEvent):
    """A token was made. Its secret is nowhere in the journal, only the digest."""

    kind: Literal["token.created"] = "token.created"
    name: str
    digest: str
    role: Role
    sites: tuple[str, ...] = ()
    envs: tuple[str, ...] = ()
    worker_id: str | None = None
    expires_at: Moment | None = None


@event
class TokenRevoked(TokenEvent):
    """A token was ended before its time."""

    kind: Literal["token.revoked"] = "token.revoked"
    name: str
    reason: str = ""


@decides(CreateToken)
def create_token(draft: Draft, wanted: CreateToken) -> None:
    """Make it once; the same again changes nothing, and what has been revoked never comes back."""
    only_people(draft, "making a token")
    _require_sense(draft, wanted)
    require_known(draft, (Selector.of(site=site) for site in wanted.sites), create=False, creatable=False)
    made = _event_of(wanted)
    known = draft.state.tokens.get(wanted.token_id)
    if known is None:
        draft.emit(made)
    elif known.revoked_at is None and _event_of(known) == made:
        draft.notes.append(f"token {known.token_id} is there already")
    else:
        raise CommandRejected("token-exists", f"token {known.token_id} is there already", "make one with another id")


@decides(RevokeToken)
def revoke_token(draft: Draft, wanted: RevokeToken) -> None:
    """End a token that is there; one that was revoked stays so."""
    known = token_named(draft.state, wanted.token_id)
    if known.revoked_at is not None:
        draft.notes.append(f"token {known.token_id} was revoked already")
    else:
        draft.emit(TokenRevoked(token_id=known.token_id, name=known.name, reason=wanted.reason))


@evolves(TokenCreated)
def token_created(state: State, happened: TokenCreated, header: Header) -> State:
    """Fold."""
    token = Token(
        token_id=happened.token_id,
        name=happened.name,
        digest=happened.digest,
        role=happened.role,
        sites=happened.sites,
        envs=happened.envs,
        worker_id=happened.worker_id,
        created_at=header.at,
        created_by=header.actor.name,
        expires_at=happened.expires_at,
    )
    return state._replace(tokens=_kept(state.tokens, header.at).set(token.token_id, token))


@evolves(TokenRevoked)
def token_revoked(state: State, happened: TokenRevoked, header: Header) -> State:
    """Fold."""
    known = state.tokens[happened.token_id]
    token = replace(known, revoked_at=header.at, revoked_by=header.actor.name)
    return state._replace(tokens=_kept(state.tokens, header.at).set(token.token_id, token))


def token_named(state: State, token_id: str) -> Token:
    """The token with this id; `UnknownName` when there is none."""
    known = state.tokens.get(token_id)
    if known is None:
        raise UnknownName("unknown-token", f"no token is called {token_id}", "see 'opsconsole token list'")
    return known


def token_of(secret: str, tokens: Map[str, Token]) -> Token | None:
    """The token whose secret this is, valid or not; None when it is nobody's.

    It is looked up by the id that the secret names, and the digests are compared in constant time.
    """
    named = SECRET.fullmatch(secret)
    known = tokens.get(named[1]) if named else None
    return known if known is not None and hmac.compare_digest(digest_of(secret), known.digest) else None


def secret_of(token_id: str, randomness: bytes) -> str:
    """The secret of a token, of 32 bytes that nobody can guess."""
    assert len(randomness) == 32, "a secret holds 256 bits"
    return f"ops_{token_id}_{base64.urlsafe_b64encode(randomness).rstrip(b'=').decode()}"


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def without_secrets(text: str) -> str:
    """A text for a log: of a secret only the id of its token is left."""
    return _IN_A_LOG.sub(r"ops_\1_***", text)


def _require_sense(draft: Draft, wanted: CreateToken) -> None:
    """Refuse a token that would not be what whoever makes it takes it for."""
    if (wanted.role == "worker") != (wanted.worker_id is not None):
        raise CommandRejected(
            "bad-token", "a worker's token, and no other, speaks for one worker", "name it with --worker ID"
        )
    if wanted.expires_at is not None and wanted.expires_at <= draft.now:
        raise CommandRejected("time-in-the-past", "the end of the token lies in the past", "give a later one")


def _event_of(said: CreateToken | Token) -> TokenCreated:
    """The event that makes a token, by the command that asks for it or by the token itself."""
    return TokenCreated(**{name: getattr(said, name) for name in TokenCreated.model_fields if name != "kind"})


def _kept(tokens: Map[str, Token], now: datetime) -> Map[str, Token]:
    """The tokens without those that ended long ago."""
    for token in _long_ended(tokens.values(), now):
        tokens = tokens.delete(token.token_id)
    return tokens


def _long_ended(tokens: Iterable[Token], now: datetime) -> list[Token]:
    return [token for token in tokens if token.ended_at is not None and token.ended_at + ENDED_KEPT <= now]
