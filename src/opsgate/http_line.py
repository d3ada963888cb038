"""One kept-alive connection to a fleet's servers: a question, its answer, and a deadline over both."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from opsgate.clock import elapsed_s
from opsgate.http_faults import Unreachable, broken_means
from opsgate.http_servers import Server, Servers
from opsgate.sources import SourceError
from opsgate.wire import AWAY

BODY_BYTES_MAX: Final = 64 << 20
"""An answer that is longer is none of a server of ours."""


class Answer(NamedTuple):
    """What a server said to one question."""

    server: Server
    status: int
    headers: Mapping[str, str]
    body: bytes


class Question(NamedTuple):
    """What is asked, and until when an answer is of use (host clock)."""

    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]
    deadline_s: float

    def shared(self, others: int) -> Question:
        """The same, answered in time for so many others to be asked after it."""
        now_s = elapsed_s()
        return self._replace(deadline_s=now_s + max(0.0, self.deadline_s - now_s) / (others + 1))


class Line:
    """Asks the servers in turn until one answers. For use by one thread."""

    def __init__(self, servers: Servers, *, resolves: bool = True) -> None:
        """``resolves``: look names up for each connection; else go where they led last, if that is known."""
        self._servers = servers
        self._resolves = resolves
        self._server: Server | None = None
        self._connection: Connection | None = None

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        within_s: float,
    ) -> Answer:
        """Ask, again at the next server where one does not answer or says that it is away; ``within_s`` over all of
        them, of which each has its share. `Unreachable` or `Refused` with the sentence of the first one; the next
        question begins with another."""
        question = Question(method, path, body, headers or {}, elapsed_s() + within_s)
        away: Answer | None = None
        faults: list[SourceError] = []
        for left, server in self._turns():
            try:
                answer = self._ask(server, question.shared(left))
            except SourceError as error:
                faults.append(error)
                self._servers.failed(server)
            else:
                if answer.status not in AWAY:
                    self._servers.answered(server)
                    return answer
                away = away or answer
                self._servers.failed(server)
        if away is None:
            raise faults[0]
        return away

    def _turns(self) -> list[tuple[int, Server]]:
        """Each server, and how many are left behind it."""
        servers = tuple(self._servers.in_turn())
        return [(len(servers) - number, server) for number, server in enumerate(servers, 1)]

    def close(self) -> None:
        """Hang up."""
        connection, self._connection, self._server = self._connection, None, None
        if connection is not None:
            connection.close()

    def _ask(self, server: Server, question: Question) -> Answer:
        was_open = self._connection is not None and self._server is server
        try:
            return self._ask_once(server, question)
        except Unreachable:
            if not was_open:
                raise
        return self._ask_once(server, question)  # it had only been closed meanwhile

    def _ask_once(self, server: Server, question: Question) -> Answer:
        if self._server is not server:
            self.close()
        try:
            with broken_means(server.url):
                if self._connection is None:
                    self._connection = Connection(self._servers, server, question.deadline_s, resolve=self._resolves)
                    self._server = server
                connection = self._connection
                connection.ask(question)
                answer = connection.answer(server)
        except Unreachable:
            self.close()
            raise
        if connection.response.will_close:
            self.close()
        return answer


class Connection:
    """One connection, and the question that it is asked now."""

    response: http.client.HTTPResponse

    def __init__(self, servers: Servers, server: Server, deadline_s: float, *, resolve: bool = True) -> None:
        """`Unreachable` or `Refused` where none comes about."""
        self._servers = servers
        self._path = server.path
        self._socket = servers.connect(server, deadline_s, resolve=resolve)
        self._timed = _Timed(self._socket)
        self._http = http.client.HTTPConnection(server.host, server.port)
        self._http.auto_open = 0
        self._http.sock = self._timed
        if server.port == (443 if server.is_tls else 80):
            self._http.port = http.client.HTTP_PORT  # or the header would name what everybody takes for granted

    def ask(self, question: Question) -> None:
        """Ask, and wait for the head of the answer."""
        self._timed.deadline_s = question.deadline_s
        headers = {**self._servers.headers, **question.headers}
        if question.body is not None:
            headers["Content-Type"] = "application/json"
        self._http.request(question.method, self._path + question.path, question.body, headers)
        self._timed.flush()
        self.response = self._http.getresponse()

    def answer(self, server: Server) -> Answer:
        """The whole answer."""
        body = self.response.read(BODY_BYTES_MAX)
        if not self.response.isclosed() and self.response.read(1):
            raise ValueError(f"its answer is longer than {BODY_BYTES_MAX >> 20} MiB")
        headers = {name.lower(): value for name, value in self.response.getheaders()}
        return Answer(server, self.response.status, headers, body)

    def read(self, within_s: float) -> bytes:
        """What has come of an answer that goes on; nothing at its end. To be called within `broken_means`."""
        self._timed.deadline_s = elapsed_s() + within_s
        return self.response.read1(65536)

    def close(self) -> None:
        """Hang up."""
        self._http.close()
        self._servers.close(self._socket)


class _Timed:
    """A socket as `http.client` uses one, with one deadline over all that is sent and read."""

    deadline_s = 0.0

    def __init__(self, made: socket.socket) -> None:
        self._made = made
        self._unsent = b""

    def in_time(self) -> socket.socket:
        """The socket, for as long as there is time."""
        left_s = self.deadline_s - elapsed_s()
        if left_s <= 0:
            raise TimeoutError
        self._made.settimeout(left_s)
        return self._made

    def sendall(self, data: bytes) -> None:
        """Keep it until `flush`: the head and the body of a question come one after the other, and a server that is
        sent them so is woken twice."""
        self._unsent += data

    def flush(self) -> None:
        """Send all of it."""
        data, self._unsent = self._unsent, b""
        self.in_time().sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What an answer is read from."""
        return io.BufferedReader(_Read(self))

    def close(self) -> None:
        """Left to whoever made it: an answer may still be read."""


class _Read(io.RawIOBase):
    """The reading half of it."""

    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come."""
        return self._timed.in_time().recv_into(buffer)
