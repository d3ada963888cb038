"""Who asks: the credential of a request, and whose it is. Nothing else about a request says who somebody is.

A secret is taken from ``Authorization: Bearer`` or ``X-API-Key``, and under ``/api/client/``, whose clients know
neither, from ``Authorization`` alone; never from a path, a query, a cookie or a body. On the unix socket of this host
the kernel says who calls. What a proxy says of an address is not listened to.
"""

from __future__ import annotations

import ipaddress
import os
import pwd
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from backends.server.asked import Asked
from backends.server.problems import Problem
from core.authority import Identity, identity_of
from core.capabilities.tokens import token_of
from core.state import State

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

Identify = Callable[[Asked], Identity | None]
"""Whose the credential of a request is; None where there is none, or it is good for nothing. Raises `Problem` where
nobody may ask in this way."""

RAW: Final = "/api/client/"
"""Where ``Authorization`` holds the secret and nothing else."""

DEVELOPER: Final = Identity("dev", "admin")
"""Whoever reaches a server that runs with ``--dev``."""

_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Doorkeeper:
    """Knows people and workers by their tokens, and users of this host by the kernel's word."""

    def __init__(
        self,
        latest: Callable[[], State],
        *,
        allowed: Sequence[Network] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``latest`` gives the tokens, without asking a database: a stop is let in while there is none. ``allowed`` are
        the only networks from which requests are answered; none of them means all."""
        self._latest = latest
        self._allowed = tuple(allowed)
        self._now = now

    def __call__(self, asked: Asked) -> Identity | None:
        """Whose the credential is. One that is shown counts, also where the kernel knows the caller."""
        self._require_allowed(asked)
        secret = _secret(asked)
        if secret is None:
            return _user(asked)
        token = token_of(secret, self._latest().tokens)
        return identity_of(token) if token is not None and token.is_valid(self._now()) else None

    def _require_allowed(self, asked: Asked) -> None:
        if not self._allowed or asked.door == "unix" or _is_within(asked.client, self._allowed):
            return
        raise Problem(
            403, "address-not-allowed", "this address is not on the server's list", "see --allow", kind="not-permitted"
        )


def developer(asked: Asked) -> Identity:
    """Let everybody in who is at this host and is no web page: ``--dev``."""
    headers = asked.headers
    if "origin" in headers or headers.get("sec-fetch-site", "").lower() == "cross-site":
        raise Problem(
            403, "from-a-page", "a server with --dev answers no web page", "use a token", kind="not-permitted"
        )
    host = headers.get("host", "")
    if asked.door != "unix" and _without_port(host).lower() not in _LOCAL_HOSTS:
        raise Problem(400, "wrong-host", f"{ascii(host)[:60]} is not this host", "use 127.0.0.1")
    return DEVELOPER


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The networks of texts such as ``10.0.0.0/8`` or ``192.0.2.7``; ValueError where one is none."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def _secret(asked: Asked) -> str | None:
    """What is shown as a credential, None where nothing is. Two that differ are good for nothing."""
    shown = set()
    if "authorization" in asked.headers:
        shown.add(_bearer(asked.headers["authorization"], raw=asked.path.startswith(RAW)))
    if "x-api-key" in asked.headers:
        shown.add(asked.headers["x-api-key"])
    if not shown:
        return None
    return shown.pop() if len(shown) == 1 else ""


def _bearer(authorization: str, *, raw: bool) -> str:
    scheme, blank, secret = authorization.partition(" ")
    if blank and scheme.lower() == "bearer":
        return secret.strip()
    return authorization if raw else ""


def _user(asked: Asked) -> Identity | None:
    """The user at the other end of a unix socket: whoever can do to this process what they please is its admin."""
    if asked.peer is None or asked.peer[1] not in (os.geteuid(), 0):
        return None
    return Identity(login_of(asked.peer[1]), "admin")


@lru_cache(maxsize=8)
def login_of(uid: int) -> str:
    """The login name of a user of this host, or ``uid-N`` where it knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def _is_within(client: str, allowed: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in allowed)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0]
