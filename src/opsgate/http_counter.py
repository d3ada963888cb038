"""Reservations by question: who counts is a server, and each answer is awaited on the caller's own thread."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from opsgate.leases import Taken
from opsgate.pauselog import plain
from opsgate.permits import ANSWER_WITHIN_S
from opsgate.sources import SourceError
from opsgate.wire import HEARTBEAT_S

if TYPE_CHECKING:
    from opsgate.http_line import Answer, Line
    from opsgate.http_servers import Server, Servers

Refused = Callable[["Server", int, bytes], SourceError]
"""The error for an answer that was not asked for."""

_LINES_KEPT = 4
"""Connections that are kept open for the next question; more than so many threads seldom ask at once."""


class Counter:
    """Asks the servers for units. From any thread; never raises."""

    def __init__(self, refused: Refused, servers: Servers, owner: str) -> None:
        """``owner`` is the worker that the token names; empty without one."""
        self._refused = refused
        self._owned = f"@{owner}" if owner else ""
        self._servers = servers
        self._idle: list[Line] = []

    def take(self, limit: str, units: int, lease_s: float) -> Taken:
        """Take so many units, for a block where ``lease_s`` is more than 0. They have a name from the beginning, so
        that a question which is asked twice takes them once, and one that nobody answers can be settled."""
        name = uuid.uuid4().hex
        wanted = {"cost": units, **({"lease_s": lease_s} if lease_s else {})}
        path = f"/v1/limits/{quote(limit, safe='')}/reserve"
        try:
            with self._line() as line:
                answer = line.ask(
                    "POST",
                    path,
                    json.dumps(wanted).encode(),
                    headers={"Idempotency-Key": name},
                    within_s=ANSWER_WITHIN_S,
                )
            return _taken(answer, self._refused)
        except SourceError as error:
            reason = f"{error}, so nobody counts this limit"
            return Taken(False, retry_after_s=HEARTBEAT_S, reason=reason, unanswered=f"r-{name}{self._owned}")

    def give_back(self, reservation_id: str, keep: int) -> bool | None:
        """Give a reservation back but for ``keep`` units; False where it is not there any more, None where nobody
        answers."""
        path = f"/v1/reservations/{quote(reservation_id, safe='')}"
        try:
            with self._line() as line:
                answer = line.ask("DELETE", f"{path}?keep={keep}" if keep else path, within_s=ANSWER_WITHIN_S)
            return None if answer.status >= 500 else json.loads(answer.body).get("refunded") is True
        except SourceError:
            return None
        except (ValueError, AttributeError):
            return False  # it leaves the window by itself

    @contextmanager
    def _line(self) -> Iterator[Line]:
        from opsgate.http_line import Line

        try:
            line = self._idle.pop()
        except IndexError:
            line = Line(self._servers, resolves=False)
        try:
            yield line
        finally:
            if len(self._idle) < _LINES_KEPT:
                self._idle.append(line)
            else:
                line.close()


def _taken(answer: Answer, refused: Refused) -> Taken:
    """What an answer to a reservation says. `SourceError` where it is none."""
    try:
        said = json.loads(answer.body)
        if answer.status in (200, 201, 429) and "granted" in said:
            return Taken(
                said["granted"] is True and answer.status != 429,
                str(said.get("reservation_id", "")),
                int(said["used"]),
                int(said["limit"]),
                None if said.get("retry_after_s") is None else float(said["retry_after_s"]),
                window_s=_window_s(answer.headers),
            )
        if answer.status in (404, 422):  # no such limit, no such cost: asking again will not help
            return Taken(False, reason=plain(str(said["detail"]), 200))
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # no answer of a server of ours, which the status may explain
    raise refused(answer.server, answer.status, answer.body)


def _window_s(headers: Mapping[str, Any]) -> float:
    """The window that the answer's policy names; 0 where it names none."""
    for part in str(headers.get("ratelimit-policy", "")).split(";"):
        name, _, value = part.strip().partition("=")
        if name == "w" and value.isdigit():
            return float(value)
    return 0.0
