"""For the tests of those who use the gate: the real decision over holds in memory, no database, no thread.

    from opsgate.testing import paused

    def test_a_paused_site_is_skipped():
        with paused(site="s1") as gate:
            assert worker.run("s1", gate) == {"skipped": True, "reason": "site=s1 is paused by tests"}

Within ``paused`` and ``stopped`` the module functions (``is_workflow_enabled``, ``is_processing_allowed``) ask the
same gate.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from opsgate import defaults, pauselog
from opsgate.alarms import Freshness
from opsgate.clock import elapsed_s
from opsgate.evaluate import Table
from opsgate.failsafe import Policy
from opsgate.gate import Gate
from opsgate.hold import DRAIN, HALT, Hold, Mode
from opsgate.names import OPERATIONS, WORKFLOWS
from opsgate.permits import Reservation
from opsgate.selector import Selector
from opsgate.view import View

_LIVE_FOR_S: Final = 10 * 365 * 86_400.0
"""Seconds: longer than any test run."""


class FakeGate(Gate):
    """A gate whose holds a test places and releases by hand; every question is answered by the real rules.

    Names are those of a new fleet: the operations and workflows of the seeds, and whatever ``names`` adds. Limits have
    no end unless a test sets ``remaining``.
    """

    def __init__(
        self,
        *,
        names: Mapping[str, frozenset[str]] | None = None,
        policy: Mapping[str, str] | None = None,
        env: str | None = None,
        strict: bool = False,
    ) -> None:
        super().__init__(policy=Policy(policy), env=env, strict=strict)
        seeded = {"operation": frozenset(OPERATIONS), "workflow": frozenset(WORKFLOWS)}
        self._numbers: Callable[[], int] = itertools.count(1).__next__
        self._shown = 0
        self._age_s: float | None = None
        self.remaining: dict[str, int] = {}
        """Limit → units left of it."""
        self.show(Table((), {**seeded, **(names or {})}))

    def pause(
        self, *, source: str = "operator", owner: str = "tests", reason: str = "", mode: Mode = DRAIN, **selector: str
    ) -> Hold:
        """Place a hold; no selector holds everything."""
        hold = Hold(
            hold_id=f"H-{self._numbers()}",
            selector=Selector.of(**selector),
            source=source,
            owner=owner,
            reason=reason,
            mode=mode,
            placed_at=datetime.now(UTC),
        )
        self.show(self.table.changed((hold,)))
        return hold

    def stop(self, *, reason: str = "", **selector: str) -> Hold:
        """Place an emergency hold that halts."""
        return self.pause(source="emergency", owner="E-1", reason=reason, mode=HALT, **selector)

    def resume(self, *holds: Hold) -> None:
        """Release these holds, or all."""
        gone = [hold.hold_id for hold in holds] or list(self.table.by_id)
        self.show(self.table.changed(gone=gone))

    def reserve(self, limit: str, cost: int = 1) -> Reservation:
        """Take units of ``remaining``; a limit that is not in it has no end."""
        left = self.remaining.get(limit)
        if left is not None and cost > left:
            return Reservation(False, limit, cost, left, retry_after_s=60.0, reason=f"Limit {limit} reached")
        if left is not None:
            self.remaining[limit] = left - cost
        return Reservation(True, limit, cost, self.remaining.get(limit, 0))

    def cut_off(self, for_s: float | None = None) -> None:
        """Let the state be this old from now on; None makes it live again."""
        self._age_s = for_s
        self.show(self.table)

    @property
    def freshness(self) -> Freshness:
        """valid, or interrupted while cut off."""
        return "valid" if self._age_s is None else "interrupted"

    def show(self, table: Table) -> None:
        """Publish another decision table: the rules of a whole fleet, where a test has them."""
        pauselog.changed(self.table, table)
        self._shown += 1
        confirmed_at_s = elapsed_s() + (_LIVE_FOR_S if self._age_s is None else -self._age_s)
        self.publish(
            View(
                table,
                fleet="tests",
                revision=self._shown,
                confirmed_at_s=confirmed_at_s,
                settled=True,
                quick_s=float("-inf"),  # the long way says more to whoever reads the log of a test
            )
        )
        self.wake()


@contextmanager
def paused(
    gate: FakeGate | None = None, *, reason: str = "", mode: Mode = DRAIN, **selector: str
) -> Iterator[FakeGate]:
    """Hold something while the block runs: a gate of its own, or the given one (so that blocks nest)."""
    with _standing_in(gate) as fake:
        hold = fake.pause(reason=reason, mode=mode, **selector)
        try:
            yield fake
        finally:
            fake.resume(hold)


@contextmanager
def stopped(gate: FakeGate | None = None, *, reason: str = "", **selector: str) -> Iterator[FakeGate]:
    """An emergency stop while the block runs."""
    with _standing_in(gate) as fake:
        hold = fake.stop(reason=reason, **selector)
        try:
            yield fake
        finally:
            fake.resume(hold)


@contextmanager
def _standing_in(gate: FakeGate | None) -> Iterator[FakeGate]:
    fake = gate or FakeGate()
    before = defaults.set_default_gate(fake)
    try:
        yield fake
    finally:
        defaults.set_default_gate(before)
