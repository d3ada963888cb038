"""What a trigger remembers of samples: bounded, however many there are.

A window is kept in slots of a sixtieth of its length, so a sample counts for that much longer at most, and ten thousand
samples a second take no more room than one.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from core.triggers.kinds import Measure, Threshold
from core.triggers.sample import Sample

_SLOTS: Final = 60
_KEYS_MAX: Final = 10_000
"""Accounts and sources that one threshold tells apart; of more than so many the oldest are forgotten."""


class Window:
    """Counts, sums and shares of the samples of the last so many seconds."""

    __slots__ = ("_grain_s", "_slots", "_window_s", "count", "positive", "total")

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._grain_s = window_s / _SLOTS
        self._slots: deque[list[float]] = deque()
        self.count = 0
        self.total = 0.0
        self.positive = 0

    def add(self, value: float, at_s: float) -> None:
        """Take one; an older one than the latest counts with the latest."""
        positive = value > 0
        slots = self._slots
        if slots and at_s - slots[-1][0] < self._grain_s:
            slot = slots[-1]
            slot[1] += 1
            slot[2] += value
            slot[3] += positive
        else:
            slots.append([at_s, 1, value, positive])
        self.count += 1
        self.total += value
        self.positive += positive

    def drop(self, now_s: float) -> None:
        """Forget what is too old."""
        slots, end_s = self._slots, now_s - self._window_s
        while slots and slots[0][0] <= end_s:
            _, count, total, positive = slots.popleft()
            self.count -= int(count)
            self.total -= total
            self.positive -= int(positive)
        if not slots:
            self.total = 0.0  # and no rounding of the past with it


class Level:
    """The latest values of one account and source, and whether they have crossed."""

    __slots__ = ("at_s", "crossing", "values")

    def __init__(self, keep: int) -> None:
        self.values: deque[tuple[float, float]] = deque(maxlen=keep)
        self.at_s = float("-inf")
        self.crossing = False


class Condition:
    """One threshold of one trigger at work. ``crossing`` is whether it has been crossed and not been let go since.
    Silence lets it go, too; ``owes`` says that no sample has shown since that it has come back."""

    __slots__ = (
        "_clear",
        "_crossed",
        "_levels",
        "_min",
        "_on",
        "_only_falls",
        "_owes",
        "_owing",
        "_sources",
        "_threshold",
        "_window",
        "_window_s",
        "crossing",
        "metric",
        "value",
    )

    def __init__(self, threshold: Threshold, on: float, clear: float, window_s: float, min_samples: int) -> None:
        self._threshold = threshold
        self.metric = threshold.metric
        """Whose samples it looks at."""
        self._on, self._clear = on, clear
        self._window_s, self._min = window_s, min_samples
        self._window = Window(window_s)
        self._levels: OrderedDict[tuple[str | None, str], Level] = OrderedDict()
        self._sources: OrderedDict[str, float] = OrderedDict()
        self._crossed = 0
        self._owes = False
        self._owing: OrderedDict[tuple[str | None, str], None] = OrderedDict()
        """Whose latest values have crossed, and of whom no good one has come since."""
        self._only_falls = threshold.measure not in {"percent", "mean"}
        self.crossing = False
        self.value: float | None = None
        """What was compared last."""

    @property
    def name(self) -> str:
        """The threshold's, as S1 calls it."""
        return self._threshold.name

    @property
    def threshold(self) -> float:
        """Where it fires."""
        return self._on

    @property
    def measure(self) -> Measure:
        """What it compares."""
        return self._threshold.measure

    @property
    def sleeps(self) -> bool:
        """Whether time alone changes nothing about it: a sum only falls, while a share or a mean may rise when what
        was good grows too old."""
        return not self.crossing and (self._only_falls or not self._window.count)

    @property
    def owes(self) -> bool:
        """Whether it has crossed and no sample has come since that is within the threshold for clearing."""
        return self._owes or bool(self._owing)

    def owe(self) -> None:
        """It crossed before anything was looked at here: of whom `recall` has found, or else of nobody knows whom."""
        self._owes = not self._owing

    def recall(self, sample: Sample) -> None:
        """A sample from when it crossed, before anything was looked at here, however old: whose it was counts."""
        if self._threshold.measure == "last":
            crossing = self._threshold.is_crossed(sample.value, self._on)
            is_good = self._threshold.is_beyond(sample.value, self._clear)
            self._note((sample.account, sample.source), crossing=crossing, is_good=is_good)

    def forgive(self) -> None:
        """What has crossed before and does not now is nobody's concern any more."""
        self._owes = self.crossing and not self._owing
        for key in [key for key in self._owing if key not in self._levels or not self._levels[key].crossing]:
            del self._owing[key]

    def take(self, sample: Sample, at_s: float, now_s: float) -> None:
        """Look at one more sample."""
        if self._threshold.measure == "last":
            self._take_level(sample, at_s, now_s)
            return
        if at_s <= now_s - self._window_s:
            self.look(now_s)
            return
        self._window.add(sample.value, at_s)
        if self._threshold.measure == "distinct" and sample.value > 0:
            self._seen(sample.source or sample.account or "", at_s)
        self.look(now_s)
        value = self.value
        if not self.crossing and self._window.count >= self._min and value is not None:
            self._owes = self._owes and not self._threshold.is_beyond(value, self._clear)

    def look(self, now_s: float) -> None:
        """Let go of what is too old, and decide again."""
        if self._threshold.measure == "last":
            self._forget_levels(now_s)
            return
        window = self._window
        window.drop(now_s)
        value = self.value = self._measured(now_s)
        if not self.crossing:
            enough = window.count >= self._min
            self.crossing = enough and value is not None and self._threshold.is_crossed(value, self._on)
            self._owes = self._owes or self.crossing
        elif value is None or self._threshold.is_beyond(value, self._clear):
            self.crossing = False

    def _measured(self, now_s: float) -> float | None:
        window, measure = self._window, self._threshold.measure
        if measure == "sum":
            return window.total
        if measure == "distinct":
            sources, end_s = self._sources, now_s - self._window_s
            while sources and next(iter(sources.values())) <= end_s:
                sources.popitem(last=False)
            return float(len(sources))
        if not window.count:
            return None
        return window.total / window.count if measure == "mean" else 100.0 * window.positive / window.count

    def _seen(self, source: str, at_s: float) -> None:
        sources = self._sources
        sources[source] = max(at_s, sources.get(source, at_s))
        sources.move_to_end(source)
        if len(sources) > _KEYS_MAX:
            sources.popitem(last=False)

    def _take_level(self, sample: Sample, at_s: float, now_s: float) -> None:
        key = (sample.account, sample.source)
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = Level(self._min)
        if at_s < level.at_s or at_s <= now_s - self._window_s:
            return  # one that was kept back says nothing about now
        level.at_s = at_s
        level.values.append((at_s, sample.value))
        self._levels.move_to_end(key)
        was, is_good = level.crossing, self._threshold.is_beyond(sample.value, self._clear)
        if not was:
            level.crossing = self._have_crossed(level, now_s - self._window_s)
        elif is_good:
            level.crossing = False
        self._note(key, crossing=level.crossing, is_good=is_good)
        self._crossed += level.crossing - was
        self.value = sample.value
        self._forget_levels(now_s)

    def _note(self, key: tuple[str | None, str], *, crossing: bool, is_good: bool) -> None:
        """Remember who has crossed until a good value of theirs comes."""
        if crossing:
            self._owing[key] = None
            if len(self._owing) > _KEYS_MAX:
                self._owing.popitem(last=False)
                self._owes = True
        elif is_good:
            self._owing.pop(key, None)
            self._owes = False

    def _have_crossed(self, level: Level, end_s: float) -> bool:
        """Whether as many as have to be have crossed, one after the other, inside the window."""
        values, is_crossed = level.values, self._threshold.is_crossed
        return len(values) >= self._min and all(at_s > end_s and is_crossed(value, self._on) for at_s, value in values)

    def _forget_levels(self, now_s: float) -> None:
        """Of whom nothing has been heard for a whole window, nothing is known any more."""
        levels, end_s = self._levels, now_s - self._window_s
        while levels:
            key, level = next(iter(levels.items()))
            if level.at_s > end_s and len(levels) <= _KEYS_MAX:
                break
            self._crossed -= level.crossing
            del levels[key]
        self.crossing = self._crossed > 0
