"""From a line to an intention, or to what is wrong with it and where. Pure: it knows words, and no fleet.

    :COMMAND [ARGUMENTS] [-- REASON]

A reason begins behind ``--``, so that a mistyped site is never taken for the beginning of a sentence.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from opsconsole.command.intentions import (
    Ask,
    Case,
    DefineTrigger,
    Do,
    Fault,
    Foresee,
    Freeze,
    Hold,
    Intention,
    Narrow,
    Order,
    Show,
    Switch,
    SwitchTrigger,
    Wear,
)
from opsconsole.command.trigger_line import SWITCHES, read_word
from opsconsole.command.verbs import ALIASES, TAILED, Takes, Verb
from opsconsole.dress import THEMES
from opsgate.names import DIMENSIONS, OPERATION_OF_FLAG
from opsgate.order import LEVELS, Level, is_level
from opsgate.selector import EVERYTHING, IDENTIFIER, Selector, SelectorError

REASON_MARKS: Final = frozenset({"--", "--reason"})
PATTERN: Final = frozenset("*?[")


class Word(NamedTuple):
    """A word and its column, from 1."""

    text: str
    column: int


def words_of(line: str) -> list[Word]:
    """The words of a line."""
    return [Word(found[0], found.start() + 1) for found in re.finditer(r"\S+", line)]


class _Typed(NamedTuple):
    """A line behind its command: the words, the reason, and the column behind the last word."""

    verb: Verb
    rest: list[Word]
    reason: str
    end: int


def parse(line: str, verbs: Mapping[str, Verb]) -> Intention | Fault | None:
    """What a line means; None for an empty one. A colon in front is taken for the prompt's own."""
    line = line.removeprefix(":")
    words = words_of(line)
    if not words:
        return None
    head, *rest = words
    verb = verbs.get(ALIASES.get(head.text, head.text))
    if verb is None:
        return _unknown(head, verbs)
    rest, reason = _split_reason(line, rest, verb)
    if isinstance(reason, Fault):
        return reason
    last = [head, *rest][-1]
    return _READERS[verb.takes](_Typed(verb, rest, reason, last.column + len(last.text)))


def _unknown(head: Word, verbs: Mapping[str, Verb]) -> Fault:
    if head.text in {"stop", "!"}:
        return Fault(head.column, "a typed line never stops anything: Esc, then ! and S", "")
    near = difflib.get_close_matches(head.text, verbs, n=3)
    meant = f"; did you mean {' or '.join(near)}?" if near else "; Tab lists them"
    return Fault(head.column, f"no command is called {head.text[:40]}{meant}", "a command")


def _split_reason(line: str, rest: list[Word], verb: Verb) -> tuple[list[Word], str | Fault]:
    mark = next((at for at, word in enumerate(rest) if word.text in REASON_MARKS), None)
    if mark is None or verb.takes not in TAILED:
        return rest, ""
    reason = line[rest[mark].column - 1 + len(rest[mark].text) :].strip()
    if len(reason) > 1 and reason[0] == reason[-1] and reason[0] in "'\"":
        reason = reason[1:-1]
    if not reason:
        end = rest[mark].column + len(rest[mark].text)
        return rest, Fault(end, f"the reason is missing behind {rest[mark].text}", "REASON")
    if len(reason) > 300:
        return rest, Fault(rest[mark].column, "a reason has at most 300 characters", "REASON")
    return rest[:mark], reason


def _nothing(typed: _Typed) -> Intention | Fault:
    verb, rest = typed.verb, typed.rest
    if rest:
        return _too_much(rest[0], verb)
    if verb.name in {"still", "live"}:
        return Freeze(verb.name == "still")
    return Do(verb.action) if verb.action else Show(verb.name)


def _too_much(word: Word, verb: Verb) -> Fault:
    takes = "nothing" if verb.takes is Takes.NOTHING else verb.takes.value
    return Fault(word.column, f":{verb.name} takes {takes}", "the end of the line")


def _sites(typed: _Typed) -> Intention | Fault:
    verb, rest, reason, end = typed
    sites = [word for word in rest if word.text != "--site"]
    if not sites and not reason:
        return Do(verb.action)
    if not sites:
        return Fault(end, "name the sites first", Takes.SITES.value)
    for word in sites:
        bare = word.text.removeprefix("site=")
        if not re.fullmatch(r"[A-Za-z0-9*?\[][A-Za-z0-9._~*?\[\]!-]{0,127}", bare):
            return Fault(word.column, f"{word.text[:40]} is no name; a reason comes behind --", Takes.SITES.value)
    named = ((word.text.removeprefix("site="), word.column) for word in sites)
    return Hold("pause" if verb.name == "pause" else "resume", tuple(named), reason)


def _emergency(typed: _Typed) -> Intention | Fault:
    verb, rest, reason, end = typed
    if not rest:
        return Fault(end, "name the emergency first", verb.takes.value) if reason else Do(verb.action)
    if len(rest) > 1:
        return Fault(rest[1].column, "a reason comes behind --", "-- REASON")
    return Case("recover" if verb.name == "recover" else "explain", rest[0].text, rest[0].column, reason)


