"""The latest events, in order and each once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from opsconsole.views.samples import samples_of

if TYPE_CHECKING:
    from core.audit import Row
    from core.messages import Recorded
    from core.triggers.sample import Input

EVENTS_KEPT = 200
SAMPLES_KEPT = 500


class Recent:
    """What is read and what arrives may overlap; `events` is oldest first."""

    def __init__(self) -> None:
        self.events: tuple[Recorded, ...] = ()
        self.samples: tuple[Input, ...] = ()
        """The samples in events so far, oldest first; they outlast the events."""

    def remember(self, events: Iterable[Recorded]) -> None:
        """Keep these too."""
        come = tuple(events)
        known = {recorded.revision: recorded for recorded in (*self.events, *come)}
        if found := samples_of(come):
            self.samples = tuple(sorted({*self.samples, *found}, key=lambda each: each.at))[-SAMPLES_KEPT:]
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
