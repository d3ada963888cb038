"""What is stored about one account: which events, what of it is in force, and how it is erased.

An event is about an account where its body names it, in a field, in a selector or as a word of a text, or where it
follows on from such a one by the id of a hold, a stop or an emergency.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from backends.commit import Carried, carry_out
from core import checkpoint
from core.audit import Row
from core.capabilities.erasure import RecordErasure
from core.emergency_rules import Rules
from core.errors import CommandRejected
from core.messages import Actor, Envelope
from core.ports import Transaction
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


def erase(
    transaction: Transaction, state: State, about: About, actor: Actor, reason: str, now: datetime, rules: Rules
) -> Carried:
    """Take what was found out of the store, and record that. What led to the present state cannot be folded any more,
    so that is stored with it. Raises `CommandRejected` where something in force, or the reason, names the account."""
    about.look(transaction.rows(about.through))
    if about.names(reason):
        raise CommandRejected("account-in-use", "the reason names the account", "say it without its name")
    ended = tuple(each for each in about.ids if each in state.emergencies)
    command = RecordErasure(events=len(about.revisions), emergency_ids=ended, reason=reason)
    envelope = Envelope(command_id=f"erase-{uuid.uuid4().hex}", actor=actor, door="cli", command=command)
    carried = carry_out(transaction, state, [(envelope, None)], now, rules=rules)
    about.require_gone(carried.state)
    transaction.erase(about.revisions, about.command_ids, about.account)
    text = checkpoint.dump(carried.state)
    last = carried.rows[-1]
    transaction.put_checkpoint(last.revision, last.chain, text, checkpoint.digest(text))
    return carried


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
