"""How far an authority reaches: the sites and the environments whose work it may see and change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from opsgate.selector import Selector


@dataclass(frozen=True, slots=True)
class Scope:
    """Sites and environments, both by name; none of a kind means all of that kind."""

    sites: frozenset[str] = frozenset()
    envs: frozenset[str] = frozenset()

    def covers(self, selector: Selector) -> bool:
        """Whether all the work that ``selector`` selects lies within: it names one of the sites, where this names
        any, and one of the environments, where this names any."""
        return _within(selector.get("site"), self.sites) and _within(selector.get("env"), self.envs)

    def touches(self, selector: Selector) -> bool:
        """Whether some of the work that ``selector`` selects lies within: it names no site, or one of these, and no
        environment, or one of these."""
        return _meets(selector.get("site"), self.sites) and _meets(selector.get("env"), self.envs)

    def touches_worker(self, env: str, declared: Mapping[str, Collection[str]]) -> bool:
        """Whether a worker that declared this environment and these names may do work within. What it has not declared
        it may all do."""
        envs = (env,) if env else declared.get("env")
        return _shares(declared.get("site"), self.sites) and _shares(envs, self.envs)

    def contains(self, other: Scope) -> bool:
        """Whether whatever ``other`` covers is covered by this one too."""
        return _narrower(other.sites, self.sites) and _narrower(other.envs, self.envs)

    def __str__(self) -> str:
        kinds = (("site", self.sites), ("env", self.envs))
        return " and ".join(f"{kind} {' or '.join(sorted(names))}" for kind, names in kinds if names) or "all"


EVERYWHERE: Final = Scope()
"""The scope without bounds."""


def _within(name: str | None, bounds: frozenset[str]) -> bool:
    return not bounds or name in bounds


def _meets(name: str | None, bounds: frozenset[str]) -> bool:
    return name is None or _within(name, bounds)


def _shares(names: Collection[str] | None, bounds: frozenset[str]) -> bool:
    return names is None or not bounds or not bounds.isdisjoint(names)


def _narrower(inner: frozenset[str], outer: frozenset[str]) -> bool:
    return not outer or (bool(inner) and inner <= outer)
