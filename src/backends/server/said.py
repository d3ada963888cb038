"""What workers said last, as it was read."""

from __future__ import annotations

from typing import Any, Final

from backends.keeper.beats import Beat
from backends.server.caps import read_json
from backends.server.problems import Problem

_KEPT_MAX: Final = 10_000
"""Workers whose last words are kept; names may come and go without end."""

_KEPT_BYTES: Final = 1024
"""Bytes of the longest beat that is kept. One that lists many stops changes from one to the next."""


class Said:
    """What each worker said last. Nearly every beat is the one before it, byte for byte, and is not read again. For one
    thread."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[bytes, str | None, Beat]] = {}

    def __len__(self) -> int:
        return len(self._last)

    def beat(self, worker_id: str, body: bytes, content_type: str | None) -> Beat:
        """The beat in a body; `Problem` where it is none that is taken."""
        known = self._last.get(worker_id)
        if known is not None and known[0] == body and known[1] == content_type:
            return known[2]
        beat = _beat(read_json(body, content_type), worker_id)
        if len(body) <= _KEPT_BYTES:
            self._last[worker_id] = (body, content_type, beat)
            if len(self._last) > _KEPT_MAX:
                self._last.pop(next(iter(self._last)))
        return beat


def _beat(document: Any, worker_id: str) -> Beat:
    if not isinstance(document, dict):
        raise Problem(422, "malformed-beat", "a heartbeat is an object", "send env, scope, pid, revision, stops, …")
    try:
        return Beat.of({**document, "worker": worker_id})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(422, "malformed-beat", f"this is no heartbeat: {error!r}"[:300], "see /openapi.json") from error
