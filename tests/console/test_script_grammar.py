"""What a script may say, and what is said about one that is wrong: where it is, and what was perhaps meant."""

from __future__ import annotations

import re

import pytest

from core.capabilities.holds import PlaceHold
from opsconsole.script.grammar import STEPS, script
from opsconsole.script.header import Demo, Script, Seeded
from opsconsole.script.reading import ScriptError
from opsconsole.script.steps import Do, Give, Look, Press, Shoot
from opsgate.selector import Selector
from scripts.reference import SCRIPTS_HEAD

SEEDED = "fleet: seeded\nsteps:\n"
BOMB = "[" * 4_000 + "]" * 4_000

WRONG = [
    ("", 1, 1, "the script is empty"),
    ("just a word", 1, 1, "a script is a text, write a mapping"),
    ("size: 120x36", 1, 1, "the script has no steps"),
    ("steps: []", 1, 8, "steps is an empty list"),
    ("stpes: []", 1, 1, "'stpes' is not known in a script: did you mean 'steps'?"),
    ("size: 80\nsteps: [{press: a}]", 1, 7, "'80' is not a size"),
    ("size: 0x24\nsteps: [{press: a}]", 1, 7, "'0x24' is not a size"),
    ("fleet: sedeed\nsteps: [{press: a}]", 1, 8, "did you mean 'seeded'?"),
    ("fleet: {demo: {workers: 1}}\nsteps: [{press: a}]", 1, 15, "3 to 500 workers"),
    ("fleet: {demo: {workers: many}}\nsteps: [{press: a}]", 1, 25, "write a whole number"),
    ("keeper: perhaps\nsteps: [{press: a}]", 1, 9, "write true or false"),
    ("steps:\n  - prss: S", 2, 5, "there is no step 'prss': did you mean 'press'"),
    ("steps:\n  - press", 2, 5, "the step press says nothing more"),
    ("steps:\n  - press: S\n    type: x", 2, 5, "a step does one thing"),
    ("steps:\n  - press: [!, S]", 2, 13, 'what begins with ! has to be quoted: "!"'),
    ("steps:\n  - press: [a, entre]", 2, 16, "there is no key 'entre': did you mean 'enter'?"),
    ('steps:\n  - type: "two\\nlines"', 2, 11, "holds what no key types"),
    ("steps:\n  - wait: 5s", 2, 5, "there is no step 'wait': did you mean 'wait until'?"),
    ("steps:\n  - press: Ctrl+K", 2, 12, "did you mean 'ctrl+k'?"),
    ("steps:\n  - press: hello", 2, 12, "more characters are a text: write 'type: TEXT'"),
    ("steps:\n  - command: pasue shop-eu", 2, 14, "no command is called pasue; did you mean pause"),
    ("steps:\n  - command: workflow w1 maybe", 2, 26, "maybe is neither on nor off"),
    ('steps:\n  - command: ":workflow w1 maybe"', 2, 28, "maybe is neither on nor off"),
    ("steps:\n  - command: stop", 2, 14, "a typed line never stops anything"),
    ('steps:\n  - command: ":"', 2, 14, "command is empty"),
    ("steps:\n  - screenshot: a\n  - screenshot: a", 3, 17, "a picture 'a' was taken above"),
    ("steps:\n  - screenshot: a.png", 2, 17, "write 'a': what kind of file it is comes by itself"),
    ("steps:\n  - expect: {stop: verified}", 2, 20, "write {result: verified}"),
    ("steps:\n  - expect: state: stopped", 2, 18, "a second ':' in one line"),
    ("fleet: sqlite:///x.db\nsteps: [{press: a}]", 1, 8, "a database is named with -b"),
    ("steps:\n  - expect: {state: stoped}", 2, 21, "did you mean 'stopped'?"),
    ("steps:\n  - expect: {stat: stopped}", 2, 14, "did you mean 'state'?"),
    ("steps:\n  - expect: {}", 2, 13, "says nothing to look for"),
    ("steps:\n  - expect: {holds: two}", 2, 21, "write a whole number"),
    ("steps:\n  - expect: {state: stopped, within: 5s}", 2, 30, "'within' is not known in expect"),
    ("steps:\n  - wait until: {state: stopped, within: 5}", 2, 42, "'5' without a unit, write 5s or 5m"),
    ("steps:\n  - wait until: {state: stopped, within: 5 sec}", 2, 42, "write a duration such as 5s"),
    ("steps:\n  - wait until: {within: 5s}", 2, 17, "says nothing to look for"),
    ("steps:\n  - expect: {screen: {row: 0, says: x}}", 2, 28, "write 1 for the first row or -1 for the last"),
    ("steps:\n  - expect: {screen: {row: 1}}", 2, 22, "has a row and no words"),
    ("steps:\n  - expect: {sites: {a b: runs}}", 2, 22, "is not a valid site"),
    ("steps:\n  - expect: {hold on: place=s1}", 2, 23, "is not a dimension"),
    ("steps:\n  - expect: {holds: 1, holds: 2}", 2, 24, "'holds' stands twice"),
    ("steps:\n  - screenshot: ../../etc/passwd", 2, 17, "is not a valid file name"),
    ("steps:\n  - frame: 1s", 2, 12, "a frame belongs to a recording"),
    ("steps:\n  - do: {kind: place-hodl}", 2, 16, "did you mean 'place-hold'"),
    ("steps:\n  - do: {selectors: []}", 2, 9, "a command says its kind"),
    ("steps:\n  - do: {kind: place-hold, selectors: [{site: 7 7}]}", 2, 9, "place-hold: selectors.0"),
    ("steps:\n  - do: {kind: resume-nothing, by: ben}", 2, 32, "only a seeded fleet takes a script's word"),
    ("steps:\n  - pass: 90s", 2, 5, "pass is for a seeded fleet"),
    (SEEDED + "  - pass: 90", 3, 11, "without a unit"),
    (SEEDED + "  - workers: [a, b]", 3, 14, "workers are name: site"),
    (SEEDED + "  - workers: {w-01: s1}\n  - acknowledge: [w-01, w-1]", 4, 25, "did you mean 'w-01'?"),
    (SEEDED + "  - use: {site: [1, 2]}", 3, 11, "there is no limit 'site': did you mean 'sites'?"),
    (SEEDED + "  - use: {sites: [1, 2]}", 3, 18, "2 numbers, write 10"),
    (SEEDED + "  - back: false", 3, 11, "write 'back: true'"),
    ("steps: [{press: a}]\n---\nsteps: [{press: b}]", 2, 1, "a second document"),
    ("steps: &all [{press: a}]", 1, 8, "anchors and aliases are not read"),
    ("steps: [{press: a}", 1, 19, "expected ',' or ']'"),
    ("steps:\n\t- press: a", 2, 1, "cannot start any token"),
    ("steps: " + BOMB, 1, 23, "nested deeper than any script"),
    ("steps: [{press: \x07}]", 1, 1, "no plain text in UTF-8"),
    ("x" * 1_000_001, 1, 1, "larger than any script"),
]


