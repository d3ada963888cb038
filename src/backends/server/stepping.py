"""Coroutines that are run by hand as far as they go: most have nothing to wait for, and need neither a task nor a
clock."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Rest(Generic[T]):
    """The rest of a coroutine that was begun by hand, for a task to wait for."""

    def __init__(self, begun: Coroutine[Any, Any, T], waits_for: Any) -> None:
        self._begun = begun
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, T]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    answer = yield waits_for
                except BaseException as error:  # noqa: BLE001 (a cancellation is for the coroutine to see)
                    waits_for = self._begun.throw(error)
                else:
                    waits_for = self._begun.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result


def begin(what: Awaitable[T]) -> T | Rest[T]:
    """Run it as far as it goes: what it came to, or the rest of it where it has to wait."""
    assert isinstance(what, Coroutine), "servers hand over coroutines"
    try:
        waits_for = what.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    return Rest(what, waits_for)
