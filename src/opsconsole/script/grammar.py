"""The grammar of scripts: a header that says where the console stands, and steps that are carried out in order.

Everything is read and checked before anything runs; what is wrong is told with its line and column. The tables here are
also what the reference page of scripts is made from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from pydantic import ValidationError

import core.capabilities  # noqa: F401 - registers the commands that `do` may give
from core.capabilities.rate_limits import SEED_LIMITS, AddLimit
from core.capabilities.services import AddService
from core.faults import sentence
from core.messages import COMMANDS, command_from
from core.services import Standing
from opsconsole.command.grammar import parse
from opsconsole.command.intentions import Fault
from opsconsole.command.verbs import vocabulary
from opsconsole.layout import NAMES
from opsconsole.script.expecting import FACTS, expected, name
from opsconsole.script.header import HEADER, Script, Seeded, file_name, header
from opsconsole.script.keeping import STANDINGS
from opsconsole.script.keys import NAMED, is_key
from opsconsole.script.reading import Given, compose, near
from opsconsole.script.steps import (
    Acknowledge,
    Away,
    Do,
    Give,
    Keep,
    Look,
    Lose,
    OfWorld,
    Pass,
    Press,
    Resize,
    Shoot,
    Stand,
    Step,
    Type,
    Use,
    Work,
)
from opsconsole.text import clean

TENTHS: Final = 10
MEANT: Final = {
    "assert": "expect",
    "check": "expect",
    "key": "press",
    "keys": "press",
    "picture": "screenshot",
    "sleep": "wait until",
    "text": "type",
    "wait": "wait until",
}
"""What other programs call such steps."""
_VERBS: Final = vocabulary(NAMES)


class Entry(NamedTuple):
    """One kind of step: how it is read, what it does, and how it looks."""

    read: Callable[[Given, Scope], tuple[Step, ...]]
    says: str
    looks: str


@dataclass(slots=True)
class Scope:
    """What steps are read in: the header, and the names that the steps above them have made."""

    header: Script
    workers: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=lambda: [limit[0] for limit in SEED_LIMITS])
    services: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)


def script(text: bytes | str) -> Script:
    """Read a whole script; `ScriptError` says what is wrong and where."""
    given = compose(text)
    fields = given.fields((*HEADER, "steps"))
    if "steps" not in fields:
        given.wrong("the script has no steps: write 'steps:' and a list")
    scope = Scope(header(fields))
    return replace(scope.header, steps=tuple(step for each in fields["steps"].items() for step in _step(each, scope)))


def _step(given: Given, scope: Scope) -> tuple[Step, ...]:
    """One item of the list: a mapping with the one key that says what is done. Each command of a `do` has a line."""
    if given.is_text and given.text() in STEPS:
        given.wrong(f"the step {given.text()} says nothing more: write '{STEPS[given.text()].looks}'")
    pairs = given.pairs()
    unknown = next((place for key, (place, _) in pairs.items() if key not in STEPS), None)
    if unknown is not None:
        word = unknown.what
        meant = f": did you mean '{MEANT[word]}'?" if word in MEANT else near(word, STEPS)
        unknown.wrong(f"there is no step {_shown(word)}{meant}; steps: {', '.join(STEPS)}")
    if len(pairs) != 1:
        given.wrong(f"a step does one thing, this one has {', '.join(pairs)}: begin each with '- '")
    key, (place, value) = next(iter(pairs.items()))
    steps = STEPS[key].read(value, scope)
    if isinstance(steps[0], OfWorld) and not isinstance(scope.header.fleet, Seeded):
        place.wrong(f"{key} is for a seeded fleet, whose world is the script's: say 'fleet: seeded' at the top")
    return tuple(step if isinstance(step, Do) else replace(step, line=given.line) for step in steps)


def _press(given: Given, _scope: Scope) -> tuple[Step, ...]:
    keys = []
    for each in given.one_or_more():
        key = each.text()
        if not is_key(key):
            lower = key.lower()
            meant = f": did you mean {_shown(lower)}?" if is_key(lower) else near(lower, NAMED)
            each.wrong(
                f"there is no key {_shown(key)}{meant}; a key is one character or {', '.join(NAMED[:15])}, "
                "f1 to f12, with ctrl+, shift+ or alt+ before it; more characters are a text: write 'type: TEXT'"
            )
        keys.append(key)
    return (Press(given.line, tuple(keys)),)


def _type(given: Given, _scope: Scope) -> tuple[Step, ...]:
    return (Type(given.line, _prose(given)),)


def _command(given: Given, _scope: Scope) -> tuple[Step, ...]:
    """What is wrong with a command wherever it is given is told now; whether its names exist, when it is given."""
    text = _prose(given)
    line = text.removeprefix(":")
    meant = parse(line, _VERBS)
    if meant is None:
        given.wrong("command is empty, write one such as 'pause shop-eu'")
    if isinstance(meant, Fault):
        given.wrong(f"command: {clean(meant.sentence, 200)}", meant.column - 1 + len(text) - len(line))
    return (Give(given.line, line),)


def _prose(given: Given) -> str:
    text = given.text()
    if not text.isprintable():
        given.wrong(f"{given.what} holds what no key types: one line of text, and press: enter for the rest")
    return text


def _expect(given: Given, _scope: Scope) -> tuple[Step, ...]:
    return (Look(given.line, expected(given, given.fields(FACTS))),)


def _wait_until(given: Given, scope: Scope) -> tuple[Step, ...]:
    fields = given.fields((*FACTS, "within"))
    within_s = fields["within"].seconds() if "within" in fields else scope.header.within
    return (Look(given.line, expected(given, fields), within_s),)


def _resize(given: Given, _scope: Scope) -> tuple[Step, ...]:
    return (Resize(given.line, given.size()),)


def _screenshot(given: Given, scope: Scope) -> tuple[Step, ...]:
    picture = file_name(given)
    if picture in scope.pictures:
        given.wrong(f"a picture {_shown(picture)} was taken above, and this one would be written over it")
    scope.pictures.append(picture)
    return (Shoot(given.line, picture),)


def _frame(given: Given, scope: Scope) -> tuple[Step, ...]:
    if not scope.header.recording:
        given.wrong("a frame belongs to a recording: name it at the top with 'recording: NAME'")
    return (Shoot(given.line, scope.header.recording, given.seconds()),)


def _do(given: Given, scope: Scope) -> tuple[Step, ...]:
    return tuple(_one_command(each, scope) for each in given.one_or_more())


def _one_command(given: Given, scope: Scope) -> Do:
    pairs = given.pairs()
    by = pairs["by"][1].text() if "by" in pairs else ""
    if by and not isinstance(scope.header.fleet, Seeded):
        pairs["by"][0].wrong("only a seeded fleet takes a script's word for who acts; leave 'by' out")
    if "kind" not in pairs:
        given.wrong(f"a command says its kind, one of {', '.join(sorted(COMMANDS))}")
    kind = pairs["kind"][1].one_of(sorted(COMMANDS))
    fields = {key: value.document() for key, (_, value) in pairs.items() if key != "by"}
    try:
        command = command_from(fields)
        if isinstance(command, AddLimit):
            scope.limits.append(command.name)
        if isinstance(command, AddService):
            scope.services.append(command.name)
        return Do(given.line, by, command)
    except ValidationError as error:
        given.wrong(f"{kind}: {clean(sentence(error), 200)}")
    except ValueError as error:
        given.wrong(f"{kind}: {clean(str(error), 200)}")


def _pass(given: Given, _scope: Scope) -> tuple[Step, ...]:
    return (Pass(given.line, given.seconds()),)


def _workers(given: Given, scope: Scope) -> tuple[Step, ...]:
    workers = {name(place, "worker"): value for place, value in given.pairs().values()} if given.is_mapping else {}
    if not workers:
        given.wrong("workers are name: site, or name: [site, site]")
    scope.workers += workers
    served = ((worker, tuple(name(site, "site") for site in value.one_or_more())) for worker, value in workers.items())
    return (Work(given.line, tuple(served)),)


def _acknowledge(given: Given, scope: Scope) -> tuple[Step, ...]:
    everybody = given.is_text and given.text() == "all"
    return (Acknowledge(given.line, () if everybody else _known(given, scope)),)


def _lose(given: Given, scope: Scope) -> tuple[Step, ...]:
    return (Lose(given.line, _known(given, scope)),)


def _known(given: Given, scope: Scope) -> tuple[str, ...]:
    """Workers that came to life above."""
    for each in given.one_or_more():
        if (worker := name(each, "worker")) not in scope.workers:
            each.wrong(f"no worker {_shown(worker)} has come to life above{near(worker, scope.workers)}")
    return tuple(each.text() for each in given.one_or_more())


def _use(given: Given, scope: Scope) -> tuple[Step, ...]:
    used: list[Step] = []
    for limit, (place, value) in given.pairs().items():
        if limit not in scope.limits:
            place.wrong(f"there is no limit {_shown(limit)}{near(limit, scope.limits)}")
        tenths = tuple(each.whole() for each in value.items())
        if len(tenths) != TENTHS:
            value.wrong(f"{len(tenths)} numbers, write {TENTHS}: the units used in each tenth of the window")
        used.append(Use(given.line, limit, tenths))
    if not used:
        given.wrong("use is limit: [ten numbers]")
    return tuple(used)


def _services(given: Given, scope: Scope) -> tuple[Step, ...]:
    standings: list[tuple[str, Standing]] = []
    for service, (place, value) in given.pairs().items():
        if service not in scope.services:
            place.wrong(f"no service {_shown(service)} was added above{near(service, scope.services)}")
        word = value.one_of(STANDINGS)
        standings += [(service, standing) for standing in STANDINGS if standing == word]
    if not standings:
        given.wrong("services are name: standing")
    return (Stand(given.line, tuple(standings)),)


def _away(given: Given, _scope: Scope) -> tuple[Step, ...]:
    return (Away(given.line, given.text()),)


def _back(given: Given, _scope: Scope) -> tuple[Step, ...]:
    if not given.switch():
        given.wrong("write 'back: true', or 'away: WHAT IT SAYS'")
    return (Away(given.line, ""),)


def _keeper(given: Given, _scope: Scope) -> tuple[Step, ...]:
    return (Keep(given.line, given.switch()),)


def _shown(text: str) -> str:
    return f"'{clean(text, 60)}'"


STEPS: Final[Mapping[str, Entry]] = {
    "press": Entry(_press, "Press keys, each after a pause.", 'press: ["!", S]'),
    "type": Entry(_type, "Type a text, at the speed of prose.", "type: prices are right again"),
    "command": Entry(
        _command,
        "Give a command on the `:` line. What changes something asks, as there: press what it asks for.",
        "command: pause shop-eu -- INC-1",
    ),
    "wait until": Entry(
        _wait_until,
        "Wait until all of it is so; give up after `within`.",
        "wait until: {stop: {result: verified}, within: 10s}",
    ),
    "expect": Entry(_expect, "All of it is so now, or the script has failed.", "expect: {state: stopped, holds: 2}"),
    "resize": Entry(_resize, "Give the terminal another size.", "resize: 80x24"),
    "screenshot": Entry(
        _screenshot,
        "Take a picture: NAME.svg, and NAME.png where resvg-py is installed.",
        "screenshot: stopped",
    ),
    "frame": Entry(_frame, "Add the screen to the recording, shown this long.", "frame: 0.8s"),
    "do": Entry(
        _do,
        "Give commands to the engine behind the console's back; the fields are those of the command.",
        'do: {kind: place-hold, selectors: [{site: shop-eu}], reason: "INC-1"}',
    ),
    "pass": Entry(_pass, "Seeded: let time pass.", "pass: 1m30s"),
    "workers": Entry(_workers, "Seeded: workers come to life, each with work in flight.", "workers: {w-01: shop-eu}"),
    "acknowledge": Entry(_acknowledge, "Seeded: workers have stopped; or `all`.", "acknowledge: [w-01, w-02]"),
    "lose": Entry(_lose, "Seeded: workers go silent.", "lose: w-03"),
    "use": Entry(
        _use, "Seeded: units used in each tenth of a limit's window.", "use: {sites: [0, 1, 0, 0, 1, 0, 1, 0, 0, 1]}"
    ),
    "services": Entry(
        _services, "Seeded: services stand so, and the keeper sees it.", "services: {db: stopped, web: not-stopped}"
    ),
    "away": Entry(_away, "Seeded: the backend answers nothing but this.", "away: connection refused"),
    "back": Entry(_back, "Seeded: it answers again.", "back: true"),
    "keeper": Entry(_keeper, "Seeded: a keeper is alive, or none.", "keeper: false"),
}
"""Every kind of step."""
