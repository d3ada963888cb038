"""What is stored about one account: which events, and what of it is in force.

An event is about an account where its body names it, in a field, in a selector or as a word of a text, or where it
follows on from such a one by the id of a hold, a stop or an emergency.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core import checkpoint
from core.audit import Row
from core.errors import CommandRejected
from core.state import State

_IDS: Final = ("hold_id", "stop_id", "emergency_id", "recovery_id")


@dataclass
class About:
    """What was found about an account so far, up to revision ``through``."""

    account: str
    through: int = 0
    revisions: list[int] = field(default_factory=list)
    command_ids: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        name = re.escape(self.account)
        self._word = re.compile(rf"(?<![\w~-])(?<!\w\.){name}(?![\w~-])(?!\.\w)")

    def look(self, rows: Iterable[Row]) -> None:
        """Look at the next rows, oldest first."""
        for row in rows:
            self.through = row.revision
            if row.body:
                self._look(row)

    def _look(self, row: Row) -> None:
        data: Mapping[str, Any] = json.loads(row.body)["data"]
        ids = {str(data[name]) for name in _IDS if data.get(name)}
        if self.names(data) or ids & self.ids:
            self.ids |= {*ids, *data.get("hold_ids", ())}
            self.revisions.append(row.revision)
            self.command_ids.add(row.command_id)

    def names(self, document: Any) -> bool:
        """Whether the account is named anywhere in a document."""
        return any(self._word.search(text) for text in _texts(document))

    def require_gone(self, state: State) -> None:
        """Refuse where something that is in force still names it: to erase that would be to release it."""
        document = json.loads(checkpoint.dump(state))
        left = [key for key, entries in document.items() if isinstance(entries, list | dict) and self.names(entries)]
        if left:
            raise CommandRejected(
                "account-in-use",
                f"the account is still named by {', '.join(left)} of the fleet",
                "release, recover or remove what names it, and say it again",
            )


def _texts(document: Any) -> Iterator[str]:
    match document:
        case str():
            yield document
        case Mapping():
            for key, value in document.items():
                yield str(key)
                yield from _texts(value)
        case list() | tuple():
            for value in document:
                yield from _texts(value)
