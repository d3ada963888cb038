"""One question to the server, answered by a document or by an error of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

from backends.contact import ContactLog
from backends.documents import Malformed, Newer
from backends.remote.transport import Reply, Request, Transport
from core.errors import (
    KINDS,
    BackendUnavailable,
    CommandRejected,
    NotOurDatabase,
    NotPermitted,
    OpsError,
    TimedOut,
)
from opsgate.wire import FLEET_HEADER

T = TypeVar("T")

_BY_STATUS: Final[Mapping[int, type[OpsError]]] = {
    401: NotPermitted,
    403: NotPermitted,
    408: TimedOut,
    429: BackendUnavailable,
    504: TimedOut,
}
"""What a proxy before it may answer instead."""

_NOBODY: Final = 401
"""To whom nothing is told any more: what was known of the fleet is not told to be so either."""


class Client:
    """The server, question by question; what it does not answer is remembered as lost contact."""

    def __init__(self, transport: Transport, contact: ContactLog) -> None:
        self.transport = transport
        self.fleet = ""
        """For which fleet all is meant, once that is known."""
        self._contact = contact

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float,
        refused: Callable[[int, Mapping[str, Any]], bool] = lambda _status, _problem: False,
    ) -> Any:
        """The document that is answered.

        ``refused`` says of a problem whether it is an answer all the same. Raises `core.errors` only.
        """
        request = Request(method, path, {"Accept": "application/json", **(headers or {})}, body)
        with self.listening(request, timeout_s) as reply:
            document = _document(reply, self.transport.url)
        if reply.status < 400 or refused(reply.status, document):
            self._contact.answered(reply.round_trip_s)
            return document
        fault = error_of(reply.status, document, self.transport.url)
        if reply.status == _NOBODY or isinstance(fault, NotOurDatabase):
            self._contact.failed(fault)
        elif not isinstance(fault, BackendUnavailable):  # what is away behind the server makes nothing new
            self._contact.answered(reply.round_trip_s)
        raise fault

    def read(self, reader: Callable[[Any], T], document: Any) -> T:
        """What a document says. Raises `NotOurDatabase` where it is none of a server of ours, and remembers that."""
        try:
            return reader(document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._misread(error) from error

    @contextmanager
    def listening(self, request: Request, timeout_s: float) -> Iterator[Reply]:
        """An answer to be read inside the block; contact is lost where the reading fails."""
        if self._contact.now().word == "off":
            raise BackendUnavailable("closed", f"{self.transport.url} was closed here", "open it again")
        if self.fleet:
            request = replace(request, headers={**request.headers, FLEET_HEADER: self.fleet})
        try:
            with self.transport.open(request, timeout_s) as reply:
                yield reply
        except (BackendUnavailable, NotOurDatabase) as error:
            self._contact.failed(error)
            raise
        except Malformed as error:
            raise self._misread(error) from error

    @contextmanager
    def following(self, request: Request, timeout_s: float) -> Iterator[Iterator[bytes]]:
        """The pieces of an answer that goes on and on. Raises `core.errors` only, also for another kind of answer."""
        with self.listening(request, timeout_s) as reply:
            kind = reply.headers.get("content-type", "").partition(";")[0]
            if reply.status >= 400:
                raise error_of(reply.status, _document(reply, self.transport.url), self.transport.url)
            if kind != "text/event-stream":
                raise BackendUnavailable("no-stream", f"{self.transport.url} sends no stream of events", "asking it")
            yield reply.chunks()

    def _misread(self, error: Exception) -> NotOurDatabase:
        fault = misread(self.transport.url, error)
        self._contact.failed(fault)
        return fault


def error_of(status: int, problem: Mapping[str, Any], url: str) -> OpsError:
    """What a problem document means here."""
    code, hint = str(problem.get("code") or f"http-{status}"), str(problem.get("hint") or "")
    said = str(problem.get("detail") or problem.get("title") or f"{url} answered {status}")
    if status == 404 and "kind" not in problem:
        return not_ours(url, "it knows none of its routes")
    otherwise = _BY_STATUS.get(status, CommandRejected if status < 500 else BackendUnavailable)
    return KINDS.get(str(problem.get("kind")), otherwise)(code, said, hint)


def not_ours(url: str, why: str) -> NotOurDatabase:
    """What answers at ``url`` is no server of a fleet."""
    return NotOurDatabase("not-a-server", f"what answers at {url} is no opsconsole server: {why}", "correct the URL")


def misread(url: str, error: Exception) -> NotOurDatabase:
    """What was answered cannot be read."""
    if isinstance(error, Newer):
        return NotOurDatabase(
            "newer-server",
            f"{url} is a server of a newer version: {error}",
            "upgrade opsconsole here; stops still work",
        )
    return not_ours(url, str(error))


def _document(reply: Reply, url: str) -> Any:
    """The JSON document in an answer; a proxy's page where a server is away says so, elsewhere it is no server."""
    body = reply.read()
    if not body and reply.status < 300:
        return {}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        if reply.status >= 500:
            return {}
        raise not_ours(url, f"it answered {reply.status} and no JSON") from None
    if reply.status >= 400 and not isinstance(document, dict):
        return {}
    return document
