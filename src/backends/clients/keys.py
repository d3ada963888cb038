"""Flag keys: how clients of feature flags name work of a fleet, and what is decided about it.

``enableX`` and the names of custom flags are the operation behind them, ``allow.OPERATION`` the same by its own name,
``workflow.NAME`` and ``dependency.NAME`` what they say. The context of an evaluation may narrow the work further.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.state import State
from opsgate.evaluate import Verdict, evaluate
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


def keys(state: State) -> Iterator[str]:
    """Every key of a fleet, in a fixed order."""
    operations = [name.name for name in state.names_of("operation")]
    for operation in operations:
        yield FLAG_OF_OPERATION.get(operation, operation)
    for prefix, dimension in _PREFIXES.items():
        for name in state.names_of(dimension):
            yield f"{prefix}{name.name}"


def answer(state: State, key: str, context: Mapping[str, Any] | None = None) -> Answer | None:
    """What is decided about a key, in a context; None for a key that nobody registered."""
    named = _named(key)
    if (named[0], named[1]) not in state.names:
        return None
    work = {name: str(value) for name, value in (context or {}).items() if name in CONTEXT and _is_plain(value)}
    target = (context or {}).get("targetingKey")
    verdict = evaluate(
        state.table(), {**work, named[0]: named[1]}, key=target if isinstance(target, str) and target else None
    )
    return Answer(key, verdict, bool(work))


def _named(key: str) -> tuple[str, str]:
    for prefix, dimension in _PREFIXES.items():
        if key.startswith(prefix):
            name = key[len(prefix) :]
            return dimension, operation_named(name) if dimension == "operation" else name
    return "operation", operation_named(key)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
