"""What could stand where the cursor is. Names come from sorted lists, so that 100,000 of them cost two bisections."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from opsconsole.command.trigger_line import vocabulary
from opsconsole.command.verbs import ALIASES, Takes, Verb
from opsconsole.dress import THEMES
from opsgate.names import DIMENSIONS
from opsgate.order import LEVELS

OFFERED_MAX: Final = 20
_LAST: Final = "\U0010ffff"

Names = Callable[[str], Sequence[str]]
"""The names of a dimension, or the columns of the list in front for ``column``; sorted."""


class Completion(NamedTuple):
    """What a line may go on with: the word from `start` on can become any of the `offers`, and of `more` others.

    `common` is what all of them begin with.
    """

    start: int
    offers: tuple[str, ...] = ()
    common: str = ""
    more: int = 0


def complete(line: str, verbs: Mapping[str, Verb], names: Names) -> Completion:
    """The completion at the end of a line, which has no colon in front."""
    start = len(line) - len(line.rpartition(" ")[2])
    before, word = line[:start].split(), line[start:]
    if not before:
        return _within(sorted(verbs), word, start)
    verb = verbs.get(ALIASES.get(before[0], before[0]))
    if verb is None or "--" in before:
        return Completion(start)
    return _argument(verb, before[1:], word, start, names)


def _argument(verb: Verb, before: list[str], word: str, start: int, names: Names) -> Completion:
    if verb.takes is Takes.LEVEL and not before and "=" not in word:
        return _within(sorted((*LEVELS, "all")), word, start)
    if verb.takes in {Takes.SELECTOR, Takes.LEVEL}:
        return _scope(word, start, names)
    if verb.takes is Takes.TRIGGER and before:
        return _of_trigger(word, start, names)
    return _one_of(verb, before, word, start, names)


def _one_of(verb: Verb, before: list[str], word: str, start: int, names: Names) -> Completion:
    if verb.takes is Takes.COLUMN and word.startswith("-"):
        word, start = word[1:], start + 1
    known: Sequence[str] = ()
    match verb.takes, len(before):
        case Takes.SITES, _:
            known = names("site")
        case ((Takes.FLAG | Takes.WORKFLOW), 0):
            known = names("operation" if verb.takes is Takes.FLAG else "workflow")
        case ((Takes.FLAG | Takes.WORKFLOW), 1):
            known = ("off", "on")
        case Takes.COLUMN, 0:
            word, known = word.upper(), names("column")
        case Takes.EMERGENCY, 0:
            known = names("emergency")
        case Takes.TRIGGER, 0:
            known = names("trigger")
        case Takes.THEME, 0:
            known = sorted(THEMES)
    return _within(known, word, start)


def _of_trigger(word: str, start: int, names: Names) -> Completion:
    """``lev`` goes on with ``level=``, and ``level=g`` with a level."""
    key, sign, value = word.partition("=")
    if not sign:
        return _within(vocabulary(), word, start)
    known: Sequence[str] = ()
    match key:
        case "level":
            known = sorted(LEVELS)
        case "targets":
            known, value = names("service"), value.rpartition(",")[2]
        case "account":
            known = names("account")
    return _within(known, value, start + len(word) - len(value))


def _scope(word: str, start: int, names: Names) -> Completion:
    """``site=na`` goes on with a site, ``s`` with the word for one."""
    dimension, sign, value = word.rpartition(",")[2].partition("=")
    if not sign:
        return _within(sorted((*(f"{each}=" for each in (*DIMENSIONS, "flag")), "all")), word, start)
    named = "operation" if dimension == "flag" else dimension
    return _within(names(named), value, start + len(word) - len(value))


def _within(known: Sequence[str], prefix: str, start: int) -> Completion:
    low, high = bisect_left(known, prefix), bisect_left(known, prefix + _LAST)
    if low == high:
        return Completion(start)
    offers = tuple(known[low : min(high, low + OFFERED_MAX)])
    common = _shared(known[low], known[high - 1])
    return Completion(start, offers, common, high - low - len(offers))


def _shared(first: str, last: str) -> str:
    """What the first and the last of sorted words begin with, and so all between them."""
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((at for at, (one, other) in pairs if one != other), min(len(first), len(last)))]


def near(known: Sequence[str], name: str, compared_max: int = 200) -> list[str]:
    """Names that may have been meant, out of those that stand near it in the alphabet: the list may be very long."""
    import difflib

    for kept in (2, 1, 0):
        low = bisect_left(known, name[:kept])
        high = bisect_left(known, name[:kept] + _LAST) if kept else len(known)
        at = min(max(bisect_left(known, name), low), high)
        window = known[max(low, at - compared_max) : min(high, at + compared_max)]
        if found := difflib.get_close_matches(name, window, n=3):
            return found
    return []
