"""The hold: the one reason for not running. A pause, a flag that is off and an open breaker are all holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal, get_args

from opsgate.selector import EVERYTHING, Selector

Source = Literal[
    "operator", "emergency", "trigger", "breaker", "schedule", "alert", "file", "signal", "flag", "workflow", "safety"
]
"""Who may place a hold. Automation releases only what it placed itself."""

SOURCES: Final[tuple[Source, ...]] = get_args(Source)

AUTOMATIC_SOURCES: Final = frozenset({"trigger", "breaker", "schedule", "alert", "file", "signal"})

LOCAL_SOURCES: Final = frozenset({"file", "signal"})
"""Held from within one worker's own machine, by its control file or a signal."""

LIMIT_SOURCE: Final = "limit"
"""Not a hold that anyone placed: a limit of zero, shown among the blockers of a decision."""

Mode = Literal["drain", "halt"]

DRAIN: Final = "drain"
"""Running work finishes, nothing new starts."""

HALT: Final = "halt"
"""Running work stops at its next checkpoint."""


@lru_cache(maxsize=64)
def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, so that equal moments are equal text and text sorts as time. All that one
    commit records has one moment, which is written once."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"


def moment(text: str) -> datetime:
    """The aware UTC time of an RFC 3339 text; ValueError when it is none, has no zone or lies outside our calendar."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    try:
        return parsed.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the calendar") from None


def whole(value: Any) -> int:
    """A whole number as JSON has it; TypeError for anything else, infinity among it."""
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason for not running, as it is stored, sent to gates and shown as a blocker.

    ``admit`` is the share of work let through all the same (0.0 none, 1.0 all). ``expires_at`` is decided by the
    keeper's clock, never by a worker's. ``revision`` is that of the event which last changed the hold.
    """

    hold_id: str
    selector: Selector
    source: str
    """One of `SOURCES`, `LIMIT_SOURCE`, or a word of a later version, which holds all the same."""
    owner: str
    reason: str = ""
    mode: Mode = DRAIN
    placed_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    expires_at: datetime | None = None
    admit: float = 0.0
    correlation_id: str = ""
    revision: int = 0
    overdue: bool = False
    """Its expiry fell due while no keeper watched: it stays in force until a person confirms."""

    @property
    def is_global(self) -> bool:
        """Whether it covers everything."""
        return self.selector == EVERYTHING

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of ``check``'s blockers, with the fields only the gate needs behind."""
        return {
            "hold_id": self.hold_id,
            "source": self.source,
            "owner": self.owner,
            "selector": self.selector.as_dict(),
            "mode": self.mode,
            "reason": self.reason,
            "placed_at": timestamp(self.placed_at),
            "expires_at": timestamp(self.expires_at) if self.expires_at else None,
            "admit": self.admit,
            "correlation_id": self.correlation_id,
            "revision": self.revision,
            "overdue": self.overdue,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Hold:
        """The hold of ``as_dict``; KeyError, TypeError or ValueError when the document is none."""
        hold_id = str(document["hold_id"])
        expires_at = document.get("expires_at")
        return cls(
            hold_id=hold_id,
            selector=Selector.from_mapping(document["selector"]),
            source=str(document["source"]),
            owner=str(document["owner"]),
            reason=str(document.get("reason", "")),
            mode=DRAIN if document["mode"] == DRAIN else HALT,  # a mode of a later version is taken for the stronger
            placed_at=moment(document["placed_at"]),
            expires_at=moment(expires_at) if expires_at else None,
            admit=float(document.get("admit", 0.0)),
            correlation_id=str(document.get("correlation_id", "")),
            revision=whole(document.get("revision", 0)),
            overdue=bool(document.get("overdue", False)),
        )
