"""One alert for each turn for the worse or the better, never one for each check (S2: alert-level logs on failure)."""

from __future__ import annotations

import logging
from typing import Final, Literal

from opsgate.failsafe import ALARM_S, FRESH_S, Rule

log: Final = logging.getLogger("opsgate")

Freshness = Literal["initialising", "valid", "interrupted", "off"]
"""initialising: nothing read yet; valid: as new as it can be; interrupted: cut off, going on with the last known
state; off: closed by the worker."""


class Alarms:
    """Says when the state of a gate grows old, and what that closes. For use by one thread."""

    def __init__(self, place: str, rules: tuple[Rule, ...]) -> None:
        """``place`` is where the state is read from, for people; ``rules`` are those in use."""
        self._place = place
        self._rules = rules
        self._failing_since_s: float | None = None
        self._said: set[str] = set()

    def read(self, now_s: float) -> None:
        """The state was read."""
        if self._failing_since_s is not None:
            log.warning("%s can be read again after %.0f s", self._place, now_s - self._failing_since_s)
        elif self._said:
            log.warning("%s can be read again", self._place)
        self._failing_since_s = None
        self._said.clear()

    def failed(self, sentence: str, now_s: float, *, known: bool, lasting: bool = False) -> None:
        """The state could not be read. What only a person can end is said whatever was said before it."""
        if lasting:
            self._failing_since_s = now_s if self._failing_since_s is None else self._failing_since_s
            self._once(sentence, logging.ERROR, sentence)
        elif self._failing_since_s is None:
            self._failing_since_s = now_s
            going_on = "going on with the last known state" if known else "nothing is known of the fleet"
            log.warning("%s; %s", sentence, going_on)

    def aged(self, age_s: float | None, open_s: float, *, emergency: bool, illegible: bool = False) -> None:
        """Time has passed. ``open_s`` is how long the gate has been open, ``age_s`` None while nothing is known, with
        ``illegible`` where something was."""
        for rule in self._rules:
            if age_s is None and illegible:
                self._once(
                    "illegible",
                    logging.ERROR,
                    "what was last known of the fleet cannot be read: everything is closed until the fleet can be",
                )
            elif age_s is None:
                self._cold(rule, open_s)
            elif emergency and age_s > FRESH_S:
                self._once(
                    "emergency",
                    logging.ERROR,
                    f"the state is {age_s:.0f} s old and an emergency was in force: "
                    "everything is closed until it can be read again",
                )
            elif rule.max_stale_s is not None and age_s > rule.max_stale_s:
                self._once(f"{rule}", logging.ERROR, f"the state is {age_s:.0f} s old: {rule.name} work is closed")
            elif rule.max_stale_s is None and age_s > ALARM_S:
                self._once(
                    f"{rule}",
                    logging.ERROR,
                    f"the state is {age_s:.0f} s old: {rule.name} work goes on and "
                    "cannot be stopped from here; use its latch or its driver",
                )

    def _cold(self, rule: Rule, open_s: float) -> None:
        if open_s > rule.cold_wait_s:
            does = "runs all the same" if rule.cold_allows else "is refused"
            self._once(f"{rule}", logging.ERROR, f"nothing is known of the fleet: {rule.name} work {does}")

    def _once(self, what: str, level: int, sentence: str) -> None:
        if what not in self._said:
            self._said.add(what)
            log.log(level, "%s", sentence)
