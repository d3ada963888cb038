"""The grammar of scripts: a header that says where the console stands, and steps that are carried out in order.

Everything is read and checked before anything runs; what is wrong is told with its line and column. The tables here are
also what the reference page of scripts is made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pydantic import ValidationError

import core.capabilities  # noqa: F401 - registers the commands that `do` may give
from core.capabilities.rate_limits import AddLimit
from core.capabilities.services import AddService
from core.faults import sentence
from core.messages import COMMANDS, command_from
from opsconsole.command.grammar import parse
from opsconsole.command.intentions import Fault
from opsconsole.command.verbs import vocabulary
from opsconsole.layout import NAMES
from opsconsole.script.expecting import FACTS, expected
from opsconsole.script.header import HEADER, Script, Seeded, file_name, header
from opsconsole.script.keys import NAMED, is_key
from opsconsole.script.kinds import Entry, Scope, shown
from opsconsole.script.reading import Given, compose, near
from opsconsole.script.steps import Do, Give, Look, OfWorld, Press, Resize, Shoot, Step, Type
from opsconsole.script.world_grammar import WORLD_STEPS
from opsconsole.text import clean

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
        unknown.wrong(f"there is no step {shown(word)}{meant}; steps: {', '.join(STEPS)}")
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
            meant = f": did you mean {shown(lower)}?" if is_key(lower) else near(lower, NAMED)
            each.wrong(
                f"there is no key {shown(key)}{meant}; a key is one character or {', '.join(NAMED[:15])}, "
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
        given.wrong(f"a picture {shown(picture)} was taken above, and this one would be written over it")
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
    **WORLD_STEPS,
}
"""Every kind of step."""
