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
    """One worker of the fleet behind one URL. ``scope`` is what it works on at all; empty for anything."""

    url: str
    worker: str
    env: str | None = None
    scope: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    named: bool = False
    """Whether somebody chose the worker's name, so that a child may not go by it too."""

    def name_of_child(self) -> str:
        """The worker name of this process, forked from the one that opened the gate."""
        return forked_name(self.worker, self.named)


def joining(
    url: str | None,
    *,
    token: str | None,
    worker: str | None,
    env: str | None,
    scope: Mapping[str, Iterable[str]] | None,
) -> Member:
    """The member that these arguments of `Gate.open` describe. Raises ValueError with a sentence for the caller."""
    chosen = url or os.environ.get("OPSGATE_URL") or f"sqlite:///{default_database()}"
    canonical = canonical_url(chosen)
    scheme = canonical.partition("://")[0]
    if scheme in ("http", "https"):
        raise ValueError(f"{canonical}: joining a fleet over HTTP comes with 'opsconsole serve'; give a sqlite:/// URL")
    if scheme != "sqlite":
        raise ValueError(f"{canonical}: a worker joins through a sqlite:/// file, and other databases through 'serve'")
    if token:
        raise ValueError(f"{canonical} is a file: who may open it needs no token")
    environment = env or os.environ.get("OPSGATE_ENV") or None
    declared: dict[str, tuple[str, ...]] = {}
    for dimension, values in (scope or {}).items():
        if dimension not in DIMENSIONS:
            raise ValueError(f"{ascii(dimension)[:60]} is not a dimension: use one of {', '.join(DIMENSIONS)}")
        declared[dimension] = tuple(checked_identifier(value, dimension) for value in values)
    return Member(
        url=canonical,
        worker=worker_name(worker),
        env=None if environment is None else checked_identifier(environment, "env"),
        scope=declared,
        named=bool(worker or os.environ.get("OPSGATE_WORKER")),
    )
