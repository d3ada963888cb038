"""While the console loads, garbage is looked for rarely; afterwards as before, and not in what was loaded."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from opsconsole import loading


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    loading.end()
    gc.unfreeze()


def test_what_was_loaded_is_kept_and_garbage_is_looked_for_as_before() -> None:
    usual = gc.get_threshold()
    loading.begin()
    assert gc.get_threshold()[0] == loading.RARELY

    assert loading.last(lambda: "opened")() == "opened"

    assert gc.get_threshold() == usual
    assert gc.get_freeze_count() > 0


def test_loading_is_over_also_where_nothing_could_be_opened() -> None:
    def fails() -> None:
        raise OSError("no such database")

    usual = gc.get_threshold()
    loading.begin()
    with pytest.raises(OSError, match="no such database"):
        loading.last(fails)()

    assert gc.get_threshold() == usual


def test_where_nothing_began_to_load_nothing_is_kept_for_ever() -> None:
    before = gc.get_freeze_count()

    loading.last(lambda: None)()

    assert gc.get_freeze_count() == before