def _switch(typed: _Typed) -> Intention | Fault:
    verb, rest, reason, end = typed
    if len(rest) < 2:
        missing = "on or off" if rest else verb.takes.value
        return Fault(end, f"{missing} is missing: {verb.usage}", missing)
    name, state, *more = rest
    if state.text not in {"on", "off"}:
        return Fault(state.column, f"{state.text[:40]} is neither on nor off", "on or off")
    if more:
        return Fault(more[0].column, "a reason comes behind --", "-- REASON")
    if verb.takes is Takes.WORKFLOW:
        return Switch("workflow", name.text, name.column, state.text == "on", reason)
    key = OPERATION_OF_FLAG.get(name.text, name.text)
    return Switch("operation", key, name.column, state.text == "on", reason)


def _filter(typed: _Typed) -> Intention | Fault:
    return Narrow(" ".join(word.text for word in typed.rest))


def _column(typed: _Typed) -> Intention | Fault:
    if len(typed.rest) > 1:
        return _too_much(typed.rest[1], typed.verb)
    return Order(typed.rest[0].text if typed.rest else "")


def _selector(typed: _Typed) -> Intention | Fault:
    rest = typed.rest
    if not rest:
        return Do("why")
    found = _scope_of(rest)
    return found if isinstance(found, Fault) else Ask(found)


def _scope_of(rest: list[Word]) -> Selector | Fault:
    if [word.text for word in rest] in (["all"], ["--all"]):
        return EVERYTHING
    given: dict[str, str] = {}
    for word in rest:
        for part in word.text.split(","):
            dimension, sign, value = part.removeprefix("--").partition("=")
            if not sign:
                dimension, value = "site", part
            if dimension == "flag":
                dimension = "operation"
            if dimension not in DIMENSIONS or not value:
                near = difflib.get_close_matches(dimension, (*DIMENSIONS, "flag"), n=1)
                meant = f"; did you mean {near[0]}=?" if near else ""
                return Fault(word.column, f"{part[:40]} is no scope{meant}", "site=NAME, flag=NAME, ... or all")
            if dimension in given:
                return Fault(word.column, f"{dimension} stands twice", "another dimension")
            given[dimension] = OPERATION_OF_FLAG.get(value, value) if dimension == "operation" else value
    try:
        return Selector.from_mapping(given)
    except SelectorError as error:
        return Fault(rest[0].column, str(error), "a name")


def _level(typed: _Typed) -> Intention | Fault:
    """A level, a scope, both or none: of everything, at once."""
    level: Level = "immediate"
    rest = typed.rest
    if rest and is_level(rest[0].text):
        level, rest = rest[0].text, rest[1:]
    elif rest and "=" not in rest[0].text and rest[0].text not in {"all", "--all"}:
        near = difflib.get_close_matches(rest[0].text, LEVELS, n=1)
        meant = f"; did you mean {near[0]}?" if near else f": one of {', '.join(LEVELS)}"
        return Fault(rest[0].column, f"{rest[0].text[:40]} is no level{meant}", typed.verb.takes.value)
    found = _scope_of(rest) if rest else EVERYTHING
    return found if isinstance(found, Fault) else Foresee(level, found)


def _trigger(typed: _Typed) -> Intention | Fault:
    if len(typed.rest) < 2 and not (typed.rest and typed.reason):
        missing = "what to do with it" if typed.rest else "the name of a trigger"
        return Fault(typed.end, f"{missing} is missing: {typed.verb.usage}", typed.verb.takes.value)
    name, *said = typed.rest
    if IDENTIFIER.fullmatch(name.text) is None:
        return Fault(name.column, f"{name.text[:40]} is no name", "TRIGGER")
    if said and said[0].text in SWITCHES:
        if len(said) > 1 or typed.reason:
            return Fault(typed.end, f"{said[0].text} stands alone", "the end of the line")
        state: Literal["on", "off", "remove"] = said[0].text  # type: ignore[assignment] # it is one of the three
        return SwitchTrigger(name.text, name.column, state)
    words: dict[str, Any] = {}
    for word in said:
        try:
            field, value = read_word(word.text)
        except ValueError as error:
            return Fault(word.column, str(error), "TYPE or WORD=VALUE")
        if field in {"thresholds", "clear"}:
            words.setdefault(field, {})[value[0]] = value[1]
        elif field in words:
            return Fault(word.column, f"{field} stands twice", "another word")
        else:
            words[field] = value
    return DefineTrigger(name.text, name.column, words, typed.reason)


def _theme(typed: _Typed) -> Intention | Fault:
    verb, rest, _, end = typed
    if not rest:
        return Fault(end, f"which one? {verb.usage}", verb.takes.value)
    if rest[0].text not in THEMES:
        near = difflib.get_close_matches(rest[0].text, THEMES, n=1)
        meant = f"; did you mean {near[0]}?" if near else f": one of {', '.join(THEMES)}"
        return Fault(rest[0].column, f"no theme is called {rest[0].text[:40]}{meant}", verb.takes.value)
    return Wear(rest[0].text) if len(rest) == 1 else _too_much(rest[1], verb)


_READERS: Final[Mapping[Takes, Callable[[_Typed], Intention | Fault]]] = {
    Takes.NOTHING: _nothing,
    Takes.SITES: _sites,
    Takes.FLAG: _switch,
    Takes.WORKFLOW: _switch,
    Takes.EMERGENCY: _emergency,
    Takes.SELECTOR: _selector,
    Takes.FILTER: _filter,
    Takes.COLUMN: _column,
    Takes.THEME: _theme,
    Takes.TRIGGER: _trigger,
    Takes.LEVEL: _level,
}
