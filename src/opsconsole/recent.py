"""The latest events, in order and each once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.audit import Row
    from core.messages import Recorded

EVENTS_KEPT = 200


class Recent:
    """What is read and what arrives may overlap; `events` is oldest first."""

    def __init__(self) -> None:
        self.events: tuple[Recorded, ...] = ()

    def remember(self, events: Iterable[Recorded]) -> None:
        """Keep these too."""
        known = {recorded.revision: recorded for recorded in (*self.events, *events)}
        self.events = tuple(known[revision] for revision in sorted(known)[-EVENTS_KEPT:])


def events_of(rows: Sequence[Row]) -> tuple[Recorded, ...]:
    """The events of rows, but for those of a later version, which are no reason to show nothing at all."""
    return tuple(recorded for row in rows if (recorded := _event_of(row)))


def _event_of(row: Row) -> Recorded | None:
    from core.audit import event_of

    try:
        return event_of(row)
    except (ValueError, KeyError):
        return None
