"""Wait until work may run, on a thread or in an event loop, without asking again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from opsgate.clock import elapsed_s
from opsgate.pauselog import log, plain
from opsgate.work import Dimensions

if TYPE_CHECKING:
    from opsgate.decision import Decision

_LOOK_AGAIN_S = 1.0
"""Seconds after which a waiter looks again though nothing was published: time alone may decide (a cold start)."""

Subscribe = Callable[[Callable[[], None]], Callable[[], None]]
"""Takes what to call at every change of state (from another thread) and returns what ends that."""


def wait(
    check: Callable[[], Decision], subscribe: Subscribe, timeout_s: float | None, dimensions: Dimensions
) -> Decision:
    """Block until ``check`` allows or ``timeout_s`` have passed; returns the last decision, which says which."""
    changed = threading.Event()
    unsubscribe = subscribe(changed.set)
    deadline_s = None if timeout_s is None else elapsed_s() + timeout_s
    try:
        decision = check()
        if not decision:
            _say(dimensions, decision)
        while not decision:
            left_s = _left(deadline_s)
            if left_s <= 0:
                break
            changed.wait(min(left_s, _LOOK_AGAIN_S))
            changed.clear()
            decision = check()
        return decision
    finally:
        unsubscribe()


async def wait_async(
    check: Callable[[], Decision], subscribe: Subscribe, timeout_s: float | None, dimensions: Dimensions
) -> Decision:
    """The same in an event loop, which goes on meanwhile."""
    import asyncio

    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(changed.set)
        except RuntimeError:
            pass  # the loop was closed under the waiter, who is gone with it

    unsubscribe = subscribe(wake)
    deadline_s = None if timeout_s is None else elapsed_s() + timeout_s
    try:
        decision = await asyncio.to_thread(check)  # the first one may wait for the first state
        if not decision:
            _say(dimensions, decision)
        while not decision:
            left_s = _left(deadline_s)
            if left_s <= 0:
                break
            try:
                await asyncio.wait_for(changed.wait(), min(left_s, _LOOK_AGAIN_S))
            except TimeoutError:
                pass  # looked at again below, as after a change
            changed.clear()
            decision = check()
        return decision
    finally:
        unsubscribe()


def _left(deadline_s: float | None) -> float:
    return float("inf") if deadline_s is None else deadline_s - elapsed_s()


def _say(dimensions: Dimensions, decision: Decision) -> None:
    """Once when the waiting begins, in the words of S2 where it is a workflow that waits."""
    workflow = dimensions.get("workflow")
    if workflow is not None and any(hold.selector.get("workflow") == workflow for hold in decision.blockers):
        log.info("Workflow '%s' is DISABLED - sleeping until it is enabled", plain(workflow))
    else:
        log.info("[Pause Check] ❌ %s - waiting", plain(decision.headline))
