"""The oracle: what must hold at any time, told with sets and dicts alone, as dumbly as possible."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

LIVE_S = 15.0

Pairs = frozenset[tuple[str, str]]
"""A selector, or a piece of work: ``(dimension, value)`` pairs."""

Key = tuple[Pairs, str, str]
"""What makes a hold the same hold: selector, source, owner."""

REGISTERED = {"site", "operation", "workflow"}
FREE = {"account", "env"}


@dataclass
class Plain:
    """One hold."""

    mode: str
    expires_at: datetime | None = None
    missed: bool = False


@dataclass
class Model:
    """One fleet. Each method answers with the code of the refusal that is due, or with None."""

    now: datetime
    names: set[tuple[str, str]]
    limits: dict[str, tuple[int, str]]
    holds: dict[Key, Plain] = field(default_factory=dict)
    heartbeats: dict[str, datetime] = field(default_factory=dict)
    scopes: dict[str, set[Pairs]] = field(default_factory=dict)
    """Emergency → the selectors of all its stops."""
    listed: dict[str, set[str]] = field(default_factory=dict)
    """Stop → who must acknowledge."""
    belongs: dict[str, str] = field(default_factory=dict)
    """Stop → its emergency."""
    registered: set[str] = field(default_factory=set)
    keeper_since: datetime | None = None

    # ----------------------------------------------------------------------------------------------------- questions

    def blockers(self, work: Pairs) -> set[tuple[Pairs, str, str]]:
        """Every hold, and every limit of zero, that covers this work."""
        covering = {key for key in self.holds if key[0] <= work}
        zeros = {
            (frozenset({("operation", operation)}), "limit", name)
            for name, (limit, operation) in self.limits.items()
            if limit == 0 and ("operation", operation) in work
        }
        return covering | zeros

    def live(self) -> set[str]:
        """Workers heard of within the last 15 seconds."""
        return {worker for worker, at in self.heartbeats.items() if at > self.now - timedelta(seconds=LIVE_S)}

    def unknown(self, selectors: list[Pairs]) -> bool:
        """Whether one of them names what nobody registered."""
        return any(pair[0] in REGISTERED and pair not in self.names for selector in selectors for pair in selector)

    # ------------------------------------------------------------------------------------------------------- commands

    def add(self, pair: tuple[str, str]) -> None:
        """Register a name."""
        self.names.add(pair)

    def remove(self, pair: tuple[str, str]) -> str | None:
        """Unregister a name."""
        if pair not in self.names:
            return "unknown-name"
        if any(pair in selector for selector, _, _ in self.holds):
            return "name-held"
        if any(("operation", operation) == pair for _, operation in self.limits.values()):
            return "name-limited"
        self.names.discard(pair)
        return None

    def place(
        self, selectors: list[Pairs], source: str, owner: str, mode: str, for_s: float | None, *, create: bool
    ) -> str | None:
        """Hold."""
        if self.unknown(selectors) and not create:
            return "unknown-name"
        for selector in selectors:
            self.names |= {pair for pair in selector if pair[0] in REGISTERED}
            end = None if for_s is None else self.now + timedelta(seconds=for_s)
            known = self.holds.get((selector, source, owner))
            if known is None:
                self.holds[selector, source, owner] = Plain(mode, end)
                continue
            if mode == "halt":
                known.mode = "halt"
            if known.expires_at is not None and (end is None or end > known.expires_at):
                known.expires_at, known.missed = end, False
        return None

    def release(self, selector: Pairs, *, force: bool, moved: bool) -> str | None:
        """A person releases a selector."""
        if moved:
            return "state-moved"
        here = [key for key in self.holds if key[0] == selector]
        if force and any(source == "emergency" for _, source, _ in here):
            return "emergency-hold"
        for key in here:
            if key[1] == "operator" or (force and key[1] != "emergency"):
                del self.holds[key]
        return None

    def release_own(self, selector: Pairs, source: str, owner: str) -> None:
        """Automation releases what it placed."""
        self.holds.pop((selector, source, owner), None)

    def switch(self, operation: str, *, to: bool) -> str | None:
        """Switch a flag."""
        if ("operation", operation) not in self.names:
            return "unknown-name"
        key = (frozenset({("operation", operation)}), "flag", operation)
        if to:
            self.holds.pop(key, None)
        else:
            self.holds.setdefault(key, Plain("drain"))
        return None

    def sweep(self) -> None:
        """The keeper ends what has expired while it watched, and marks the rest."""
        since = self.keeper_since or self.now
        for key, hold in list(self.holds.items()):
            if hold.expires_at is not None and hold.expires_at <= self.now and not hold.missed:
                if hold.expires_at >= since:
                    del self.holds[key]
                else:
                    hold.missed = True

    def stop(self, stop_id: str, emergency: str, selectors: list[Pairs], mode: str) -> None:
        """A stop was ordered and belongs to this emergency."""
        for selector in selectors:
            self.place([selector], "emergency", emergency, mode, None, create=True)
        self.scopes.setdefault(emergency, set()).update(selectors)
        self.listed[stop_id], self.belongs[stop_id] = self.live(), emergency

    def forget(self, worker: str) -> str | None:
        """A person says that a worker is gone."""
        waiting = [listed for stop, listed in self.listed.items() if self.belongs[stop] in self.scopes]
        if worker not in self.registered and not any(worker in listed for listed in waiting):
            return "unknown-worker"
        if worker in self.live():
            return "worker-alive"
        self.registered.discard(worker)
        for listed in waiting:
            listed.discard(worker)
        return None

    def meets(self, selectors: list[Pairs]) -> set[str]:
        """The running emergencies with which some work could be in common."""
        return {
            emergency
            for emergency, scope in self.scopes.items()
            if any(_could_meet(mine, theirs) for mine in selectors for theirs in scope)
        }

    def recover(self, emergency: str) -> None:
        """An emergency has ended."""
        del self.scopes[emergency]
        for key in [key for key in self.holds if key[1:] == ("emergency", emergency)]:
            del self.holds[key]


def _could_meet(one: Pairs, other: Pairs) -> bool:
    return len(dict(one) | dict(other)) == len(one | other)
