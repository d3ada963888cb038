"""How far a channel has been told of the journal: as the keeper that leads knows it, and as the database does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.ports import Cursor
from core.telling import Ledger, Said
from opsgate.hold import moment, timestamp

_WRITE_EVERY_S: Final = 10.0
"""Seconds between two writings of how far a channel is that was told nothing: most events concern nobody."""

_PREFIX: Final = "notify/"
_WHY_MAX: Final = 300


def cursor_name(channel: str) -> str:
    """What the cursor of a channel is called."""
    return _PREFIX + channel


@dataclass(slots=True)
class Place:
    """Everything up to ``revision`` has been told, and ``ledger`` is what was said. ``written`` is how far the database
    knows, None for nothing yet."""

    revision: int
    written: int | None = None
    ledger: Ledger = field(default_factory=dict)
    written_s: float = 0.0
    failing_since: datetime | None = None

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        """As the database has it. What cannot be read of what was said only means that it may be said again."""
        try:
            said: Mapping[str, Any] = json.loads(cursor.detail)["said"]
            ledger = {
                str(key): Said(moment(at), int(held), int(revision)) for key, (at, held, revision) in said.items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            ledger = {}
        return cls(cursor.revision, cursor.revision, ledger)

    @property
    def held(self) -> int:
        """How much is held back."""
        return sum(said.held for said in self.ledger.values())

    def is_due(self, elapsed_s: float, *, told: bool) -> bool:
        """Whether to write it down: at once where the channel was told something, now and then where it was not."""
        has_moved = self.revision != self.written or self.failing_since is not None
        return told or (has_moved and elapsed_s - self.written_s >= _WRITE_EVERY_S)

    def cursor(self, channel: str, at: datetime, why: str, tries: int) -> Cursor:
        """As the database is to have it. ``why`` it fails, "" where it does not, after so many ``tries``."""
        said = {key: [timestamp(each.at), each.held, each.revision] for key, each in self.ledger.items()}
        detail: dict[str, Any] = {"state": "failing" if why else "ok", "said": said}
        if why:
            detail |= {"why": why[:_WHY_MAX], "since": timestamp(self.failing_since or at), "tries": tries}
        return Cursor(cursor_name(channel), self.revision, at, json.dumps(detail))
