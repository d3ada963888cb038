"""What one runtime of a process has folded another one of the same store takes over, and does not fold again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from backends.local.memory import Memory, MemoryStore
from backends.runtime import Runtime
from core.audit import Row
from core.capabilities.names import AddName
from tests.support.fleets import say


@pytest.fixture
def two() -> Iterator[tuple[Runtime, Runtime]]:
    memory = Memory("f-0123456789ab")
    with closing(Runtime(MemoryStore(memory))) as first, closing(Runtime(MemoryStore(memory))) as second:
        yield first, second


def add(runtime: Runtime, *names: str) -> None:
    for name in names:
        runtime.submit(say(AddName(dimension="site", name=name)))


def test_what_was_taken_over_is_not_read_and_the_next_command_follows_on(
    two: tuple[Runtime, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    really, read = second.store.rows, list[Row]()

    def counted(after: int, limit: int) -> Sequence[Row]:
        rows = really(after, limit)
        read.extend(rows)
        return rows

    monkeypatch.setattr(second.store, "rows", counted)
    add(first, *(f"s{number}" for number in range(20)))

    second.take_over(first)

    assert second.state() is first.latest()
    assert second.sealed() == first.sealed()
    assert read == []
    add(second, "next")
    assert second.verify().fault is None
    assert {("site", "s19"), ("site", "next")} <= set(first.state().names)


def test_what_is_older_is_not_taken(two: tuple[Runtime, Runtime]) -> None:
    first, second = two
    add(second, "s1")
    known = second.latest()

    second.take_over(first)

    assert second.latest() is known


def test_nobody_is_waited_for(two: tuple[Runtime, Runtime]) -> None:
    first, second = two
    add(first, "s1")
    known = second.latest()

    with first._mirror._lock:
        second.take_over(first)

    assert second.latest() is known
    assert ("site", "s1") in second.state().names, "it is read as ever"
