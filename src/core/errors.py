"""Whose fault is it? Every error says so by its class, and in words what to do next."""

from __future__ import annotations

from typing import ClassVar


class OpsError(Exception):
    """Base of what this system says no with. ``code`` is stable for scripts, ``hint`` is the next step for a person,
    ``kind`` the word for the class on the wire."""

    kind: ClassVar[str] = "failed"

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class CommandRejected(OpsError):
    """The engine's answer is no: a rule forbids it, or what it names does not exist. Repeating it changes nothing."""

    kind = "rejected"


class UnknownName(CommandRejected):
    """A hold or a switch on a name that nobody registered; the hint has the near names."""

    kind = "unknown-name"


class NotPermitted(CommandRejected):
    """This actor may not do that, whatever the state."""

    kind = "not-permitted"


class ConfirmationNeeded(CommandRejected):
    """The typed scope is missing or is not the scope of what would be released."""

    kind = "confirmation-needed"


class RevisionConflict(OpsError):
    """The state moved since it was looked at: look again, then decide again."""

    kind = "conflict"


class BackendUnavailable(OpsError):
    """The world is at fault (database gone, locked, full, newer, corrupt): try again when it is mended."""

    kind = "unavailable"


class TimedOut(BackendUnavailable):
    """The world did not answer in time; the command may or may not have been carried out. Repeat it with its id."""

    kind = "timed-out"


class NotOurDatabase(OpsError):
    """The file or server holds something else than a fleet that this version can use: a configuration fault."""

    kind = "not-ours"


KINDS: dict[str, type[OpsError]] = {
    cls.kind: cls
    for cls in (
        CommandRejected,
        UnknownName,
        NotPermitted,
        ConfirmationNeeded,
        RevisionConflict,
        BackendUnavailable,
        TimedOut,
        NotOurDatabase,
    )
}
"""Each class by its word."""
