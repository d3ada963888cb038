"""The stream of clients of feature flags: it says that decisions may have changed, and they ask again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from backends.clients import ofrep
from backends.server.push import Frame, Hub
from core.state import State

_ALIVE: Final = Frame(0, b": alive\n\n")
"""A comment: clients of this protocol know no heartbeat, but connections end that nothing is written to."""


class Refetch:
    """Tells all who listen to ask again, when a hold, a stop, a limit of zero or a name has changed."""

    def __init__(self, tag: Callable[[], str], latest: Callable[[], State]) -> None:
        """``tag`` changes whenever a decision may."""
        self.hub = Hub(self._catch_up)
        self._tag = tag
        self._latest = latest
        self._told: tuple[object, ...] | None = None
        self._lock = threading.Lock()

    def look(self) -> None:
        """Tell everybody, if anything that decides has changed since the last time. From any thread."""
        with self._lock:
            state, tag = self._latest(), self._tag()
            decides = state.control_revision, state.names_revision, state.holds, tag.partition("+")[2]
            if decides != self._told:
                self._told = decides
                self.hub.publish(_frame(tag))

    def heartbeat(self) -> None:
        """Keep the connections."""
        self.hub.deliver(_ALIVE)

    async def _catch_up(self, _seen: int | None) -> list[Frame]:
        """Whoever comes, or comes back, may have asked before something changed; asking again with the tag of what it
        has tells it whether."""
        return [_frame(self._tag())]


def _frame(tag: str) -> Frame:
    """The event. To the hub it has no revision: each one replaces those before it, and a stop has none yet."""
    data = json.dumps(ofrep.refetch(tag, datetime.now(UTC).timestamp()), separators=(",", ":"))
    revision = tag.partition(".")[0]
    return Frame(0, f"id: {revision}\nevent: message\ndata: {data}\n\n".encode())
