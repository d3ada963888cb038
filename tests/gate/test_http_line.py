"""How a gate asks a server over HTTP."""

from __future__ import annotations

import pytest

from opsgate.clock import elapsed_s
from opsgate.http_line import Connection, Line, Question
from opsgate.http_servers import Server, Servers
from tests.gate.doubles import Double


class Recorded:
    """In place of a socket: keeps each piece that is sent, and gives the answer that it was made with."""

    def __init__(self, answer: bytes) -> None:
        self.sent: list[bytes] = []
        self._answer = answer

    def settimeout(self, left_s: float) -> None:
        assert left_s > 0

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    def recv_into(self, buffer: bytearray) -> int:
        buffer[: len(self._answer)] = self._answer
        return len(self._answer)


def test_the_head_and_the_body_of_a_question_leave_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is sent them one after the other is woken twice by each beat of each worker."""
    url, made = "http://127.0.0.1:3001", Recorded(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    server = Server(url)
    monkeypatch.setattr(Servers, "connect", lambda *_args, **_options: made)
    connection = Connection(Servers((url,), ""), server, elapsed_s() + 30)

    for body in (b"one", b"another"):
        connection.ask(Question("PUT", "/v1/workers/w1", body, {}, elapsed_s() + 30))
        assert connection.answer(server).body == b"{}"

    assert [piece.partition(b"\r\n\r\n")[2] for piece in made.sent] == [b"one", b"another"]


def test_a_server_that_says_that_it_is_away_is_left_for_the_next_one() -> None:
    one, other = Double(), Double()
    one.status["/v1/gate"] = 503
    line = Line(Servers((one.url, other.url), ""))

    answers = [line.ask("GET", "/v1/gate", within_s=60) for _ in range(2)]
    other.status["/v1/gate"] = 502
    nobody = line.ask("GET", "/v1/gate", within_s=60)

    assert [(answer.status, answer.server.url) for answer in answers] == [(200, other.url)] * 2
    assert one.asked.count("GET /v1/gate") == 2, "it is asked again only when the other one is away too"
    assert nobody.status == 502, "what the first one said is said"
    line.close()
    one.close()
    other.close()
