"""What Enter would do with a line, said while it is typed: from what is known already, without asking anybody."""

from __future__ import annotations

import fnmatch
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from core.state import flag_name
from opsconsole.actions import Action, Desk, find
from opsconsole.actions.base import NOT_KNOWN_YET
from opsconsole.command.completion import near
from opsconsole.command.grammar import PATTERN, parse
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
from opsconsole.command.trigger_line import fields_of
from opsconsole.command.verbs import Verb
from opsconsole.dialogs.base import Said
from opsconsole.dialogs.several import KEYS_MAX
from opsconsole.lines import Span, Style
from opsconsole.text import clean
from opsconsole.views.books import NameBook
from opsconsole.views.case import without_reason
from opsconsole.views.picture import Picture
from opsconsole.views.rehearsed import fault_of
from opsconsole.views.triggers import condition
from opsconsole.views.words import counted, scope

if TYPE_CHECKING:
    from core.triggers.definition import Definition

NAMED_MAX: Final = 4


class Preview(NamedTuple):
    """What a line comes to: an intention with the `sites` that its patterns stand for, or the reason why nothing,
    which may be about the word at a column, counted from 1."""

    said: Said
    intention: Intention | None = None
    sites: tuple[str, ...] = ()
    column: int = 0


def preview(line: str, verbs: Mapping[str, Verb], desk: Desk) -> Preview:
    """What Enter would do with this line now."""
    parsed = parse(line, verbs)
    match parsed:
        case None:
            return Preview((Span("type a command, Tab completes it; Up and Down bring back earlier ones", Style.DIM),))
        case Fault(column, sentence, expected):
            return _wrong(sentence, column, expected)
        case Show() | Ask() | Foresee() | Narrow() | Order() | Wear() | Freeze():
            return Preview((Span(_looks(parsed), Style.PLAIN),), parsed)
        case _:
            return _changes(parsed, desk)


def _changes(intention: Do | Hold | Switch | Case | SwitchTrigger | DefineTrigger, desk: Desk) -> Preview:
    """What is more than a look."""
    match intention:
        case Hold():
            return _hold(intention, desk)
        case Case():
            return _case(intention, desk)
        case Switch():
            return _switch(intention, desk)
        case SwitchTrigger():
            return _switch_trigger(intention, desk)
        case DefineTrigger():
            return _define_trigger(intention, desk)
        case Do(action):
            return _do(intention, find(action), desk)


def _looks(intention: Show | Ask | Foresee | Narrow | Order | Wear | Freeze) -> str:
    match intention:
        case Show(name):
            return f"shows the list of {name}"
        case Ask(selector):
            return clean(f"says every hold on {selector} and what would be left after each release", 200)
        case Foresee(level, selector):
            return clean(f"says what {'an' if level[0] == 'i' else 'a'} {level} stop of {selector} would hit", 200)
        case Narrow(text):
            return f"shows only rows with {clean(text, 60)}" if text else "shows all rows again"
        case Order(column):
            return f"sorts by {clean(column, 30).upper()}" if column else "sorts worst first"
        case Wear(theme):
            return f"changes the colours to {theme}"
        case Freeze(still):
            return "holds the lists still; row 1, row 2 and the stop go on" if still else "lets the lists move again"


def _wrong(sentence: str, column: int = 0, expected: str = "") -> Preview:
    where = f"column {column}: " if column else ""
    wanted = f"; expected: {expected}" if expected and expected not in sentence else ""
    return Preview((Span(f"{where}{clean(sentence, 200)}", Style.WARN), Span(wanted, Style.DIM)), column=column)


def _do(intention: Do, action: Action, desk: Desk) -> Preview:
    if why_not := action.why_not(desk):
        return _wrong(why_not)
    return Preview((Span(action.about, Style.PLAIN),), intention)


def _hold(intention: Hold, desk: Desk) -> Preview:
    picture = desk.picture
    if refused := _refused(picture, "place-hold" if intention.verb == "pause" else "release-holds"):
        return _wrong(refused)
    sites: dict[str, None] = {}
    for name, column in intention.sites:
        found = sites_of(picture.facts.names, name)
        if not found:
            return _wrong(_unknown(picture.facts.names.of("site"), "site", name), column)
        sites.update(dict.fromkeys(found))
    if len(sites) > KEYS_MAX:
        return _wrong(f"{len(sites)} sites match, and one command takes {KEYS_MAX}")
    does = "pauses" if intention.verb == "pause" else "resumes"
    workers = counted(workers_of(picture, sites), "worker")
    asks = "asks for y" if intention.verb == "pause" else "asks for a reason and y"
    said = f"{does} {counted(len(sites), 'site')}: {_listed(list(sites))}; {workers}; {asks}"
    return Preview((Span(said, Style.PLAIN),), intention, tuple(sites))


def _switch(intention: Switch, desk: Desk) -> Preview:
    picture, dimension, key = desk.picture, intention.dimension, intention.name
    noun = "flag" if dimension == "operation" else "workflow"
    if refused := _refused(picture, "set-switch"):
        return _wrong(refused)
    known = picture.facts.names.of(dimension)
    if key not in known:
        return _wrong(_unknown(known, noun, key), intention.column)
    asks = "asks for a reason and y" if intention.on else "asks for y"
    name = clean(flag_name(key) if dimension == "operation" else key, 60)
    return Preview((Span(f"switches {noun} {name} {'on' if intention.on else 'off'}; {asks}", Style.PLAIN),), intention)


