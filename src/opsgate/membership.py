"""Who joins which fleet: what `Gate.open` was given, checked, with the environment behind it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from opsgate.identity import forked_name, worker_name
from opsgate.names import DIMENSIONS
from opsgate.paths import canonical_url, default_database
from opsgate.selector import checked_identifier


@dataclass(frozen=True, slots=True)
class Member:
    """One worker of one fleet. ``scope`` is what it works on at all; empty for anything."""

    urls: tuple[str, ...]
    """Where the fleet is, canonical: one database, or the servers that are tried in turn."""
    worker: str
    env: str | None = None
    scope: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    named: bool = False
    """Whether somebody chose the worker's name, so that a child may not go by it too."""
    token: str = field(default="", repr=False)

    @property
    def is_remote(self) -> bool:
        """Whether the fleet is behind servers."""
        return not self.urls[0].startswith("sqlite:")

    @property
    def shown(self) -> str:
        """Where the fleet is, for people."""
        return ", ".join(self.urls)

    def name_of_child(self) -> str:
        """The worker name of this process, forked from the one that opened the gate."""
        return forked_name(self.worker, self.named)


def joining(
    url: str | Iterable[str] | None,
    *,
    token: str | None,
    worker: str | None,
    env: str | None,
    scope: Mapping[str, Iterable[str]] | None,
) -> Member:
    """The member that these arguments of `Gate.open` describe. Raises ValueError with a sentence for the caller."""
    urls = _urls(url or os.environ.get("OPSGATE_URL") or f"sqlite:///{default_database()}")
    environment = env or os.environ.get("OPSGATE_ENV") or None
    declared: dict[str, tuple[str, ...]] = {}
    for dimension, values in (scope or {}).items():
        if dimension not in DIMENSIONS:
            raise ValueError(f"{ascii(dimension)[:60]} is not a dimension: use one of {', '.join(DIMENSIONS)}")
        declared[dimension] = tuple(checked_identifier(value, dimension) for value in values)
    return Member(
        urls=urls,
        worker=worker_name(worker),
        env=None if environment is None else checked_identifier(environment, "env"),
        scope=declared,
        named=bool(worker or os.environ.get("OPSGATE_WORKER")),
        token=_token(token, urls),
    )


def _urls(given: str | Iterable[str]) -> tuple[str, ...]:
    """One database, or one or more servers, canonical and each once."""
    parts = given.split(",") if isinstance(given, str) and given.startswith(("http:", "https:")) else given
    urls = [parts] if isinstance(parts, str) else [part.strip() for part in parts if part.strip()]
    if len(urls) > 1 and not all(url.startswith(("http://", "https://")) for url in urls):
        raise ValueError("only servers can be several: give one sqlite:/// URL, or http(s):// URLs of one fleet")
    return tuple(dict.fromkeys(map(_joinable, urls))) or (_joinable(""),)


def _joinable(url: str) -> str:
    canonical = canonical_url(url)
    scheme = canonical.partition("://")[0]
    if scheme in ("http", "https"):
        from urllib.parse import urlsplit

        try:
            complete = bool(urlsplit(canonical).hostname and urlsplit(canonical).port != 0)
        except ValueError:
            complete = False
        if not complete or not canonical.isascii() or not canonical.isprintable() or " " in canonical:
            raise ValueError(f"{ascii(canonical)[:60]} names no server: write http(s)://HOST:PORT")
        if "@" in url.partition("?")[0] or "?" in url:
            raise ValueError(f"{canonical} was given with more than a place: give a token by token= or OPSGATE_TOKEN")
    elif scheme != "sqlite":
        raise ValueError(f"{canonical}: a worker joins through a sqlite:/// file, and other databases through 'serve'")
    return canonical


def _token(given: str | None, urls: tuple[str, ...]) -> str:
    """The token to show to servers; its text is in no sentence."""
    if urls[0].startswith("sqlite:"):
        if given:
            raise ValueError(f"{urls[0]} is a file: who may open it needs no token")
        return ""
    token = (given or os.environ.get("OPSGATE_TOKEN") or "").strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("the token has characters that no token has: was something else pasted?")
    return token
