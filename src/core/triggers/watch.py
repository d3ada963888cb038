"""The watch: all triggers of a fleet over the samples that come. Pure; the time is an argument, in seconds of a clock
that only goes forward.

A sample is looked at by those triggers alone that listen to its metric and its account, so what it costs does not grow
with how many others there are. A trigger fires on the edge: once when it crosses, and again only when it has been
cleared, or has been armed anew because its stop has ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from core.triggers import TYPES
from core.triggers.definition import Definition
from core.triggers.rules import compiled
from core.triggers.sample import Sample
from core.triggers.windows import Condition, Window

INPUTS_KEPT: Final = 10
"""Samples that are kept with an evaluation, the latest ones."""


_NO_STATE: Final[Mapping[str, int]] = {}


class Edge(NamedTuple):
    """A trigger has crossed, or has been cleared. ``value`` says why in words; ``sampled`` that it was cleared by
    samples, of everything that had crossed, and not by silence."""

    trigger: str
    priority: int
    crossed: bool
    value: str
    samples: int
    inputs: tuple[Sample, ...]
    sampled: bool = False


class Watcher:
    """One trigger at work."""

    __slots__ = (
        "_absent_s",
        "_armed",
        "_conditions",
        "_fresh_s",
        "_heard_s",
        "_inputs",
        "_owes",
        "_rule",
        "_why",
        "crossing",
        "definition",
        "fault",
        "name",
    )

    def __init__(self, definition: Definition, now_s: float) -> None:
        self.definition = definition
        self.name = definition.name
        self.fault = ""
        """Why its rule could not be evaluated last; empty where it could."""
        self.crossing = False
        self._armed = True
        self._owes = False
        self._why = ""
        window_s = definition.time_window_ms / 1000
        absent_ms = definition.absent_after_ms
        self._absent_s = None if absent_ms is None else absent_ms / 1000
        self._fresh_s = window_s if self._absent_s is None else self._absent_s
        """Seconds after which a sample that was kept back says nothing about now."""
        self._inputs: deque[Sample] = deque(maxlen=INPUTS_KEPT)
        self._heard_s = now_s
        self._conditions = tuple(_conditions(definition, window_s))
        self._rule = _RuleAtWork(definition, window_s) if definition.rule else None

    @property
    def topics(self) -> Iterable[str]:
        """The metrics that it listens to."""
        return topics(self.definition)

    @property
    def sleeps(self) -> bool:
        """Whether only a sample can change anything about it."""
        if self.crossing or self._absent_s is not None or self._rule is not None:
            return False
        return all(each.sleeps for each in self._conditions)

    @property
    def has_rule(self) -> bool:
        """Whether it looks at the state of the fleet too."""
        return self._rule is not None

    def arm(self) -> None:
        """Fire again though it has not been cleared: what it stopped runs again."""
        self._armed = True

    def owe(self) -> None:
        """It crossed before this began to watch: it has come back when samples say so of all that it looks at."""
        self._owes = True
        for condition in self._conditions:
            condition.owe()

    def recall(self, sample: Sample) -> None:
        """A sample from when it crossed, before this began to watch."""
        for condition in self._conditions:
            if condition.metric == sample.metric:
                condition.recall(sample)

    def forgive(self) -> None:
        """What it crossed for is over, by a person's word: only what crosses now has to come back."""
        self._owes = self.crossing
        for condition in self._conditions:
            condition.forgive()

    def take(self, sample: Sample, at_s: float, now_s: float, state: Mapping[str, int]) -> Edge | None:
        """Look at one more sample."""
        self._inputs.append(sample)
        self._heard_s = max(self._heard_s, at_s)
        for condition in self._conditions:
            if condition.metric == sample.metric:
                condition.take(sample, at_s, now_s)
        if self._rule is not None:
            self._rule.take(sample, at_s, now_s)
        return self._decide(now_s, state, sampled=at_s > now_s - self._fresh_s)

    def look(self, now_s: float, state: Mapping[str, int]) -> Edge | None:
        """Look at what time alone has changed."""
        for condition in self._conditions:
            condition.look(now_s)
        return self._decide(now_s, state, sampled=self._rule is not None and not self._rule.hears)

    def _decide(self, now_s: float, state: Mapping[str, int], *, sampled: bool) -> Edge | None:
        """``sampled`` is whether this is the moment of a sample, or it needs none."""
        why = self._crossed(now_s, state)
        was, self.crossing = self.crossing, bool(why)
        if self.crossing:
            self._why, self._owes = why, True
            if not self._armed:
                return None
            self._armed = False
            return self._edge(True, why)
        self._armed = self._armed or was
        if sampled and self._owes and self._has_come_back():
            self._owes = False
            return self._edge(False, f"no more: {self._why or 'a sample says so'}", sampled=True)
        return self._edge(False, f"nothing says so any more: {self._why}") if was else None

    def _has_come_back(self) -> bool:
        """Whether samples say so of all that had crossed; whether its rule, if it has one, could be asked."""
        ruled = self._rule is None or (self._rule.has_enough and not self.fault)
        return ruled and not any(condition.owes for condition in self._conditions)

    def _crossed(self, now_s: float, state: Mapping[str, int]) -> str:
        """What has been crossed, in words; empty where nothing is."""
        for condition in self._conditions:
            if condition.crossing:
                value = "" if condition.value is None else f"{condition.value:g}"
                return f"{condition.name} {value} (threshold {condition.threshold:g}, {condition.measure})"
        if self._absent_s is not None and now_s - self._heard_s >= self._absent_s:
            return f"no sample for {self._absent_s:g} s"
        if self._rule is None:
            return ""
        try:
            says = self._rule.says(now_s, state)
            self.fault = ""
        except ValueError as error:
            self.fault, says = str(error), ""
        return says

    def _edge(self, crossed: bool, value: str, *, sampled: bool = False) -> Edge:
        name, priority = self.definition.name, self.definition.priority
        samples = len(self._inputs) if self._rule is None else max(len(self._inputs), self._rule.window.count)
        return Edge(name, priority, crossed, value[:300], samples, tuple(self._inputs), sampled)


