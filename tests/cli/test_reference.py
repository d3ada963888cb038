"""The reference names everything that people and scripts can meet: nothing is left out, nothing is out of date."""

import ast
import re
from pathlib import Path

import click
import pytest

from core import errors
from core.messages import EVENTS
from opsconsole.cli.exits import Exit
from opsconsole.cli.root import COMMANDS, LazyRoot, root
from opsconsole.settings import PRODUCTION, SETTINGS
from scripts.reference import REFERENCE, pages

SRC = Path(__file__).parents[2] / "src"
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.OpsError)}


def page(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def commands(command: click.Command, path: str) -> dict[str, click.Command]:
    """Every command below this one, by the words that are typed."""
    found = {path: command}
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            found |= commands(below, f"{path} {name}")
    return found


def every_command() -> dict[str, click.Command]:
    context = click.Context(root, info_name="opsconsole")
    assert isinstance(root, LazyRoot)
    found: dict[str, click.Command] = {}
    for name, entry in COMMANDS.items():
        command = root.get_command(context, name)
        assert command is not None
        assert command.hidden is entry.hidden
        found |= commands(command, name)
    return found


def reason_codes() -> set[str]:
    """The codes that the sources refuse with: first arguments of our errors, and the tables of drivers' errors."""
    codes: set[str] = set()
    for file in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(code)), *_]) if name in ERRORS:
                    codes.add(code)
                case ast.AnnAssign(target=ast.Name(id="_SENTENCES"), value=ast.Dict(values=values)):
                    codes |= {str(ast.literal_eval(value.elts[0])) for value in values if isinstance(value, ast.Tuple)}
    return codes


@pytest.mark.parametrize("name", ["commands.md", "settings.md", "events.md", "scripts.md", "roles.md", "drivers.md"])
def test_what_is_made_from_the_program_is_up_to_date(name: str) -> None:
    assert page(name) == pages()[name], "run: python scripts/reference.py"


def test_every_command_and_every_option_is_named() -> None:
    text = page("commands.md")
    for path, command in every_command().items():
        assert f"    opsconsole {path}" in text, path
        section = text.split(f"    opsconsole {path} ", 1)[1].split("\n#", 1)[0]
        for param in command.params:
            if isinstance(param, click.Option) and not param.hidden:
                assert f"`{param.opts[0]}`" in section, (path, param.opts)
                assert param.help, (path, param.opts)


def test_the_list_of_commands_names_what_each_group_takes_and_by_no_other_word() -> None:
    """It said ``remove`` where ``rm`` is typed, and left out how a manual trigger is fired."""
    context = click.Context(root, info_name="opsconsole")
    for name, entry in COMMANDS.items():
        assert isinstance(root, LazyRoot)
        group = root.get_command(context, name)
        if isinstance(group, click.Group):
            assert entry.help.partition(": ")[2].rstrip(".").split(", ") == list(group.commands), name


def test_the_list_of_commands_says_what_each_command_says_of_itself() -> None:
    context = click.Context(root, info_name="opsconsole")
    for name, entry in COMMANDS.items():
        assert isinstance(root, LazyRoot)
        command = root.get_command(context, name)
        assert command is not None
        assert (command.name, command.short_help) == (name, entry.help)


def test_every_setting_is_named_with_its_option_and_its_variable() -> None:
    text = page("settings.md")
    for setting in SETTINGS:
        assert f"`{setting.key}`" in text
        assert setting.flag in text
        assert f"`{setting.variable}`" in text
    assert f"`{PRODUCTION.key}`" in text


def test_every_event_kind_is_named_with_its_fields() -> None:
    rows = {line.split("`")[1]: line for line in page("events.md").splitlines() if line.startswith("| `")}
    assert set(rows) == set(EVENTS)
    for kind, event in EVENTS.items():
        assert all(f"`{field}`" in rows[kind] for field in event.model_fields if field != "kind")


def test_every_exit_code_is_named() -> None:
    named = [int(number) for number in re.findall(r"^\| (\d+) \|", page("exit-codes.md"), re.MULTILINE)]
    assert named == [int(code) for code in Exit]


def test_every_reason_is_named_and_none_that_nobody_gives() -> None:
    named = re.findall(r"^\| `([a-z-]+)` \|", page("exit-codes.md"), re.MULTILINE)

    assert sorted(named) == sorted(set(named))
    assert set(named) == reason_codes()
