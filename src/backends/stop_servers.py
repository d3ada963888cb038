"""The stop lane's third route: every server of the fleet at once, each at its own stop port and at its usual one.

Standard library only, as all of the stop lane. A server is known to obey when any of its two ports has answered. What
answers behind its usual port may be somebody else's, and counts where it says that it is a stop port.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from opsgate.clock import elapsed_s
from opsgate.order import Order
from opsgate.paths import fleet_of_url
from opsgate.wire import DOOR_HEADER, FLEET_HEADER

ANSWER_S: Final = 3.0
"""Seconds that a stop waits to learn how durable it is where servers are on its way: they may be far."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_ANSWER_MAX: Final = 1 << 20

_MISDIRECTED: Final = 421

Word = Literal["answered", "refused", "silent", "absent"]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an order at one server. ``answer`` is what it said where it obeys; ``fault`` what was wrong."""

    url: str
    word: Word = "silent"
    answer: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""


class Telling:
    """An order on its way to every server; begins at once. Never raises: a route that fails is in the answer."""

    def __init__(
        self, order: Order, urls: Sequence[str], token: str, deadline_s: float, fleet: str | None = None
    ) -> None:
        """``urls`` of the servers, ``token`` the credential for them, ``deadline_s`` by the host's clock; ``fleet`` for
        which it is meant, where that is known: a server of another one refuses it."""
        said = order.as_dict()  # who orders, and when, the server knows by itself
        self._body = json.dumps({key: said[key] for key in ("stop_id", "selectors", "level", "reason")}).encode()
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        if fleet:
            self._headers[FLEET_HEADER] = fleet
        self._deadline_s = deadline_s
        self._told: dict[str, list[Told]] = {url: [] for url in urls}
        self._doors = {url: _doors(url) for url in urls}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._left = sum(map(len, self._doors.values()))
        for url, doors in self._doors.items():
            for door in doors:
                self._begin(url, door)

    def result(self) -> tuple[Told, ...]:
        """What became of it, one for each server: when all have answered, one has recorded it, or the time is up."""
        with self._changed:
            while self._left and not self._is_recorded() and (left_s := self._deadline_s - elapsed_s()) > 0:
                self._changed.wait(left_s)
            return tuple(self._best(url) for url in self._told)

    def _best(self, url: str) -> Told:
        """The best that was heard from the doors of a server; one that has not answered yet may have obeyed."""
        told = self._told[url]
        waiting = [Told(url)] if len(told) < len(self._doors[url]) else []
        return max((*told, *waiting), key=_worth)

    def _begin(self, url: str, door: str) -> None:
        try:
            threading.Thread(target=self._tell, args=(url, door), name="stop-server", daemon=True).start()
        except (RuntimeError, MemoryError):  # no thread to be had
            self._tell(url, door)

    def _tell(self, url: str, door: str) -> None:
        try:
            word, answer, fault = self._asked(door, behind=door != url)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with one way, the others must go on)
            word, answer, fault = "absent", {}, _in_words(error)
        with self._changed:
            told = self._told[url]
            told.insert(0 if door == url else len(told), Told(url, word, answer, fault))  # the best of equals is first
            self._left -= 1
            self._changed.notify_all()

    def _asked(self, door: str, *, behind: bool) -> tuple[Word, Mapping[str, Any], str]:
        """``behind``: it is taken for the stop port behind a server's usual one, and says whether it is."""
        from http.client import HTTPConnection, HTTPException, HTTPSConnection

        where = urlsplit(door)
        kind = HTTPSConnection if where.scheme == "https" else HTTPConnection
        connection = kind(where.hostname or "", where.port, timeout=max(0.001, self._deadline_s - elapsed_s()))
        try:
            connection.connect()
            try:
                headers = {**self._headers, DOOR_HEADER: "stop"} if behind else self._headers
                connection.request("POST", f"{where.path}/v1/stop", self._body, headers)
                reply = connection.getresponse()
                document = _document(reply.read(_ANSWER_MAX))
            except (OSError, HTTPException) as error:
                return "silent", {}, _in_words(error)
        finally:
            connection.close()
        if behind and (reply.status == _MISDIRECTED or (reply.status < 300 and document.get("door") != "stop")):
            return "absent", {}, f"port {where.port} is not its stop port"
        if reply.status < 300 and document.get("durable"):
            return "answered", document, ""
        said = str(document.get("detail") or document.get("title") or f"it answered {reply.status}")
        return "refused", document, said

    def _is_recorded(self) -> bool:
        return any(one.answer.get("durable") == "database" for told in self._told.values() for one in told)


def servers_of(url: str | None) -> tuple[str, ...]:
    """The servers that a backend's URL names; none for a database."""
    each = [one.strip() for one in (url or "").split(",")]
    return tuple(one.rstrip("/") for one in each if one.startswith(("http://", "https://")))


def names_of_url(url: str) -> tuple[str, ...]:
    """The names under which latches of the fleet at ``url`` lie while its id is not known: of several servers one for
    each, for each looks for those under its own, and so do gates. Raises ValueError for what is no backend URL."""
    return tuple(dict.fromkeys(map(fleet_of_url, servers_of(url) or (url,))))


def _doors(url: str) -> tuple[str, ...]:
    """Where one server listens for stops: at the port behind its usual one, where nothing else is served, and there."""
    where = urlsplit(url)
    port = where.port or DEFAULT_PORTS[where.scheme]
    host = f"[{where.hostname}]" if ":" in (where.hostname or "") else where.hostname
    own = f"{where.scheme}://{host}:{port + 1}"
    return (own, url) if where.port else (url,)


def _worth(told: Told) -> tuple[int, int]:
    order = {"absent": 0, "refused": 1, "silent": 2, "answered": 3}
    durable = {"memory": 1, "spool": 2, "database": 3}
    return order[told.word], durable.get(str(told.answer.get("durable")), 0)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _in_words(error: Exception) -> str:
    """What the system says of it, without its number."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
