"""Rules in CEL over samples and state: compiled once, and bounded.

The language has no loops but the macros over lists, and a nest of those takes minutes over small lists. A rule may use
none of them, so it takes as long as its text is long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

VARIABLES: Final[Mapping[str, str]] = {
    "metric": "the metric of the latest sample",
    "value": "its value",
    "account": "whom it is about, or empty",
    "source": "who measured it, or empty",
    "last": "the latest value of each metric, by name",
    "count": "samples inside the window, of all metrics that the rule listens to",
    "sum": "of their values",
    "mean": "of their values",
    "thresholds": "the thresholds of the trigger, by name",
    "state": "counts of the fleet: holds, stops, emergencies, workers, lost, sites",
}
"""What a rule can look at."""

_LOOPS: Final = re.compile(r"\b(map|filter|all|exists|exists_one|existsOne)\s*\(|(//)")
"""What goes through lists, and comments, which could hide it. Whatever else there is takes a time that the text
bounds."""


class Rule(NamedTuple):
    """A compiled rule. Not to be made by hand: see `compiled`."""

    program: Any

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """Whether it is true. ValueError where it cannot be said: a name that is not there, no truth value."""
        try:
            found = self.program.execute(dict(variables))
            if not isinstance(found, bool):
                raise TypeError(f"it gives {ascii(found)[:60]} and neither true nor false")
        except (TypeError, RuntimeError, ValueError, LookupError, ArithmeticError) as error:
            raise ValueError(_short(error)) from None
        return found


@lru_cache(maxsize=1000)
def compiled(text: str) -> Rule:
    """The rule of a text. ValueError in words where it is none, or where it may take long."""
    import cel  # here, because it takes a second, and few fleets have such a rule

    loop = _LOOPS.search(text)
    if loop:
        raise ValueError(f"a rule goes through no lists and has no comments: write it without {loop[1] or loop[2]}")
    try:
        program = cel.compile(text)
    except ValueError as error:
        raise ValueError(_short(error)) from None
    unknown = sorted(set(program.variables()) - set(VARIABLES))
    if unknown:
        raise ValueError(f"{unknown[0]} is nothing that a rule can look at: there are {', '.join(VARIABLES)}")
    return Rule(program)


def fault_of_rule(text: str) -> str:
    """Why a rule cannot be taken; empty where it can."""
    try:
        compiled(text)
    except ValueError as error:
        return f"the rule cannot be read: {error}"
    return ""


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
