"""A recovery under way: the frozen steps of its procedure, how far it has come, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from core.gates import MetricGate

Phase = Literal["validation", "preparation", "gradual_restore", "full_restore", "monitoring"]
"""S1's five phases, in their order."""

PHASES: Final[tuple[Phase, ...]] = get_args(Phase)

StepKind = Literal["check", "prepare", "start", "admit", "watch"]
"""``check``: nothing is touched. ``prepare``: everything is seen to be stopped. ``start``: services of one tier.
``admit``: more of the work is let through. ``watch``: all of it runs and is watched."""

RecoveryStatus = Literal["running", "held", "rolling-back", "completed", "failed", "aborted", "rolled-back"]

EndedAs = Literal["failed", "aborted", "rolled-back"]
"""What a recovery is called that was turned back: by a failing step, by a stop or a person, on a person's wish."""


@dataclass(frozen=True, slots=True)
class RecoveryStep:
    """One step. ``admit`` is the share of the work let through from its beginning on.

    It must be seen to be good for ``wait_s`` seconds, one after the other, and within ``timeout_s`` where there is
    something to come about; ``restores`` says that services get back the state they saved.
    """

    phase: Phase
    kind: StepKind
    services: tuple[str, ...] = ()
    admit: float = 0.0
    wait_s: float = 0.0
    timeout_s: float | None = None
    checks: tuple[str, ...] = ()
    restores: bool = False
    metrics: tuple[MetricGate, ...] = ()
    """What is measured has to be so, too, from its beginning to its end."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """One recovery of one emergency. ``step`` is the place of the present step in ``steps``.

    ``step_at`` is when that began, or when turning back did, and ``step_revision`` the event that said so: what was
    observed before is no longer news. ``ends_as`` is what it will be called once everything
    that it restored has been stopped again, "" while it goes forward; ``left`` are services that could not be.
    """

    recovery_id: str
    emergency_id: str
    procedure: str
    steps: tuple[RecoveryStep, ...]
    started_at: datetime
    by: str
    reason: str
    automatic: bool
    phase: Phase
    phase_at: datetime
    step: int
    step_at: datetime
    deadline_at: datetime | None
    step_revision: int
    admit: float = 0.0
    checks: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    status: RecoveryStatus = "running"
    why: str = ""
    ends_as: EndedAs | Literal[""] = ""
    left: tuple[str, ...] = ()
    stop_ids: tuple[str, ...] = ()
    """The stops that it recovers from: those before it."""
    ended_at: datetime | None = None
    checked_at: datetime | None = None
    """When ``checks`` were last said to be something to wait for."""

    @property
    def is_active(self) -> bool:
        """Whether anything is still to be done for it."""
        return self.status in {"running", "held", "rolling-back"}

    @property
    def goes_forward(self) -> bool:
        """Whether it restores, rather than turning back or being over."""
        return self.status in {"running", "held"}

    @property
    def present(self) -> RecoveryStep:
        """The step that it is at."""
        return self.steps[self.step]

    @property
    def services(self) -> tuple[str, ...]:
        """All that it starts, in the order in which it does."""
        return tuple(name for step in self.steps if step.kind == "start" for name in step.services)

    @property
    def attempted(self) -> tuple[str, ...]:
        """The services that it may have started so far, in the order in which they stop again."""
        begun = (step for step in self.steps[: self.step + 1] if step.kind == "start")
        return tuple(reversed([name for step in begun for name in step.services]))
