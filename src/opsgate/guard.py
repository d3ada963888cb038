"""A function that is one piece of work as a whole."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from opsgate.decision import Decision, GateClosed
from opsgate.work import Work

_P = ParamSpec("_P")
_R = TypeVar("_R")


def guard(begin: Callable[[], Work]) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Decorate a function, or a coroutine function, so that each call is a piece of work that ``begin`` makes.

    A refused call raises `GateClosed`; decorating a generator function raises TypeError.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{function.__qualname__} is a generator function, and a guard would end before its body begins: "
                "use 'with gate.work(...)' inside it"
            )

        @functools.wraps(function)
        def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with begin() as work:
                _require(work)
                return function(*args, **kwargs)

        @functools.wraps(function)
        async def guarded_async(*args: _P.args, **kwargs: _P.kwargs) -> Any:
            with begin() as work:
                _require(work)
                return await cast(Any, function(*args, **kwargs))

        is_async = inspect.iscoroutinefunction(function)
        return cast(Callable[_P, _R], guarded_async) if is_async else guarded

    return decorate


def _require(work: Work) -> None:
    if not work:
        raise GateClosed(cast(Decision, work.decision))
