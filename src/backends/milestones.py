"""The milestones of a stop and of a recovery: the steps between which a process may be killed, each by its name.

Whoever passes one says so. Nothing comes of it, but in the processes of a test, which have themselves killed there and
see that the next keeper goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Milestone(StrEnum):
    """What has just been done, or is about to be."""

    ORDER_HEARD = "order-heard"
    """A stop was ordered, and nothing has been done about it."""
    ORDER_TOLD = "order-told"
    """Gates were told of it."""
    ORDER_DRIVEN = "order-driven"
    """Those who stop services were told of it."""
    ORDER_HANDED_ON = "order-handed-on"
    """The recorder was, too."""
    LATCH_PLACING = "latch-placing"
    """Its latch is about to be placed."""
    LATCH_PLACED = "latch-placed"
    """Its latch lies on the disk, and nobody has said so."""
    STOP_RECORDING = "stop-recording"
    """It is about to be recorded."""
    TRANSACTION_BEGUN = "transaction-begun"
    """The head of the journal is locked."""
    TRANSACTION_WRITTEN = "transaction-written"
    """Everything is written, and nothing committed."""
    TRANSACTION_COMMITTED = "transaction-committed"
    """It is committed, and nobody has been told."""
    STOP_RECORDED = "stop-recorded"
    """It is recorded, and nobody has been told."""
    SERVICE_ASKING = "service-asking"
    """A driver is about to do something for a stop."""
    SERVICE_ASKED = "service-asked"
    """A driver has done it, and nobody has looked."""
    SERVICE_SEEN = "service-seen"
    """Somebody has looked, and has not reported."""
    REPORT_HANDING_IN = "report-handing-in"
    """What was seen is about to be recorded."""
    REPORT_HANDED_IN = "report-handed-in"
    """It is recorded, and not let go of."""
    STOP_CONCLUDING = "stop-concluding"
    """What a stop came to is about to be recorded."""
    RECOVERY_ACTING = "recovery-acting"
    """Services are about to be started or stopped again."""
    RECOVERY_ACTED = "recovery-acted"
    """They have been, and nobody has looked."""
    RECOVERY_SEEN = "recovery-seen"
    """Somebody has looked, and has not reported."""
    RECOVERY_ADVANCING = "recovery-advancing"
    """What was seen is about to be decided upon."""
    RECOVERY_ADVANCED = "recovery-advanced"
    """It is decided."""
    LATCH_REMOVING = "latch-removing"
    """A stop has ended, and its latch lies there."""
    LATCH_REMOVED = "latch-removed"
    """Its latch is gone."""


def _nothing(_milestone: Milestone, _phase: str) -> None:
    """As ever."""


watcher: Callable[[Milestone, str], None] = _nothing
"""What a test puts here is called at each milestone, on the thread that passes it."""


def passing(milestone: Milestone, phase: str = "") -> None:
    """Say that a milestone is passed; in which phase of a recovery, ``""`` elsewhere."""
    watcher(milestone, phase)
