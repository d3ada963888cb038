"""The starts of a worker that speaks HTTP, by the names that its processes drew: which one has the worker's name now,
by which credential it came, and which ones it replaced.

They lie beside what the worker last said, for all servers of a fleet: a restart may come to another one, or to the same
one after a restart of its own. No clock of another server counts there. A time is written beside the heartbeat that was
heard by the same clock, so what is left of it is known wherever it is read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from immutables import Map

from core.ports import WorkerRow
from opsgate.hold import moment, timestamp
from opsgate.wire import LOST_AFTER_S

_REPLACED_MAX: Final = 16
"""Starts of one worker that are remembered as replaced; of more the oldest are forgotten."""


class Replaced(NamedTuple):
    """A start of a worker that a later one has replaced: how much work ran in it by its last word, which stops it
    obeyed with none left, and until when it would have counted as live. Nobody knows what it has begun since, or what
    became of it, so until then no other stop counts as obeyed for the word of its successor."""

    in_flight: int
    done: frozenset[str]
    until_s: float

    def is_uncertain(self, now_s: float) -> bool:
        """Whether something may run in it still: it has not said goodbye, and would not be lost yet."""
        return now_s < self.until_s

    def ended(self) -> Replaced:
        """The same after its goodbye."""
        return self._replace(in_flight=0, until_s=-math.inf)


@dataclass(frozen=True, slots=True)
class Starts:
    """``boot`` is the name that the process drew which has the worker's name, empty where it draws none;
    ``credential`` what it came by; ``replaced`` the starts before it."""

    boot: str = ""
    credential: str = ""
    replaced: Map[str, Replaced] = Map()

    def after(self, boot: str, row: WorkerRow, heard_s: float) -> Map[str, Replaced]:
        """The starts that are replaced once this one is, whose last word was ``row``. What it obeyed was counted only
        where all before it did too, so whichever is forgotten, what was uncertain in it still is."""
        replaced, done = self.replaced, frozenset(filter(row.has_stopped, row.stops))
        if boot in replaced:
            return replaced
        if len(replaced) >= _REPLACED_MAX:
            replaced = replaced.delete(min(replaced, key=lambda each: replaced[each].until_s))
        return replaced.set(boot, Replaced(row.in_flight, done, heard_s + LOST_AFTER_S))

    def text(self, at: datetime, now_s: float) -> str:
        """How they are kept beside a heartbeat that was heard ``at`` this time of day, ``now_s`` by the other clock;
        empty where there is nothing to keep."""
        if not self.boot and not self.replaced:
            return ""
        replaced = {boot: _document(each, at, now_s) for boot, each in self.replaced.items()}
        return json.dumps({"boot": self.boot, "credential": self.credential, "replaced": replaced})

    @classmethod
    def of(cls, row: WorkerRow, now_s: float) -> Starts:
        """Those that are kept in a row, as far as they can be read. Of what was uncertain at its heartbeat the rest of
        the time counts from now on, and never more than a worker has before it is lost."""
        try:
            kept = json.loads(row.boots) if row.boots else {}
            replaced = {str(boot): _replaced(each, row, now_s) for boot, each in kept.get("replaced", {}).items()}
            return cls(str(kept.get("boot", "")), str(kept.get("credential", "")), Map(replaced))
        except (ValueError, TypeError, KeyError, AttributeError):
            return NO_STARTS  # of a later version: it waits, as one does that draws no name


NO_STARTS: Final = Starts()
"""Of a worker that draws no names."""


def _document(each: Replaced, at: datetime, now_s: float) -> dict[str, Any]:
    left_s = each.until_s - now_s
    if left_s <= 0:
        return {}  # that there was one is all that counts by now
    until_at = timestamp(at + timedelta(seconds=left_s))
    return {"in_flight": each.in_flight, "done": sorted(each.done), "until_at": until_at}


def _replaced(document: Mapping[str, Any], row: WorkerRow, now_s: float) -> Replaced:
    if not document:
        return Replaced(0, frozenset(), -math.inf)
    left_s = (moment(document["until_at"]) - row.heartbeat_at).total_seconds()
    until_s = now_s + min(left_s, LOST_AFTER_S) if left_s > 0 else -math.inf
    return Replaced(int(document["in_flight"]), frozenset(map(str, document["done"])), until_s)
