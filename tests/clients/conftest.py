"""One server for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.support.serving import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a new fleet, for developers."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}") as one:
        yield one
