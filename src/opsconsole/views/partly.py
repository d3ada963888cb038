"""What is held where only a part is, in words: the narrow stops with what was seen of them, and how much else is held.

`status` calls such a fleet ``partly``, and row 1 is never better than that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from opsconsole.lines import Span, Style, length
from opsconsole.text import clean
from opsconsole.views.course import under_way
from opsconsole.views.picture import Picture
from opsconsole.views.verdict import Verdict, together
from opsconsole.views.words import counted, scope
from opsgate.selector import Selector

NOUNS = {"site": "site", "operation": "flag", "env": "environment"}
"""What the names of a dimension are called, where not as the dimension is; these come first."""

LISTED = {"site", "operation", "workflow"}
"""What has a pane of its own, where the one that is held comes first."""

LOOKED_THROUGH = 50
"""Of more names that are held none is looked up for row 1, which is said anew with every picture."""

NAME_CELLS = 40


class NarrowStops(NamedTuple):
    """The stops of a part of the fleet, taken together; not those that a recovery brings back."""

    emergencies: int
    things: str
    verdict: Verdict

    @property
    def seen(self) -> str:
        """``9/12`` acknowledgements; where no worker is on a list, services."""
        return self.verdict.acks if self.verdict.of or not self.verdict.services else self.verdict.stopped

    def head(self, room: int) -> tuple[Span, ...]:
        """``1 emergency: service web STOPPING 0/1``, or as much of that as there is room for, the result last to go."""
        result = Span(f"{self.verdict.word} {self.seen}", self.verdict.style)
        number = "1 emergency" if self.emergencies == 1 else f"{self.emergencies} emergencies"
        for words in (f"{number}: {self.things} ", f"{self.things} ", f"{number} ", ""):
            said = (Span(words, Style.STRONG), result)
            if length(said) <= room:
                break
        return said


def narrow_stops(picture: Picture) -> NarrowStops | None:
    """Those in force now; None where there are none."""
    back = {emergency.emergency_id for emergency, _recovery in under_way(picture)}
    progress = [each for each in picture.facts.progress if each.stop.emergency_id not in back]
    verdict = together(progress, picture.now)
    if verdict is None:
        return None
    selectors = tuple(dict.fromkeys(selector for each in progress for selector in each.stop.selectors))
    return NarrowStops(len({each.stop.emergency_id for each in progress}), things(selectors), verdict)


def things(selectors: Sequence[Selector]) -> str:
    """What is stopped, for a person: ``service web``, ``3 sites``; else as selectors are written."""
    kinds = {selector.dimensions for selector in selectors}
    if len(kinds) > 1 or any(len(dimensions) != 1 for dimensions in kinds):
        return clean(scope(selectors), NAME_CELLS)
    ((dimension,),) = kinds or (("site",),)
    if len(selectors) == 1:
        return f"{noun(dimension)} {clean(selectors[0].get(dimension) or '', NAME_CELLS)}"
    return counted(len(selectors), noun(dimension))


def noun(dimension: str) -> str:
    """What one name of this dimension is called."""
    return NOUNS.get(dimension, dimension)


def held(picture: Picture) -> list[str]:
    """How many names of each kind are held: ``2 sites held``, ``1 flag off``, ``1 limit at 0``; of a kind that no pane
    lists, the only one by its name: ``agent writer held``. Beside a hold on everything these are all; else what stops
    and recoveries hold alone is said with them, and counted once."""
    counts = picture.facts.holds.counts if picture.word == "stopped" else _held_beside_stops(picture)
    order = [each for each in (*NOUNS, *sorted(counts.keys() - NOUNS.keys())) if counts[each]]
    said = [f"{_named(picture, each, counts[each])} {'off' if each == 'operation' else 'held'}" for each in order]
    zero = sum(limit.limit == 0 and limit.operation is not None for limit in picture.state.limits.values())
    return [*said, f"{counted(zero, 'limit')} at 0"] if zero else said


def _named(picture: Picture, dimension: str, count: int) -> str:
    book = picture.facts.holds
    if dimension in LISTED or book.counts[dimension] > 1 or len(book.by_name) > LOOKED_THROUGH:
        return counted(count, noun(dimension))
    return f"{noun(dimension)} {next(clean(name, NAME_CELLS) for each, name in book.by_name if each == dimension)}"


def _held_beside_stops(picture: Picture) -> Counter[str]:
    """How many names of each dimension something else than a stop in force holds."""
    book = picture.facts.holds
    named = {each.stop.emergency_id for each in picture.facts.progress}
    own = {hold_id for each in picture.facts.progress for hold_id in each.stop.hold_ids}
    pairs = {pair for hold_id in own & book.all.keys() for pair in book.all[hold_id].selector.items}
    counts = Counter(book.counts)
    counts.subtract(
        dimension
        for dimension, name in pairs
        if all(hold.source == "emergency" and hold.owner in named for hold in book.by_name[dimension, name])
    )
    return counts


def partly(picture: Picture) -> str:
    """All of it in one phrase: ``site feed PARTIAL 1/2, 2 sites held, 1 flag off``."""
    stops = narrow_stops(picture)
    said = [f"{stops.things} {stops.verdict.word} {stops.seen}"] if stops else []
    said += [f"recovery of {scope(emergency.selectors)}" for emergency, _recovery in under_way(picture)]
    return ", ".join([*said, *held(picture)])