def _case(intention: Case, desk: Desk) -> Preview:
    picture, name = desk.picture, intention.emergency
    if refused := _refused(picture, "explain-stop" if intention.verb == "explain" else "recover"):
        return _wrong(refused)
    case = picture.state.emergencies.get(name)
    if case is None:
        return _wrong(_unknown(sorted(picture.state.emergencies), "emergency", name), intention.column)
    what = f"{clean(name, 30)}, {scope(case.selectors)}"
    if intention.verb == "explain":
        if not without_reason(picture.state, case):
            return _wrong(f"{clean(name, 30)} has its reason: {clean(case.reason, 80)}", intention.column)
        return Preview((Span(f"gives the reason of {what}; asks for Enter", Style.PLAIN),), intention)
    if case.ended_at is not None:
        return _wrong(f"{clean(name, 30)} was recovered already", intention.column)
    if case.recovery is not None and case.recovery.is_active:
        if case.recovery.status != "held":
            return _wrong(f"the recovery of {clean(name, 30)} is under way", intention.column)
        said = f"continues the recovery of {what}; asks for the scope, and counts down"
        return Preview((Span(said, Style.PLAIN),), intention)
    asks = "asks for a reason and the scope, and counts down"
    return Preview((Span(f"recovers {what}; {asks}", Style.PLAIN),), intention)


def _switch_trigger(intention: SwitchTrigger, desk: Desk) -> Preview:
    picture, name = desk.picture, intention.name
    if refused := _refused(picture, "remove-trigger" if intention.state == "remove" else "set-trigger"):
        return _wrong(refused)
    known = picture.state.triggers.get(name)
    if known is None:
        return _wrong(_unknown(sorted(picture.state.triggers), "trigger", name), intention.column)
    if intention.state != "remove" and known.definition.is_active == (intention.state == "on"):
        return _wrong(f"trigger {clean(name, 60)} is {intention.state} already", intention.column)
    does = "removes trigger" if intention.state == "remove" else "switches trigger"
    state = "" if intention.state == "remove" else f" {intention.state}"
    return Preview((Span(f"{does} {clean(name, 60)}{state}; asks for y", Style.PLAIN),), intention)


def _define_trigger(intention: DefineTrigger, desk: Desk) -> Preview:
    if refused := _refused(desk.picture, "add-trigger"):
        return _wrong(refused)
    found = definition_of(intention, desk.picture)
    if isinstance(found, str):
        return _wrong(found)
    does = "changes" if intention.name in desk.picture.state.triggers else "adds"
    said = f"{does} trigger {clean(found.name, 60)}: {condition(found)}; {found.stop_level} stop of"
    return Preview((Span(f"{said} {scope(found.selectors())}; rehearses it, asks for y", Style.PLAIN),), intention)


def definition_of(intention: DefineTrigger, picture: Picture) -> Definition | str:
    """The trigger that the line means, or what is wrong with it."""
    from pydantic import ValidationError

    from core.faults import sentence
    from core.triggers.definition import Definition

    known = picture.state.triggers.get(intention.name)
    before = known.definition.model_dump() if known else {}
    fields = fields_of(intention.words, before, intention.tail)
    if "trigger_type" not in fields:
        return f"there is no trigger {intention.name} yet: name its type first, Tab offers them"
    try:
        found = Definition.model_validate(fields | {"name": intention.name})
    except ValidationError as error:
        return sentence(error)
    return fault_of(found) or found


def _refused(picture: Picture, kind: str) -> str:
    """Why no command of this kind can be given."""
    return picture.who.why_not(kind) or ("" if picture.known else NOT_KNOWN_YET)


def _unknown(known: Sequence[str], noun: str, name: str) -> str:
    if PATTERN & set(name):
        return f"no {noun} matches {name}"
    found = near(known, name)
    meant = f"; did you mean {' or '.join(found)}?" if found else ""
    return f"unknown {noun} {name}{meant}"


def _listed(sites: Sequence[str]) -> str:
    named = " ".join(clean(site, 40) for site in sites[:NAMED_MAX])
    return named if len(sites) <= NAMED_MAX else f"{named} +{len(sites) - NAMED_MAX} more"


def workers_of(picture: Picture, sites: Iterable[str]) -> int:
    """How many live workers serve any of these sites, or say of themselves that they serve all."""
    wanted, lost = frozenset(sites), frozenset(picture.facts.lost)
    rows = (row for row in picture.facts.workers.values() if row.state != "left" and row.worker_id not in lost)
    return sum("site" not in row.scope or not wanted.isdisjoint(row.scope["site"]) for row in rows)


@lru_cache(maxsize=16)
def sites_of(names: NameBook, name: str) -> tuple[str, ...]:
    """The registered sites that a name or a pattern stands for. Remembered, for it is asked at every key."""
    known = names.of("site")
    at = bisect_left(known, name)
    if at < len(known) and known[at] == name:
        return (name,)
    if not PATTERN & set(name):
        return ()
    fixed = name[: min(name.index(sign) for sign in PATTERN if sign in name)]
    within = known[bisect_left(known, fixed) : bisect_left(known, fixed + "\U0010ffff")]
    return tuple(fnmatch.filter(within, name))
