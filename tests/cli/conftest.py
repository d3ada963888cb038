"""A shell for each test, over an embedded database of its own."""

import pytest

from tests.cli.shell import Shell


@pytest.fixture
def ops(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Types commands into this process."""
    return Shell(capsys)
