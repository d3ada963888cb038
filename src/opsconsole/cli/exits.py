"""Exit codes that scripts branch on, and which error gets which. Documented, and never renumbered."""

from __future__ import annotations

from enum import IntEnum

from core.errors import (
    BackendUnavailable,
    CommandRejected,
    ConfirmationNeeded,
    NotOurDatabase,
    NotPermitted,
    OpsError,
    RevisionConflict,
    TimedOut,
)


class Exit(IntEnum):
    """What the exit code of a command says."""

    OK = 0
    """Done, or there was nothing to do. ``check``: allowed. ``status --exit-code``: running. ``stop``: verified."""
    REFUSED = 1
    """A rule forbids it, what it names does not exist, or a check failed."""
    USAGE = 2
    """The command line or the configuration is wrong: nothing was tried."""
    UNREACHABLE = 3
    """The backend cannot be reached or used: gone, locked, full, read-only, corrupt."""
    TIMED_OUT = 4
    """No answer in time. The command may or may not have been carried out."""
    UNVERIFIED = 5
    """Applied but not verified: partial, unverified, or not durable yet."""
    CONFLICT = 6
    """The state moved since it was looked at."""
    CONFIRMATION = 7
    """A typed scope or an approval is missing."""
    NOT_PERMITTED = 8
    """This person, or this profile, may not do that."""
    BLOCKED = 10
    """``check``: blocked. ``status --exit-code``: a hold on everything, and nobody of its frozen list is missing."""
    PARTLY = 11
    """``status --exit-code``: a narrower hold, or one on everything with acknowledgements missing."""
    UNREADABLE = 12
    """``check``: the state could not be read. ``status --exit-code``: unreadable, or too old to be relied on."""
    INTERNAL = 70
    """A fault of ours. A report was written."""
    HUNG_UP = 129
    """The terminal went away."""
    INTERRUPTED = 130
    """Ctrl-C."""
    TERMINATED = 143
    """Somebody ended the process."""


_OF_ERROR: tuple[tuple[type[OpsError], Exit], ...] = (
    (ConfirmationNeeded, Exit.CONFIRMATION),
    (NotPermitted, Exit.NOT_PERMITTED),
    (CommandRejected, Exit.REFUSED),
    (RevisionConflict, Exit.CONFLICT),
    (TimedOut, Exit.TIMED_OUT),
    (BackendUnavailable, Exit.UNREACHABLE),
    (NotOurDatabase, Exit.USAGE),
)
"""Narrower classes first."""


def exit_of(error: OpsError) -> Exit:
    """The exit code of one of `core.errors`."""
    return next((code for kind, code in _OF_ERROR if isinstance(error, kind)), Exit.REFUSED)