class _RuleAtWork:
    """A rule and what it looks at."""

    def __init__(self, definition: Definition, window_s: float) -> None:
        self._definition = definition
        self.window = Window(window_s)
        self._last: dict[str, float] = {}
        self._latest = Sample("", 0.0, 0.0)

    def take(self, sample: Sample, at_s: float, now_s: float) -> None:
        """Remember one more sample."""
        self._latest = sample
        self._last[sample.metric] = sample.value
        self.window.add(sample.value, at_s)
        self.window.drop(now_s)

    @property
    def hears(self) -> bool:
        """Whether it looks at samples, and not at the state of the fleet alone."""
        return bool(self._definition.metrics)

    @property
    def has_enough(self) -> bool:
        """Whether as many samples have come as it needs."""
        return not self.hears or self.window.count >= self._definition.min_samples

    def says(self, now_s: float, state: Mapping[str, int]) -> str:
        """The rule, where it is true; empty where it is not. ValueError where that cannot be said."""
        definition, window, latest = self._definition, self.window, self._latest
        window.drop(now_s)
        if not self.has_enough:
            return ""
        holds = compiled(definition.rule).holds(
            {
                "metric": latest.metric,
                "value": latest.value,
                "account": latest.account or "",
                "source": latest.source,
                "last": self._last,
                "count": window.count,
                "sum": window.total,
                "mean": window.total / window.count if window.count else 0.0,
                "thresholds": definition.thresholds,
                "state": state,
            }
        )
        return f"{latest.metric} {latest.value:g}: {definition.rule}".lstrip() if holds else ""


class Watch:
    """All triggers of a fleet that samples and time may fire. Not for two threads at once."""

    def __init__(self, state: Callable[[], Mapping[str, int]] = dict) -> None:
        """``state`` gives the counts of the fleet that rules look at."""
        self._state = state
        self.watchers: dict[str, Watcher] = {}
        self._listeners: dict[tuple[str, str], list[Watcher]] = {}
        self._awake: dict[str, Watcher] = {}

    def put(self, definition: Definition, now_s: float) -> None:
        """Watch for this trigger, in place of the one of its name."""
        self.remove(definition.name)
        if not definition.is_active:
            return
        watcher = self.watchers[definition.name] = Watcher(definition, now_s)
        for metric in watcher.topics:
            self._listeners.setdefault((metric, definition.account_id or ""), []).append(watcher)
        if not watcher.sleeps:
            self._awake[definition.name] = watcher

    def remove(self, name: str) -> None:
        """Watch for it no more."""
        watcher = self.watchers.pop(name, None)
        self._awake.pop(name, None)
        if watcher is None:
            return
        for metric in watcher.topics:
            key = (metric, watcher.definition.account_id or "")
            left = [each for each in self._listeners.get(key, ()) if each is not watcher]
            if left:
                self._listeners[key] = left
            else:
                self._listeners.pop(key, None)

    def listens(self, metric: str) -> bool:
        """Whether some trigger looks at this metric, of whomever."""
        return any(topic == metric for topic, _ in self._listeners)

    def arm(self, name: str) -> None:
        """Let a trigger fire again though it has not been cleared."""
        watcher = self.watchers.get(name)
        if watcher is not None:
            watcher.arm()
            self._awake[name] = watcher

    def take(self, sample: Sample, at_s: float, now_s: float) -> list[Edge]:
        """Look at one sample, which is as old as ``at_s`` says; the edges that it brings about."""
        edges: list[Edge] = []
        self._ask((sample.metric, ""), sample, at_s, now_s, edges)
        if sample.account:
            self._ask((sample.metric, sample.account), sample, at_s, now_s, edges)
        return edges

    def sweep(self, now_s: float) -> list[Edge]:
        """Look at what time alone has changed: windows that emptied, samples that do not come, state."""
        state, edges = self._state(), []
        for name, watcher in list(self._awake.items()):
            edge = watcher.look(now_s, state)
            if edge is not None:
                edges.append(edge)
            if watcher.sleeps:
                del self._awake[name]
        return edges

    def _ask(self, topic: tuple[str, str], sample: Sample, at_s: float, now_s: float, edges: list[Edge]) -> None:
        for watcher in self._listeners.get(topic, ()):
            state = self._state() if watcher.has_rule else _NO_STATE
            edge = watcher.take(sample, at_s, now_s, state)
            if edge is not None:
                edges.append(edge)
            if not watcher.sleeps:
                self._awake[watcher.name] = watcher


def _conditions(definition: Definition, window_s: float) -> Iterable[Condition]:
    kind = TYPES[definition.trigger_type]
    for threshold in kind.thresholds:
        on = definition.thresholds.get(threshold.name)
        if on is not None:
            clear = definition.clear.get(threshold.name, on)
            yield Condition(threshold, on, clear, window_s, definition.min_samples)


def topics(definition: Definition) -> Iterable[str]:
    """The metrics that a trigger listens to."""
    if definition.rule:
        return definition.metrics
    kind = TYPES[definition.trigger_type]
    if not definition.thresholds:  # it fires when nothing comes any more
        return dict.fromkeys(each.metric for each in kind.thresholds)
    return dict.fromkeys(each.metric for each in kind.thresholds if each.name in definition.thresholds)


def by_urgency(edges: Iterable[Edge]) -> list[Edge]:
    """Those with the highest priority first, as they came otherwise."""
    return sorted(edges, key=lambda edge: -edge.priority)
