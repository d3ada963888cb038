"""Pieces of work that run: counted from before they are admitted until they end, so a stop knows what it waits for."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self, TypedDict, Unpack

from opsgate.decision import Decision, GateClosed
from opsgate.hold import HALT
from opsgate.snapshot import Notice


class Dimensions(TypedDict, total=False):
    """What one piece of work is: any of the nine dimensions, and the key by which a ramping hold chooses it."""

    site: str | None
    operation: str | None
    workflow: str | None
    service: str | None
    dependency: str | None
    campaign: str | None
    account: str | None
    agent: str | None
    env: str | None
    key: str | None


class Admission(Protocol):
    """The gate as a piece of work sees it: what admits it, and is told how it went."""

    in_flight: InFlight

    def describe(self, dimensions: Mapping[str, object]) -> dict[str, str]:
        """The work as holds and stops see it."""

    def check(self, **dimensions: Unpack[Dimensions]) -> Decision:
        """Whether it may run."""

    def halts(self, decision: Decision, dimensions: Dimensions) -> bool:
        """Whether a refusal ends it where it runs already."""

    def failed(self) -> None:
        """It ended by an exception."""

    def ended(self) -> None:
        """It has ended."""


class Work:
    """One piece of work; use it with ``with``. Its truth value says whether it was admitted."""

    __slots__ = ("_dimensions", "_gate", "_number", "decision", "selector", "thread")

    def __init__(self, gate: Admission, dimensions: Dimensions) -> None:
        self._gate = gate
        self._dimensions = dimensions
        self._number = 0
        self.decision: Decision | None = None
        """The last decision about this work; None before ``with``."""
        self.selector: Mapping[str, str] = gate.describe(dimensions)
        """Dimension → value, with the gate's own ``env``."""
        self.thread = 0

    def __enter__(self) -> Self:
        # Counted first and asked then: whoever sees the stop in force sees this piece as well.
        self.thread = threading.get_ident()
        self._number = self._gate.in_flight.open(self)
        try:
            self.decision = self._gate.check(**self._dimensions)
        except BaseException:  # whatever it was: this piece does not run, and no stop may wait for it
            self._leave()
            raise
        if not self.decision:
            self._leave()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._number and kind is not None and issubclass(kind, Exception):
            self._gate.failed()
        self._leave()

    def __bool__(self) -> bool:
        return self._number > 0

    def skipped(self) -> dict[str, Any]:
        """The result of refused work (S0): ``{"skipped": True, "reason": …}``."""
        return {"skipped": True, "reason": "not asked yet"} if self.decision is None else self.decision.skipped()

    def checkpoint(self, *, raises: bool = False) -> bool:
        """Whether to go on: False at a halt. A drain lets running work finish, so it goes on.

        With ``raises``, a halt raises `GateClosed` instead. To be called wherever stopping does no harm.
        """
        decision = self._gate.check(**self._dimensions)
        if self and (decision or not self._gate.halts(decision, self._dimensions)):
            return True
        if self or self.decision is None:
            self.decision = decision
        if raises:
            raise GateClosed(self.decision)
        return False

    def _leave(self) -> None:
        if self._number:
            self._gate.in_flight.close(self._number)
            self._number = 0
            self._gate.ended()


class InFlight:
    """The pieces of work that run in this process. Thread-safe: each method is one step on a dict.

    A check alone is not counted: nobody knows when what it admitted ends. Use `Work` for whatever a stop must wait for.
    """

    def __init__(self) -> None:
        self._open: dict[int, Work] = {}
        self._next: Callable[[], int] = itertools.count(1).__next__

    def __len__(self) -> int:
        return len(self._open)

    def open(self, work: Work) -> int:
        """Count a piece of work; the number tells which came first."""
        number = self._next()
        self._open[number] = work
        return number

    def close(self, number: int) -> None:
        """Count it no longer."""
        self._open.pop(number, None)

    def now(self) -> int:
        """The number of this moment: pieces with a lower one were counted before it."""
        return self._next()

    def covered(self, notice: Notice, before: int) -> int:
        """How many pieces counted before a moment still run and are covered by this stop."""
        pieces = self._open.copy().items()
        return sum(1 for number, work in pieces if number < before and notice.covers(work.selector))

    def keep_own_thread(self) -> None:
        """After a fork only the thread that forked lives on: what the others ran does not run here."""
        mine = threading.get_ident()
        self._open = {number: work for number, work in self._open.copy().items() if work.thread == mine}


def halts(decision: Decision, work: Mapping[str, str]) -> bool:
    """Whether a hold that covers this work says halt."""
    return any(hold.mode == HALT and hold.selector.covers(work) for hold in decision.blockers)