@pytest.mark.parametrize(("text", "line", "column", "says"), WRONG, ids=range(len(WRONG)))
def test_a_script_that_is_wrong_says_where_and_what_was_meant(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(ScriptError) as wrong:
        script(text)

    assert (wrong.value.line, wrong.value.column) == (line, column), wrong.value
    assert says in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_bytes_that_are_no_text_are_refused_in_one_sentence() -> None:
    with pytest.raises(ScriptError, match="no plain text in UTF-8"):
        script(b"steps: \xff\xfe\x00")


def test_what_is_left_out_has_a_sensible_value() -> None:
    assert script("steps: [{press: a}]") == Script((Press(1, ("a",)),), (120, 36), None, True, 10.0, "", None)


def test_the_header_says_which_fleet_and_how_large_the_terminal_is() -> None:
    read = script("size: 80x24\nfleet: {demo: {workers: 4, sites: 2}}\nkeeper: off\nwithin: 1m\nsteps: [{press: a}]")

    assert (read.size, read.fleet, read.keeper, read.within) == ((80, 24), Demo(4, 2), False, 60.0)
    assert script("fleet: {seeded: {profile: PROD}}\nsteps: [{press: a}]").fleet == Seeded(profile="PROD")


def test_a_command_is_a_line_of_command_mode_with_or_without_its_colon() -> None:
    typed = script('steps:\n  - command: ":pause s1 -- INC-1"').steps

    assert typed == (Give(2, "pause s1 -- INC-1"),)


def test_do_takes_any_command_of_the_engine_by_its_own_fields() -> None:
    (step,) = script("steps:\n  - do: {kind: place-hold, selectors: [{site: s1}], reason: off}").steps

    assert step == Do(2, "", PlaceHold(selectors=(Selector.of(site="s1"),), reason="off"))


def test_a_frame_belongs_to_the_recording_that_the_header_names() -> None:
    (step,) = script("recording: incident\nsteps: [{frame: 0.8s}]").steps

    assert step == Shoot(2, "incident", 0.8)


def test_wait_until_takes_the_patience_of_the_script_where_it_says_none() -> None:
    patient, hasty = script("within: 20s\nsteps: [wait until: {holds: 0}, wait until: {holds: 0, within: 1s}]").steps

    assert isinstance(patient, Look)
    assert isinstance(hasty, Look)
    assert (patient.within_s, hasty.within_s) == (20.0, 1.0)


@pytest.mark.parametrize("key", STEPS)
def test_every_example_of_the_reference_is_a_step(key: str) -> None:
    added = [f"{{kind: add-service, name: {name}, driver: http}}" for name in ("db", "web")]
    known = {
        "acknowledge": "  - workers: {w-01: s, w-02: s, w-03: s}\n",
        "lose": "  - workers: {w-03: s}\n",
        "services": f"  - do: [{', '.join(added)}]\n",
    }.get(key, "")

    assert script(f"recording: r\n{SEEDED}{known}  - {STEPS[key].looks}").steps


def test_the_scripts_of_the_reference_are_some() -> None:
    texts = re.findall(r"```yaml\n(.*?)```", SCRIPTS_HEAD, re.DOTALL)

    assert [len(script(text).steps) for text in texts] == [7, 8]
