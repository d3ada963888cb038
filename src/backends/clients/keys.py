"""Flag keys: how clients of feature flags name work of a fleet, and what is decided about it.

``enableX`` and the names of custom flags are the operation behind them, ``allow.OPERATION`` the same by its own name,
``workflow.NAME`` and ``dependency.NAME`` what they say. The context of an evaluation may narrow the work further.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opsgate.evaluate import Table, Verdict, evaluate
from opsgate.names import FLAG_OF_OPERATION, operation_named

CONTEXT: Final = ("site", "account", "campaign", "env", "agent", "service")
"""What of a context narrows the work; the rest of it is the client's own."""

_PREFIXES: Final = {"allow.": "operation", "workflow.": "workflow", "dependency.": "dependency"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is decided about one key. ``narrowed`` is whether the context had a part in it."""

    key: str
    verdict: Verdict
    narrowed: bool

    @property
    def allowed(self) -> bool:
        """Whether it may run."""
        return self.verdict.outcome == "allowed"


def keys(table: Table) -> Iterator[str]:
    """Every key of a fleet, in a fixed order."""
    for operation in sorted(table.names.get("operation", ())):
        yield FLAG_OF_OPERATION.get(operation, operation)
    for prefix, dimension in _PREFIXES.items():
        for name in sorted(table.names.get(dimension, ())):
            yield f"{prefix}{name}"


def answer(table: Table, key: str, context: Mapping[str, Any] | None = None) -> Answer | None:
    """What is decided about a key, in a context; None for a key that nobody registered."""
    named = work_of(table, key)
    if named is None:
        return None
    given = context or {}
    narrowed = {name: str(value) for name, value in given.items() if name in CONTEXT and _is_plain(value)}
    target = given.get("targetingKey")
    verdict = evaluate(table, {**narrowed, **named}, key=target if isinstance(target, str) and target else None)
    return Answer(key, verdict, bool(narrowed))


def work_of(table: Table, key: str) -> dict[str, str] | None:
    """The work that a key names; None where nobody registered that."""
    dimension, name = _named(key)
    return {dimension: name} if name in table.names.get(dimension, ()) else None


def _named(key: str) -> tuple[str, str]:
    for prefix, dimension in _PREFIXES.items():
        if key.startswith(prefix):
            name = key[len(prefix) :]
            return dimension, operation_named(name) if dimension == "operation" else name
    return "operation", operation_named(key)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
