"""Tests confirm a prompt in one way, which makes them say what the prompt is and what stands in it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.hygiene.tree import ROOT

PRESSES = {"press", "send", "type"}
DRIVER = "desk.py"
OTHERS = {
    "test_dialogs.py": "asks the state machine of a prompt itself, where there is no screen",
    "test_clipboard.py": "copies with y, and no prompt is open",
    "test_any_keys.py": "presses keys as they come, and counts what they confirm",
    "test_console.py": "presses y where a read-only console has opened no prompt",
}


def test_only_the_confirm_driver_presses_the_key_that_confirms() -> None:
    files = [*(ROOT / "tests" / "console").glob("*.py"), *(ROOT / "tests" / "properties").glob("*.py")]

    found = {file.name for file in files if any(_presses_y(file))}

    assert found - {DRIVER} <= OTHERS.keys()
    assert OTHERS.keys() - {"test_any_keys.py"} <= found, "an exception that nobody needs any more"


def _presses_y(file: Path) -> Iterator[int]:
    """The lines of calls that hand over a ``y``."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and _name(node.func) in PRESSES:
            values = (
                each.value for argument in node.args for each in ast.walk(argument) if isinstance(each, ast.Constant)
            )
            if any(value in ("y", b"y") for value in values):
                yield node.lineno


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
