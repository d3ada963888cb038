"""The evaluator: from samples, time and the journal to what has to be done. Pure: the times, the orders in force and
the ids of new stops are given.

It judges each edge by the state as it is known here, most urgent first, and remembers what it has decided and the
journal does not say yet, so that a storm becomes one stop. What did not stop anything is asked for again when what kept
it from that is over: an edge within a cooldown is not forgotten with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from core.capabilities.course import EmergencyEnded
from core.messages import Recorded, TriggerEvent
from core.state import State, Trigger
from core.triggers.clocks import last_due, next_due
from core.triggers.sample import Sample
from core.triggers.suppression import ACTOR, Verdict, judge
from core.triggers.watch import Edge, Watch, by_urgency
from opsgate.order import Order

ASKED_AGAIN_S: Final = 60.0
"""Seconds after which an edge that stopped nothing is judged again, where no cooldown says otherwise."""

REPORT_S: Final = 1.0
"""Seconds between two reports of one trigger that stop nothing: one that flickers does not fill the journal."""


class Moment(NamedTuple):
    """This moment: by the clock of the wall, and by one in seconds that only goes forward."""

    at: datetime
    elapsed_s: float


class Fire(NamedTuple):
    """Stop this, now."""

    edge: Edge
    order: Order


class Report(NamedTuple):
    """Record that a trigger crossed, ``edges`` times, and stopped nothing; or that it was cleared."""

    edge: Edge
    edges: int
    verdict: Verdict | None


@dataclass(slots=True)
class Evaluator:
    """All triggers of one fleet at work. Not for two threads at once."""

    state: State
    automatics: bool = True
    stop_id: Callable[[str], str] = lambda name: f"S-{name}"
    watch: Watch = field(init=False)
    _pending: dict[str, Order] = field(default_factory=dict)
    _again_s: dict[str, float] = field(default_factory=dict)
    _waiting: dict[tuple[str, bool], Report] = field(default_factory=dict)
    _reported_s: dict[tuple[str, bool], float] = field(default_factory=dict)
    _crossed_before: dict[str, float] = field(default_factory=dict)
    _due_at: dict[str, datetime] = field(default_factory=dict)
    _counts: tuple[int, Mapping[str, int]] = field(default=(-1, {}), init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.counts)

    def begin(self, now: Moment) -> None:
        """Watch for every trigger there is."""
        for name, trigger in self.state.triggers.items():
            self._put(name, trigger, now)

    def arrived(self, state: State, events: Iterable[Recorded], now: Moment) -> None:
        """The journal has gone on, or, without events, is another one."""
        before, self.state = self.state, state
        events = tuple(events)
        if not events and state is not before:
            for name in {*before.triggers, *state.triggers}:
                self._changed(name, before, now)
        for recorded in events:
            happened = recorded.event
            if isinstance(happened, TriggerEvent):
                self._changed(happened.trigger, before, now)
            elif isinstance(happened, EmergencyEnded):
                self._ended(happened.emergency_id)
        self._pending = {name: order for name, order in self._pending.items() if order.stop_id not in state.stops}

    def take(self, samples: Iterable[Sample], now: Moment, placed: Iterable[Order] = ()) -> list[Fire]:
        """Look at samples as they come. ``placed`` are orders in force that the journal does not know yet."""
        edges: list[Edge] = []
        wall_s = now.at.timestamp()
        for sample in samples:
            age_s = max(0.0, wall_s - sample.at_s)
            edges.extend(self.watch.take(sample, now.elapsed_s - age_s, now.elapsed_s))
        return self._judged(edges, now, placed) if edges else []

    def refill(self, samples: Sequence[Sample], now: Moment) -> None:
        """Let windows go on where they were before this one began to watch. What has crossed by now and is not known to
        have is seen at the next sweep; what crossed and was let go in between is past."""
        wall_s = now.at.timestamp()
        for sample in samples:
            self.watch.take(sample, now.elapsed_s - max(0.0, wall_s - sample.at_s), now.elapsed_s)
        for name, watcher in self.watch.watchers.items():
            trigger = self.state.triggers.get(name)
            if watcher.crossing and trigger is not None and trigger.crossed_since is None:
                self.watch.arm(name)
            if trigger is not None and trigger.owes_since is not None:
                for sample in _since(trigger.owes_since, trigger, samples):
                    watcher.recall(sample)
                watcher.owe()  # what was measured before may be from before it crossed

    def sweep(self, now: Moment, placed: Iterable[Order] = ()) -> list[Fire]:
        """Look at what time has changed: windows, silences, clocks, cooldowns that are over."""
        for name in [name for name, due_s in self._again_s.items() if due_s <= now.elapsed_s]:
            del self._again_s[name]
            self.watch.arm(name)
        edges = [*self.watch.sweep(now.elapsed_s), *self._due(now), *self._over(now)]
        return self._judged(edges, now, placed)

    def reports(self, now: Moment) -> list[Report]:
        """What is to be recorded by now of what stopped nothing."""
        due = [key for key in self._waiting if now.elapsed_s >= self._reported_s.get(key, -REPORT_S) + REPORT_S]
        self._reported_s.update(dict.fromkeys(due, now.elapsed_s))
        return [self._waiting.pop(key) for key in due]

    @property
    def is_waiting(self) -> bool:
        """Whether something is to be reported in its turn."""
        return bool(self._waiting)

    def counts(self) -> Mapping[str, int]:
        """What rules see of the fleet."""
        if self._counts[0] != self.state.revision:
            state = self.state
            found = {
                "holds": len(state.holds),
                "stops": len(state.active_stops()),
                "emergencies": len(state.active),
                "workers": len(state.workers),
                "lost": sum(worker.lost_at is not None for worker in state.workers.values()),
                "sites": sum(dimension == "site" for dimension, _ in state.names),
            }
            self._counts = (state.revision, found)
        return self._counts[1]

    # ------------------------------------------------------------------------------------------------------ judging
    def _judged(self, edges: Iterable[Edge], now: Moment, placed: Iterable[Order]) -> list[Fire]:
        placed, fires = tuple(placed), []
        for edge in by_urgency(edges):
            trigger = self.state.triggers.get(edge.trigger)
            if trigger is None:
                continue
            if not edge.crossed:
                self._again_s.pop(edge.trigger, None)
                self._report(edge, None)
                continue
            in_force = (*placed, *self._pending.values())
            verdict = judge(self.state, trigger, now.at, in_force, automatics=self.automatics)
            if verdict.why is None:
                fires.append(self._fire(edge, trigger, now))
            else:
                self._keep(edge, verdict, trigger, now)
        return fires

    def _fire(self, edge: Edge, trigger: Trigger, now: Moment) -> Fire:
        definition = trigger.definition
        stop_id = self.stop_id(edge.trigger)
        if definition.schedule is not None:  # whoever else looks at the same clock orders the same stop
            stop_id = f"S-{edge.trigger[:80]}-{edge.value.rpartition(' ')[2]}"
        order = Order(
            stop_id=stop_id,
            ordered_at=now.at,
            selectors=definition.selectors(),
            level=definition.stop_level,
            reason=f"trigger {definition.name}: {edge.value}".rstrip(": ")[:300],
            actor=f"{ACTOR}{definition.name}"[:128],
            door="trigger",
        )
        self._pending[edge.trigger] = order
        self._waiting.pop((edge.trigger, True), None)
        return Fire(edge, order)

    def _keep(self, edge: Edge, verdict: Verdict, trigger: Trigger, now: Moment) -> None:
        """Have it recorded, and judged again when what kept it from stopping may be over. What it joins says so by its
        end."""
        self._report(edge, verdict)
        if verdict.until is not None:
            self._again_s[edge.trigger] = now.elapsed_s + (verdict.until - now.at).total_seconds()
        elif verdict.why != "joined":
            cooldown_s = trigger.definition.cooldown_period_ms / 1000
            self._again_s[edge.trigger] = now.elapsed_s + max(ASKED_AGAIN_S, cooldown_s)

    def _report(self, edge: Edge, verdict: Verdict | None) -> None:
        """Say it in its turn: what came last is said last."""
        key = (edge.trigger, edge.crossed)
        known = self._waiting.pop(key, None)
        self._waiting[key] = Report(edge, 1 + (known.edges if known else 0), verdict)

    # ------------------------------------------------------------------------------------------------------ following
    def _put(self, name: str, trigger: Trigger, now: Moment) -> None:
        self.watch.put(trigger.definition, now.elapsed_s)
        watcher = self.watch.watchers.get(name)
        if watcher is not None and trigger.has_to_come_back:
            watcher.owe()
        if trigger.crossed_since is not None:
            self._crossed_before[name] = now.elapsed_s
        self._due_at.pop(name, None)
        schedule = trigger.definition.schedule
        if schedule is not None and trigger.definition.is_active:
            seen = max(filter(None, (trigger.changed_at, trigger.fired_at, trigger.suppressed_at)))
            self._due_at[name] = last_due(schedule, seen, now.at) or next_due(schedule, now.at)

    def _changed(self, name: str, before: State, now: Moment) -> None:
        was, trigger = before.triggers.get(name), self.state.triggers.get(name)
        if trigger is None:
            self.watch.remove(name)
            for by_name in (self._again_s, self._crossed_before, self._due_at):
                by_name.pop(name, None)
            for by_edge in (self._waiting, self._reported_s):
                by_edge.pop((name, True), None)
                by_edge.pop((name, False), None)
        elif was is None or was.definition != trigger.definition:
            self._put(name, trigger, now)

    def _ended(self, emergency_id: str) -> None:
        for name, trigger in self.state.triggers.items():
            if trigger.emergency_id == emergency_id:
                self.watch.arm(name)
                watcher = self.watch.watchers.get(name)
                if watcher is not None:
                    watcher.forgive()

    def _due(self, now: Moment) -> Iterable[Edge]:
        """The clocks whose time has come. What was missed while nobody looked comes once, and late."""
        for name, due in [(name, due) for name, due in self._due_at.items() if due <= now.at]:
            definition = self.state.triggers[name].definition
            assert definition.schedule is not None, "only those are here"
            self._due_at[name] = next_due(definition.schedule, now.at)
            yield Edge(name, definition.priority, True, f"it is {due:%Y%m%dT%H%MZ}", 0, ())

    def _over(self, now: Moment) -> Iterable[Edge]:
        """Triggers that had crossed before this one began to watch, and have not since."""
        for name, since_s in list(self._crossed_before.items()):
            watcher, trigger = self.watch.watchers.get(name), self.state.triggers.get(name)
            if trigger is None or trigger.crossed_since is None or (watcher is not None and watcher.crossing):
                del self._crossed_before[name]
            elif trigger.definition.is_active and now.elapsed_s - since_s > trigger.definition.time_window_ms / 1000:
                del self._crossed_before[name]
                yield Edge(name, trigger.definition.priority, False, "nothing says that it goes on", 0, ())


def _since(crossed_at: datetime, trigger: Trigger, samples: Iterable[Sample]) -> Iterator[Sample]:
    """Those that a trigger listens to from the time at which it crossed, and the window before that."""
    definition = trigger.definition
    since_s = crossed_at.timestamp() - definition.time_window_ms / 1000
    for sample in samples:
        if sample.at_s >= since_s and definition.account_id in (None, sample.account):
            yield sample
