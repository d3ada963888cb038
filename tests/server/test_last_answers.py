"""Who sends more than is taken gets the answer that says so, however it sends: the rest is read, up to a bound."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import requests

from tests.support.serving import DEADLINE_S, Served, serving
from tests.support.waiting import eventually

TOO_MUCH = b"x" * (6 << 20)
SLICE = b"y" * 65_536
TYPE = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for developers."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fleet') / 'fleet.db'}") as one:
        yield one


@pytest.fixture(params=["main", "stop"])
def url(request: pytest.FixtureRequest, served: Served) -> str:
    """A route of either port that takes a body."""
    return f"{served.url}/v1/commands" if request.param == "main" else f"{served.stop_url}/v1/stop"


def by_httpx(url: str, file: Path) -> tuple[int, bytes]:
    answer = httpx.post(url, content=file.read_bytes(), headers=TYPE, timeout=DEADLINE_S)
    return answer.status_code, answer.content


def by_requests(url: str, file: Path) -> tuple[int, bytes]:
    answer = requests.post(url, data=file.read_bytes(), headers=TYPE, timeout=DEADLINE_S)
    return answer.status_code, answer.content


def by_curl(url: str, file: Path) -> tuple[int, bytes]:
    """Or by what the guides are tried with, where there is no curl."""
    curl = [found] if (found := shutil.which("curl")) else [sys.executable, "-m", "tests.support.curl"]
    command = [*curl, "-sS", "-H", "Content-Type: application/json", "-H", "Expect:", "--data-binary", f"@{file}", url]
    done = subprocess.run(command, capture_output=True, timeout=2 * DEADLINE_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["status"], done.stdout


@pytest.mark.parametrize("by", [by_httpx, by_requests, by_curl])
def test_a_client_that_sends_too_much_reads_why(
    by: Callable[[str, Path], tuple[int, bytes]], url: str, tmp_path: Path
) -> None:
    (file := tmp_path / "body").write_bytes(TOO_MUCH)

    status, body = by(url, file)

    assert (status, json.loads(body)["code"]) == (413, "too-large")


def connected(url: str) -> socket.socket:
    where = httpx.URL(url)
    return socket.create_connection((where.host, where.port), timeout=DEADLINE_S)


def head(url: str, framing: bytes) -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: localhost\r\n%b\r\n\r\n" % (httpx.URL(url).raw_path, framing)


@pytest.mark.parametrize("chunked", [False, True])
def test_who_says_all_of_it_before_reading_a_word_is_answered(url: str, chunked: bool) -> None:
    """By slices, with a length that is too large, or with none."""
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(TOO_MUCH)
    with connected(url) as line:
        line.sendall(head(url, framing))
        for at in range(0, len(TOO_MUCH), len(SLICE)):
            piece = TOO_MUCH[at : at + len(SLICE)]
            line.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        said = b""
        while piece := line.recv(65_536):
            said += piece

    assert said.startswith(b"HTTP/1.1 413 ")
    assert said.lower().count(b"\r\nconnection: close\r\n") == 1
    assert json.loads(said.partition(b"\r\n\r\n")[2])["code"] == "too-large"


def test_what_comes_behind_the_last_answer_is_not_done(served: Served) -> None:
    url = f"{served.url}/v1/commands"
    before = served.revision
    order = b'{"kind": "place-hold", "selectors": [{"account": "a1"}]}'
    with connected(url) as line, suppress(ConnectionError):
        line.sendall(head(url, b"Content-Length: %d" % len(TOO_MUCH)) + TOO_MUCH)
        line.sendall(head(url, b"Content-Type: application/json\r\nContent-Length: %d" % len(order)) + order)
        while line.recv(65_536):
            pass

    assert served.revision == before


def test_who_never_ends_is_cut(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.server.connections.REST_MAX", 1 << 20)
    with connected(url) as line:
        line.sendall(head(url, b"Content-Length: %d" % (1 << 40)))

        with pytest.raises(ConnectionError):
            line.sendall(SLICE * (1 << 10))


def test_who_says_no_more_and_does_not_leave_is_cut_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.server.connections._FIRST_WORD_S", 0.2)
    with serving(f"sqlite:///{tmp_path}/fleet.db", heartbeat_s=0.1) as quick:
        url = f"{quick.url}/v1/commands"
        with connected(url) as line:
            line.sendall(head(url, b"Content-Length: 1000000") + SLICE)
            assert line.recv(65_536).startswith(b"HTTP/1.1 413 ")
            eventually(lambda: is_cut(line))


def is_cut(line: socket.socket) -> bool:
    try:
        line.sendall(b"z")
    except ConnectionError:
        return True
    return False
