"""What a gate does when its state is old or was never there: three classes, chosen for each operation.

=========  =============  ======================  =======================  ============================================
class      state fresh    state old               nothing ever known       for
=========  =============  ======================  =======================  ============================================
routine    as it says     as it last said         allowed after 2 s        work that can be repeated or undone (S2)
guarded    as it says     as it last said, 300 s  refused after 30 s       work that costs money or hits a rate limit
hazardous  as it says     refused                 refused                  what cannot be undone: pay, delete, publish
=========  =============  ======================  =======================  ============================================

Above all classes: what was stopped when last seen stays stopped, and while an emergency was in force when last seen,
everything is closed as soon as the state is old. Where something was known once and cannot be read any more, that may
have been a stop: everything is closed until the fleet itself can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from opsgate.evaluate import Verdict
from opsgate.hold import Hold
from opsgate.names import operation_named

FRESH_S: Final = 15.0
"""Seconds for which a state counts as live after it was read (it is renewed every 5 s)."""

ALARM_S: Final = 60.0
"""Seconds after which routine work that goes on with an old state is worth an alarm of its own."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One class, perhaps with another age limit. ``max_stale_s`` None is no limit."""

    name: str
    max_stale_s: float | None
    cold_wait_s: float
    """Seconds after the gate was opened for which a first state is awaited."""
    cold_allows: bool
    """Whether work may run when that wait was in vain."""


CLASSES: Final = {
    "routine": Rule("routine", None, 2.0, cold_allows=True),
    "guarded": Rule("guarded", 300.0, 30.0, cold_allows=False),
    "hazardous": Rule("hazardous", FRESH_S, 0.0, cold_allows=False),
}

ROUTINE: Final = CLASSES["routine"]


class Policy:
    """Which class each operation has. Lives in the worker, so that it holds without any server."""

    def __init__(
        self, classes: Mapping[str, str] | None = None, max_stale_s: Mapping[str, float] | None = None
    ) -> None:
        """``classes``: operation → class; ``max_stale_s``: operation → seconds, in place of the class's own.

        Raises ValueError for a class that is none and for an age that is negative: the worker's code is at fault.
        """
        self._rules: dict[str, Rule] = {}
        for operation, name in (classes or {}).items():
            if name not in CLASSES:
                raise ValueError(f"{name!r} is not a class of operations: use one of {', '.join(CLASSES)}")
            self._rules[operation_named(operation)] = CLASSES[name]
        for operation, age_s in (max_stale_s or {}).items():
            if not age_s >= 0:
                raise ValueError(f"max_stale of {operation} is {age_s!r}: give seconds, zero or more")
            stored = operation_named(operation)
            self._rules[stored] = replace(self.of(stored), max_stale_s=float(age_s))

    def of(self, operation: str | None) -> Rule:
        """The rule of one operation; work without one, and operations nobody classed, are routine."""
        return self._rules.get(operation, ROUTINE) if operation is not None else ROUTINE

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The distinct rules in use, routine always among them."""
        return tuple(dict.fromkeys((ROUTINE, *self._rules.values())))

    @property
    def fresh_s(self) -> float:
        """The age up to which no rule closes anything."""
        return min((FRESH_S, *(rule.max_stale_s for rule in self.rules if rule.max_stale_s is not None)))


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict after its age was weighed. ``note`` says why where the age decided."""

    verdict: Verdict
    allowed: bool
    note: str = ""


def judge(
    verdict: Verdict, rule: Rule, age_s: float | None, emergencies: tuple[Hold, ...] = (), *, illegible: bool = False
) -> Judgement:
    """Weigh a verdict by the age of the state it rests on (None: there is no state, ``illegible``: there was one).

    ``emergencies`` are the emergency holds of that state. A refusal stays one at any age.
    """
    if verdict.blockers:
        return Judgement(verdict, allowed=False)
    if age_s is None and illegible:
        note = f"what was last known of the fleet cannot be read: {rule.name} work is closed until the fleet can be"
        return Judgement(Verdict("unknown"), allowed=False, note=note)
    if age_s is None:
        does = "runs all the same" if rule.cold_allows else "waits for it"
        note = f"nothing is known of the fleet yet: {rule.name} work {does}"
        return Judgement(Verdict("unknown"), rule.cold_allows, note)
    if verdict.outcome != "allowed":
        return Judgement(verdict, allowed=False)
    if emergencies and age_s > FRESH_S:
        note = f"the state is {age_s:.0f} s old and an emergency was in force: closed until it can be read again"
        return Judgement(Verdict("blocked", emergencies, verdict.unknown_names), allowed=False, note=note)
    if rule.max_stale_s is not None and age_s > rule.max_stale_s:
        note = f"the state is {age_s:.0f} s old, more than {rule.max_stale_s:.0f} s: {rule.name} work is closed"
        return Judgement(Verdict("unknown", unknown_names=verdict.unknown_names), allowed=False, note=note)
    return Judgement(verdict, allowed=True)
