"""Who asks: the credential of a request, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from backends.server.asked import Asked
from backends.server.problems import Problem
from core.messages import Actor


class Identity(Protocol):
    """Somebody who may ask."""

    def actor(self) -> Actor:
        """Who is written into the journal."""


Identify = Callable[[Asked], Identity | None]
"""Whose the credential of a request is; None where there is none, or it is good for nothing."""

_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Developer:
    """Whoever reaches a server that runs with ``--dev``."""

    def actor(self) -> Actor:
        """The name of them all."""
        return Actor(name="dev")


def developer(asked: Asked) -> Identity:
    """Let everybody in who is at this host and is no web page: ``--dev``."""
    if "origin" in asked.headers or asked.headers.get("sec-fetch-site") == "cross-site":
        raise Problem(
            403, "from-a-page", "a server with --dev answers no web page", "use a token", kind="not-permitted"
        )
    host = asked.headers.get("host", "")
    name = host[: host.rindex("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    if asked.door != "unix" and name.lower() not in _LOCAL_HOSTS:
        raise Problem(400, "wrong-host", f"{ascii(host)[:60]} is not this host", "use 127.0.0.1")
    return Developer()
