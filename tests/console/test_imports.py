"""The way into the console may be looked at without loading a screen."""

from __future__ import annotations

import subprocess
import sys

import pytest

MODULES = (
    "opsconsole.app",
    "opsconsole.text",
    "opsconsole.views.sites",
    "opsconsole.chord",
    "opsconsole.keymap",  # `config validate` looks at it
)


@pytest.mark.parametrize("module", MODULES)
def test_these_modules_load_no_textual(module: str) -> None:
    program = f"import sys, {module}; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
