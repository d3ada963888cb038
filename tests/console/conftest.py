"""Fixtures of the console's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class Drawn(SingleFileSnapshotExtension):
    """A screen as a text file, so that a difference can be read."""

    _write_mode = WriteMode.TEXT
    _file_extension = "txt"


Golden = Callable[[str], None]


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> Golden:
    """Compare drawn text with what is kept; ``--snapshot-update`` keeps what was drawn now."""
    kept = snapshot.use_extension(Drawn)

    def compare(text: str) -> None:
        assert text.rstrip("\n") + "\n" == kept

    return compare
