"""How requests reach a server: one method, behind which lies httpx. Several servers of one fleet are tried in turn."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, Protocol, Self

import httpx

from backends.remote.connections import Connections
from core.errors import BackendUnavailable, NotOurDatabase, TimedOut
from opsgate.wire import AWAY

_CONNECT_S: Final = 2.0
"""Seconds for one server to take a connection, where another one could be asked instead."""

_IDLE_S: Final = 50.0
"""Seconds for which a connection without a question is kept, fewer than servers and what stands before them keep it:
over a long line a new one takes as long as the question."""

_SENDING: Final = "http11.send_request_headers.started"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. ``silent_s`` is for how long an answer that goes on and on may say nothing; None for an answer
    that has to be there within the time of the call."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    silent_s: float | None = None


class Reply(Protocol):
    """What is answered; it may be read as long as the block lasts."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields; names in lower case."""

    @property
    def round_trip_s(self) -> float:
        """From when it was asked until the answer began; that a connection had to be made first is no part of it."""

    def read(self) -> bytes:
        """The whole body."""

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes."""


class Transport(Protocol):
    """The way to a server."""

    @property
    def url(self) -> str:
        """Where it leads, without secrets."""

    def open(self, request: Request, timeout_s: float) -> AbstractContextManager[Reply]:
        """Ask. Raises `BackendUnavailable` where nobody can be reached, `TimedOut` where somebody was who did not
        answer in time, `NotOurDatabase` where the other side cannot be trusted. Reading raises the same."""

    def close(self) -> None:
        """Let the connections go."""


class HttpTransport:
    """A connection pool to the servers of one fleet: first is asked who answered last, and last who did not."""

    def __init__(self, urls: Sequence[str], *, token: str = "") -> None:
        """``urls`` without a login; ``token`` is the credential, sent as a bearer."""
        self.url = ",".join(urls)
        self._urls = list(urls)
        credential = {"Authorization": f"Bearer {token}"} if token else {}
        trusted = _trust(urls)

        def pool() -> httpx.Client:
            transport = Connections(trusted, _IDLE_S)
            return httpx.Client(headers=credential, follow_redirects=False, trust_env=False, transport=transport)

        self._questions = pool()
        self._streams = pool()
        """Apart: a stream would keep the one connection that is open, and the next question would wait for another."""

    @contextmanager
    def open(self, request: Request, timeout_s: float) -> Iterator[Reply]:
        """Ask one after the other until somebody answers, each within its share of the ``timeout_s`` that are left.

        Where nobody does and one may have carried it out all the same, it is that one's `TimedOut` that is raised.
        """
        deadline_s = monotonic() + timeout_s
        unsure: TimedOut | None = None
        for left, url in reversed(list(enumerate(reversed(self._urls)))):
            share_s = max(0.001, deadline_s - monotonic()) / (left + 1)
            try:
                reply = self._send(url, request, share_s, others=left > 0)
            except BackendUnavailable as error:
                self._ask_last(url)
                unsure = unsure or (error if isinstance(error, TimedOut) else None)
                if left == 0 or monotonic() >= deadline_s:
                    raise unsure or error from error.__cause__
                continue
            with reply as answered:
                if answered.status in AWAY:
                    self._ask_last(url)
                    if left and monotonic() < deadline_s:
                        continue
                    if unsure:
                        raise unsure
                else:
                    self._ask_first(url)
                try:
                    yield answered
                except BackendUnavailable:
                    self._ask_last(url)
                    raise
                return

    def close(self) -> None:
        """Let the connections go."""
        self._questions.close()
        self._streams.close()

    def _send(self, url: str, request: Request, left_s: float, *, others: bool) -> _Reply:
        connect_s = min(left_s, _CONNECT_S) if others else left_s
        by_s = monotonic() + left_s
        timeout = httpx.Timeout(connect=connect_s, pool=left_s, write=by_s, read=by_s)
        pool = self._questions if request.silent_s is None else self._streams
        built = pool.build_request(
            request.method, url + request.path, headers=dict(request.headers), content=request.body, timeout=timeout
        )
        asked = Asked()
        built.extensions["trace"] = asked.trace
        with _in_our_words(url):
            response = pool.send(built, stream=True)
        response.extensions["network_stream"].silent_s = request.silent_s
        return _Reply(response, self.url, asked.elapsed_s())

    def _ask_first(self, url: str) -> None:
        if self._urls[0] != url:
            self._urls = [url, *(other for other in self._urls if other != url)]

    def _ask_last(self, url: str) -> None:
        if self._urls[-1] != url:
            self._urls = [*(other for other in self._urls if other != url), url]


class Asked:
    """When a question left. `clock_s` never jumps."""

    def __init__(self, clock_s: Callable[[], float] = monotonic) -> None:
        self._clock_s = clock_s
        self._at_s = clock_s()

    def trace(self, step: str, _details: Mapping[str, Any]) -> None:
        """Told by the HTTP library of each of its steps."""
        if step == _SENDING:
            self._at_s = self._clock_s()

    def elapsed_s(self) -> float:
        """Seconds since then."""
        return self._clock_s() - self._at_s


class _Reply:
    """An answer of httpx in our words, closed at the end of its block."""

    def __init__(self, response: httpx.Response, url: str, round_trip_s: float) -> None:
        self._response = response
        self._url = url
        self.round_trip_s = round_trip_s
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._response.close()

    def read(self) -> bytes:
        """The whole body."""
        with _in_our_words(self._url):
            return self._response.read()

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes."""
        with _in_our_words(self._url):
            yield from self._response.iter_bytes()


@contextmanager
def _in_our_words(url: str) -> Iterator[None]:
    """Say whose fault it is. That a server took the question and gave no answer is another thing than none there."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        if _distrusts(error):
            raise NotOurDatabase(
                "not-trusted",
                f"{url} could not prove who it is: {error}",
                "correct the URL, or name the authority that signed its certificate in SSL_CERT_FILE",
            ) from error
        hint = "is it an http:// server?" if "WRONG_VERSION_NUMBER" in str(error) else "is the server running?"
        raise BackendUnavailable("cannot-connect", f"{url} cannot be reached: {_words(error)}", hint) from error
    except httpx.TimeoutException as error:
        raise TimedOut("no-answer", f"{url} did not answer in time", "try again") from error
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
        silent = isinstance(error, httpx.RemoteProtocolError) and url.startswith("http:")  # as who waits for TLS is
        hint = "try again; is it an https:// server?" if silent else "try again"
        raise TimedOut("cut-off", f"the connection to {url} broke: {_words(error)}", hint) from error


def _distrusts(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _trust(urls: Sequence[str]) -> ssl.SSLContext | None:
    """Whom to believe: the authorities of this system, or those in ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``. None where
    nobody proves anything, for reading them all takes a fifth of a second."""
    return ssl.create_default_context() if any(url.startswith("https:") for url in urls) else None


def _words(error: Exception) -> str:
    """What an error says, without the number that the system has for it; its name where it says nothing."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
