"""One gate for the whole process, and the two questions of the seeds that are asked of it."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import Final

from opsgate import pauselog
from opsgate.clock import elapsed_s
from opsgate.evaluate import Table
from opsgate.gate import Gate

_log: Final = pauselog.log
_lock: Final = threading.Lock()
_gate: Gate | None = None

_JITTER_S: Final = 10.0
_WORKFLOWS_CACHED: Final = 10_000


def default_gate() -> Gate:
    """The gate of this process, opened from ``$OPSGATE_URL`` at the first call."""
    global _gate  # noqa: PLW0603 (one for the process is what it is for)
    gate = _gate
    if gate is None:
        with _lock:
            gate = _gate = _gate or Gate.open()
    return gate


def set_default_gate(gate: Gate | None) -> Gate | None:
    """Put another gate in its place (None: open one at the next call); returns the one before, still open."""
    global _gate
    with _lock:
        before, _gate = _gate, gate
    _cached.clear()
    return before


@dataclass(frozen=True, slots=True)
class _Answer:
    enabled: bool
    until_s: float
    table: Table
    """What it was decided on: another table means that something changed, and then no answer is kept."""


_cached: Final[dict[str, _Answer]] = {}
_not_live: Final[dict[str, str]] = {}


def is_workflow_enabled(name: str, cache_seconds: float = 45) -> bool:
    """Whether a workflow may run (S2): its own switch, and every wider hold. Unknown ones are enabled.

    An answer is kept for ``cache_seconds`` at most, up to 10 s less by chance so that a fleet does not ask at once,
    and not at all once the state has changed. Where the state cannot be read it is the last known one, and enabled
    where there is none.
    """
    gate, now_s = default_gate(), elapsed_s()
    answer = _cached.get(name)
    if answer is not None and now_s < answer.until_s and answer.table is gate.table:
        return answer.enabled
    decision = gate.check(workflow=name)
    _say_what_it_rests_on(name, decision.decided_by, enabled=decision.allowed)
    if len(_cached) >= _WORKFLOWS_CACHED:
        _cached.clear()
    jitter_s = random.uniform(0, min(_JITTER_S, cache_seconds / 2))  # noqa: S311 (spread, no secret)
    _cached[name] = _Answer(decision.allowed, now_s + cache_seconds - jitter_s, gate.table)
    return decision.allowed


def is_processing_allowed(site_id: str | None = None) -> bool:
    """Whether work on a site, or at all, may run (S0): the global pause, and that of the site."""
    return default_gate().check(site=site_id).allowed


def _say_what_it_rests_on(name: str, basis: str, *, enabled: bool) -> None:
    """In S2's words, once for each turn."""
    shown = pauselog.plain(name)
    if basis == _not_live.get(name, "live"):
        return
    if basis == "live":
        _not_live.pop(name, None)
        return
    if len(_not_live) < _WORKFLOWS_CACHED:
        _not_live[name] = basis
    if basis == "default":
        _log.error("DB error checking workflow status for %s: nothing is known of the fleet", shown)
    else:
        _log.info("Using cached state for %s: %s", shown, enabled)
    if enabled:
        _log.warning("Failing OPEN - %s will continue", shown)
