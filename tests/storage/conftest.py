"""The two databases that outlive a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.places import Place, place_of
from tests.support.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database of each kind."""
    yield from place_of(request.param, request, tmp_path)
